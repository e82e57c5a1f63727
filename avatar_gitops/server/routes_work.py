"""Routes about sets, jobs, results, files and the event log: what an anonymization run consists of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.accounts import Account, storage_key
from avatar_gitops.server.database import sets, writing
from avatar_gitops.server.events import EventFilter, list_events, record
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.requests import (
    CurrentAccount,
    CurrentAgent,
    CurrentPlatform,
    access_base,
    as_uuid,
    json_body,
    small_body,
)
from avatar_gitops.server.results import list_results
from avatar_gitops.server.sets import check_display_name, read_set
from avatar_gitops.server.yaml_reading import MAXIMUM_BYTES
from avatar_gitops.wire.models import BulkDeleteRequest, JobCreated, JobRequest
from avatar_gitops.wire.routes import job as job_path

router = APIRouter()
LONG_POLL_SECONDS: Final = 2.0
MAXIMUM_NAMES: Final = 100
SEPARATOR: Final = "\n---\n"
YAML: Final = "application/yaml"


@router.put("/resources/{display_name}")
async def put_set(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, display_name: str
) -> dict[str, str]:
    """A new set with the documents of the body; earlier sets of the same name stay as they are."""
    check_display_name(display_name)
    text = _text(await small_body(request, MAXIMUM_BYTES))
    set_id = await run_in_threadpool(job_store.create_set, platform, account, display_name, text)
    return {"set_name": set_id, "display_name": display_name}


@router.post("/resources/{set_id}")
async def extend_set(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, set_id: str
) -> dict[str, str]:
    """Add documents to a set; the whole must stay valid."""
    known = as_uuid(set_id, f"Set '{set_id}'")
    added = _text(await small_body(request, MAXIMUM_BYTES))

    def store() -> str:
        text = job_store.set_text(platform, account, known).rstrip("\n") + "\n" + SEPARATOR + added
        read_set(text, bucket=account.id)
        with writing(platform.engine) as connection:
            connection.execute(sets.update().where(sets.c.id == known).values(documents=text))
            record(connection, account.id, "update", "resource", known)
            name = connection.execute(sa.select(sets.c.display_name).where(sets.c.id == known)).scalar_one()
            return str(name)

    return {"set_name": known, "display_name": await run_in_threadpool(store)}


@router.get("/resources/volume")
def volume(
    platform: CurrentPlatform, account: CurrentAccount, volume_name: str = "input", purpose: str = "input"
) -> Response:
    """An AvatarVolume document for clients of the first generation."""
    area = "" if purpose == "input" else "/results"
    url = f"{platform.input_url(account.id)}{area}"
    name = volume_name if volume_name.isidentifier() else "input"
    text = f"kind: AvatarVolume\nmetadata:\n  name: {name}\nspec:\n  url: {url}\n"
    return Response(text, media_type="text/plain")


@router.get("/resources/{set_id}")
def get_set(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, set_id: str) -> Response:
    """The documents as they were stored, byte for byte."""
    text = job_store.set_text(platform, account, as_uuid(set_id, f"Set '{set_id}'"))
    return Response(agent.adapt_documents(text), media_type=YAML)


@router.post("/jobs")
def create_job(platform: CurrentPlatform, account: CurrentAccount, body: JobRequest) -> dict[str, Any]:
    """Queue a job; it runs when the jobs it depends on have finished."""
    name = job_store.create_job(platform, account, str(body.set_name), body.parameters_name, body.depends_on)
    return JobCreated(name=name, location=job_path(name)).model_dump(by_alias=True)


@router.post("/jobs/flow")
async def create_flow(request: Request, platform: CurrentPlatform, account: CurrentAccount) -> dict[str, Any]:
    """Queue every job of a set at once."""
    body = await json_body(request)
    set_id = str(body.get("set_name", "")) if isinstance(body, dict) else ""
    known = as_uuid(set_id, f"Set '{set_id}'")
    names = await run_in_threadpool(job_store.create_flow, platform, account, known)
    created = [JobCreated(name=name, location=job_path(name)) for name in names]
    return {"jobs": [item.model_dump(by_alias=True) for item in created]}


@router.post("/jobs/bulk-delete")
def bulk_delete(
    platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, body: BulkDeleteRequest
) -> dict[str, Any]:
    """Delete several jobs; names that are unknown or already deleted are listed, never an error."""
    if len(body.job_names) > MAXIMUM_NAMES:
        raise ApiFault(422, f"At most {MAXIMUM_NAMES} jobs can be deleted in one call.")
    deleted, failed = [], []
    for name in body.job_names:
        try:
            deleted.append(agent.adapt_job(job_store.delete_job(platform, account, name)))
        except ApiFault:
            failed.append(name)
    return {"deleted_jobs": deleted, "failed_jobs": failed}


@router.get("/jobs")
def list_jobs(
    request: Request,
    platform: CurrentPlatform,
    account: CurrentAccount,
    agent: CurrentAgent,
    limit: int | None = Query(default=None, ge=0),
    include_deleted: bool = False,
) -> dict[str, Any]:
    """The caller's jobs, newest first; all filters combine."""
    filters = ("kind", "display_name", "set_name", "names")
    wanted = {name: values for name in filters if (values := request.query_params.getlist(name))}
    if len(set(wanted.get("names", []))) > MAXIMUM_NAMES:
        raise ApiFault(400, f"At most {MAXIMUM_NAMES} names can be asked for in one call.")
    found = job_store.list_jobs(platform, account, wanted=wanted, limit=limit, include_deleted=include_deleted)
    if agent.lists_oldest_first:
        found.reverse()
    return {"jobs": [agent.adapt_job(job) for job in found]}


