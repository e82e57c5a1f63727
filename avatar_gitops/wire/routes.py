"""Paths of the Avatar HTTP API, relative to the API base (`<base url>/api`)."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

API_PREFIX: Final = "/api"
STORAGE_PREFIX: Final = "/storage"
REQUEST_ID: Final = "X-Request-Id"

CHECK_CLIENT: Final = "/check_client"
HEALTH: Final = "/health"
CAPABILITIES: Final = "/capabilities"
USERS_ME: Final = "/users/me"
CREDITS: Final = "/users/credits_info"
UPLOAD_URL: Final = "/upload_url"
ACCESS: Final = "/access"
ACCESS_BATCH: Final = "/access/batch"
JOBS: Final = "/jobs"
JOBS_BULK_DELETE: Final = "/jobs/bulk-delete"


def resource(name: str) -> str:
    """Path of a set: by display name for PUT, by UUID for GET and POST."""
    return f"/resources/{quote(name, safe='')}"


def job(name: str) -> str:
    """Path of a job; also the job's `Location`, the form that `depends_on` takes."""
    return f"/jobs/{quote(name, safe='')}"


def results(job_name: str) -> str:
    """Path of the result listing of a job."""
    return f"/results/{quote(job_name, safe='')}"
