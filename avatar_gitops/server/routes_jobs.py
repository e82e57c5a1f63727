"""Routes about jobs and their results."""

from __future__ import annotations

import random
from functools import partial
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, Field

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.answers import answers
from avatar_gitops.server.events import record_read
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import CurrentAccount, CurrentAgent, CurrentPlatform, access_base
from avatar_gitops.server.results import list_results
from avatar_gitops.wire.models import (
    BulkDeleted,
    BulkDeleteRequest,
    FlowRequest,
    JobCreated,
    JobList,
    JobRequest,
    JobResponse,
    JobsCreated,
)
from avatar_gitops.wire.routes import job as job_path

LONG_POLL_SECONDS: Final = (1.0, 2.0)  # by chance, so that clients that came together do not come back together
MAXIMUM_NAMES: Final = 100
MOST: Final = (1 << 31) - 1

JobName = Annotated[str, Path(description="Name of a job")]

router = APIRouter(tags=["jobs"])


class JobFilters(BaseModel):
    """Query of `GET /jobs`; all filters combine, several values of one are alternatives."""

    kind: list[str] | None = None
    display_name: list[str] | None = None
    set_name: list[str] | None = None
    names: list[str] | None = None
    limit: int | None = Field(default=None, ge=0, description="At most so many, after all other filters")
    include_deleted: bool = False

    @property
    def wanted(self) -> dict[str, list[str]]:
        """Accepted values of each filter that was given."""
        said = {"kind": self.kind, "display_name": self.display_name, "set_name": self.set_name, "names": self.names}
        return {name: values for name, values in said.items() if values}


@router.post("/jobs", **answers(JobCreated, 404, 422))
def create_job(platform: CurrentPlatform, account: CurrentAccount, body: JobRequest) -> dict[str, Any]:
    """Queue a job; it runs when the jobs it depends on have finished."""
    name = job_store.create_job(platform, account, str(body.set_name), body.parameters_name, body.depends_on)
    return _created(name)


@router.post("/jobs/flow", **answers(JobsCreated, 404, 422))
def create_flow(platform: CurrentPlatform, account: CurrentAccount, body: FlowRequest) -> dict[str, Any]:
    """Queue every job of a set at once."""
    names = job_store.create_flow(platform, account, str(body.set_name))
    return {"jobs": [_created(name) for name in names]}


@router.post("/jobs/bulk-delete", **answers(BulkDeleted, 422))
def bulk_delete(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, body: BulkDeleteRequest
) -> dict[str, Any]:
    """Delete up to 100 jobs; names that are unknown or already deleted are listed, never an error."""
    if len(body.job_names) > MAXIMUM_NAMES:
        raise ApiFault(422, f"At most {MAXIMUM_NAMES} jobs can be deleted in one call.")
    deleted, failed = [], []
    for name in body.job_names:
        try:
            deleted.append(agent.adapt_job(job_store.delete_job(platform, account, name)))
        except ApiFault:
            failed.append(name)
    return {"deleted_jobs": deleted, "failed_jobs": failed}


@router.get("/jobs", **answers(JobList, 400))
async def list_jobs(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, filters: Annotated[JobFilters, Query()]
) -> dict[str, Any]:
    """The caller's jobs, newest first."""
    if len(set(filters.names or [])) > MAXIMUM_NAMES:
        raise ApiFault(400, f"At most {MAXIMUM_NAMES} names can be asked for in one call.")
    most = None if filters.limit is None else min(filters.limit, MOST)
    query = partial(job_store.list_jobs, wanted=filters.wanted, limit=most, include_deleted=filters.include_deleted)
    find = platform.look if filters.names else platform.read
    found = await find(query, platform, account)
    if agent.lists_oldest_first:
        found.reverse()
    return {"jobs": [agent.adapt_job(job) for job in found]}


@router.get("/jobs/last_set", **answers(JobList))
def last_set(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent) -> dict[str, Any]:
    """All jobs of the set that was created last."""
    newest = job_store.last_set(platform, account)
    found = job_store.list_jobs(platform, account, wanted={"set_name": [newest]}) if newest else []
    return {"jobs": [agent.adapt_job(job) for job in found]}


@router.get("/jobs/{name}", **answers(JobResponse, 404))
async def get_job(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: JobName
) -> dict[str, Any]:
    """One job; the answer is held back for up to two seconds until the job is over."""
    found = await platform.look(job_store.find_job, platform, account, name)
    if not found["done"]:
        await platform.endings.wait(name, random.uniform(*LONG_POLL_SECONDS))  # noqa: S311 - nothing secret
        found = await platform.look(job_store.find_job, platform, account, name)
    return agent.adapt_job(found)


@router.delete("/jobs/{name}", **answers(JobResponse, 404))
def delete_job(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: JobName
) -> dict[str, Any]:
    """Delete a job and its results."""
    return agent.adapt_job(job_store.delete_job(platform, account, name))


@router.post("/jobs/{name}/cancel", **answers(JobResponse, 404, 409))
def cancel_job(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: JobName
) -> dict[str, Any]:
    """Cancel a job that is not over."""
    return agent.adapt_job(job_store.cancel_job(platform, account, name))


@router.get("/results/{name}", **answers(dict[str, list[str]], 404))
def get_results(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: JobName
) -> dict[str, list[str]]:
    """Result kind to list of URLs; empty while there are none."""
    listing = list_results(platform, account, name, access_base(request), as_csv=not agent.reads_parquet)
    record_read(platform.engine, account.id, "job", name)
    return listing


def _created(name: str) -> dict[str, Any]:
    return JobCreated(name=name, location=job_path(name)).model_dump(by_alias=True)