@router.get("/jobs/last_set")
def last_set(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent) -> dict[str, Any]:
    """All jobs of the set that was created last."""
    newest = job_store.last_set(platform, account)
    found = job_store.list_jobs(platform, account, wanted={"set_name": [newest]}) if newest else []
    return {"jobs": [agent.adapt_job(job) for job in found]}


@router.get("/jobs/{name}")
async def get_job(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: str) -> dict[str, Any]:
    """One job; the answer is held back for up to two seconds until the job is over."""
    found = await run_in_threadpool(job_store.find_job, platform, account, name)
    if not found["done"]:
        await platform.endings.wait(name, LONG_POLL_SECONDS)
        found = await run_in_threadpool(job_store.find_job, platform, account, name)
    return agent.adapt_job(found)


@router.delete("/jobs/{name}")
def delete_job(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: str) -> dict[str, Any]:
    """Delete a job and its results."""
    return agent.adapt_job(job_store.delete_job(platform, account, name))


@router.post("/jobs/{name}/cancel")
def cancel_job(platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: str) -> dict[str, Any]:
    """Cancel a job that is not over."""
    return agent.adapt_job(job_store.cancel_job(platform, account, name))


@router.get("/results/{name}")
def get_results(
    request: Request, platform: CurrentPlatform, account: CurrentAccount, agent: CurrentAgent, name: str
) -> dict[str, list[str]]:
    """Result kind to list of URLs; empty while there are none."""
    return list_results(platform, account, name, access_base(request), as_csv=not agent.reads_parquet)


@router.get("/upload_url")
def upload_url(platform: CurrentPlatform, account: CurrentAccount) -> str:
    """Where the caller uploads."""
    return platform.input_url(account.id)


@router.get("/access")
def access(platform: CurrentPlatform, account: CurrentAccount, url: str) -> dict[str, Any]:
    """Storage credentials for one file of the caller."""
    if not _may_access(account, url):
        raise ApiFault(403, "This file lies outside your storage.")
    return _file_access(platform, account, url)


@router.post("/access/batch")
async def access_batch(request: Request, platform: CurrentPlatform, account: CurrentAccount) -> list[dict[str, Any]]:
    """The same for several files; those that are not permitted are left out."""
    urls = await json_body(request)
    if not isinstance(urls, list):
        raise ApiFault(422, "The body must be a list of URLs.")
    permitted = [url for url in urls if isinstance(url, str) and _may_access(account, url)]
    return [_file_access(platform, account, url) for url in permitted]


@router.get("/event-logs")
def event_logs(request: Request, platform: CurrentPlatform, account: CurrentAccount) -> JSONResponse:
    """The caller's events, newest first."""
    query = request.query_params
    limit = query.get("limit", "")
    wanted = EventFilter(
        verbs=query.getlist("verb"),
        object_types=query.getlist("object_type"),
        created_from=_moment(query.get("created_from")),
        created_before=_moment(query.get("created_before")),
        starting_after=query.get("starting_after"),
        limit=int(limit) if limit.isdecimal() else None,
    )
    return JSONResponse(list_events(platform.engine, account.id, wanted))


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiFault(422, "The body is not UTF-8 text.") from None


def _moment(text: str | None) -> str | None:
    """A time of the query in the form that is stored."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ApiFault(422, "created_from and created_before must be ISO 8601 times.") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds")


def _may_access(account: Account, url: str) -> bool:
    """Whether the path inside an envelope, taken literally, lies in the caller's bucket; `..` is just part of a key."""
    inner = url.partition("?url=")[2] or url
    return inner.startswith(f"s3://{account.id}/")


def _file_access(platform: Platform, account: Account, url: str) -> dict[str, Any]:
    assert account.credential is not None, "requests come with a credential"
    key = storage_key(platform.installation_secret, account.credential)
    credentials = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    return {"url": url, "credentials": credentials}
