"""The routes of the Avatar API that a reconciler needs: one thin function each."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from avatar_gitops.client.transport import Request, Transport, read
from avatar_gitops.errors import RemoteRefused
from avatar_gitops.wire import routes
from avatar_gitops.wire.models import (
    BulkDeleted,
    BulkDeleteRequest,
    Capabilities,
    Compatibility,
    CreditsInfo,
    FileAccess,
    JobCreated,
    JobList,
    JobRequest,
    JobResponse,
    SetCreated,
    User,
)

BULK_LIMIT = 100


def compatibility(http: Transport) -> Compatibility:
    """Whether the server wants to talk to this client."""
    return read(http.send(Request("GET", routes.CHECK_CLIENT)), Compatibility, "GET /check_client")


def me(http: Transport) -> User:
    """Whose key this is."""
    return read(http.send(Request("GET", routes.USERS_ME)), User, "GET /users/me")


def credits_info(http: Transport) -> CreditsInfo:
    """What is left to spend; tried once, because nothing depends on it."""
    return read(http.send(Request("GET", routes.CREDITS, repeatable=False)), CreditsInfo, "GET /users/credits_info")


def capabilities(http: Transport) -> Capabilities | None:
    """What the platform can do; None when it has no such route."""
    try:
        answer = http.send(Request("GET", routes.CAPABILITIES))
    except RemoteRefused as refusal:
        if refusal.status in {404, 405, 501}:
            return None
        raise
    return read(answer, Capabilities, "GET /capabilities")


def upload_url(http: Transport) -> str:
    """Where this key may write input files: `s3://bucket/prefix`, as JSON or as plain text."""
    answer = http.send(Request("GET", routes.UPLOAD_URL))
    if "json" in answer.headers.get("Content-Type", ""):
        return read(answer, str, "GET /upload_url").rstrip("/")
    return answer.text.strip().rstrip("/")


def access(http: Transport, url: str) -> FileAccess:
    """Credentials for one file."""
    return read(http.send(Request("GET", routes.ACCESS, params={"url": url})), FileAccess, "GET /access")


def access_batch(http: Transport, urls: Sequence[str]) -> list[FileAccess]:
    """Credentials for many files; those that may not be read are missing."""
    answer = http.send(Request("POST", routes.ACCESS_BATCH, json=list(urls)))
    return read(answer, list[FileAccess], "POST /access/batch")


def put_set(http: Transport, name: str, documents: str) -> SetCreated:
    """Create a version of a set. Safe to repeat: a version without jobs is seen by nobody."""
    body = documents.encode()
    request = Request("PUT", routes.resource(name), content=body, content_type="application/yaml")
    return read(http.send(request), SetCreated, "PUT /resources")


def get_documents(http: Transport, set_id: str) -> str:
    """The YAML documents of a version, as plain text or as a JSON string."""
    answer = http.send(Request("GET", routes.resource(set_id)))
    if "json" in answer.headers.get("Content-Type", ""):
        return read(answer, str, "GET /resources")
    return answer.text


def list_jobs(http: Transport, set_id: str | None = None) -> list[JobResponse]:
    """All jobs of this key, or those of one version."""
    params = {"set_name": set_id} if set_id else None
    jobs = read(http.send(Request("GET", routes.JOBS, params=params)), JobList, "GET /jobs").jobs
    return [job for job in jobs if job.deleted_at is None and (set_id is None or str(job.set_name) == set_id)]


def get_job(http: Transport, name: str) -> JobResponse:
    """One job; the server may hold the answer for a few seconds."""
    return read(http.send(Request("GET", routes.job(name))), JobResponse, "GET /jobs")


def create_job(http: Transport, set_id: str, parameters: str, after: Sequence[str]) -> JobCreated:
    """Launch a job after others. Raises LostAnswer when nobody knows whether it was accepted."""
    body = JobRequest(
        set_name=UUID(set_id), parameters_name=parameters, depends_on=[routes.job(name) for name in after]
    )
    request = Request("POST", routes.JOBS, json=body.model_dump(mode="json"), repeatable=False)
    return read(http.send(request), JobCreated, "POST /jobs")


def delete_jobs(http: Transport, names: Sequence[str]) -> list[str]:
    """Delete jobs and return the names that the server could not delete."""
    failed: list[str] = []
    for start in range(0, len(names), BULK_LIMIT):
        body = BulkDeleteRequest(job_names=list(names[start : start + BULK_LIMIT]))
        answer = http.send(Request("POST", routes.JOBS_BULK_DELETE, json=body.model_dump(mode="json")))
        failed += read(answer, BulkDeleted, "POST /jobs/bulk-delete").failed_jobs
    return failed


def result_urls(http: Transport, job: str) -> dict[str, list[str]]:
    """Files of a finished job by kind of result."""
    listed = read(http.send(Request("GET", routes.results(job))), dict[str, list[str] | str], "GET /results")
    return {kind: [urls] if isinstance(urls, str) else urls for kind, urls in listed.items()}
