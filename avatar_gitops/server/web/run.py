"""One run as every page about it needs it, and what can be done with it: cancel, delete."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from fastapi.responses import Response

from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.database import jobs, reading, results
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import as_uuid
from avatar_gitops.server.sets import SetDocuments
from avatar_gitops.server.web.pages import duration
from avatar_gitops.server.web.run_list import RunLine, find_line
from avatar_gitops.server.web.visit import Visit
from avatar_gitops.server.web.words import JOB_PURPOSES
from avatar_gitops.wire.documents import DocumentKind

OUR_MARK: Final = "avatar-gitops/"
ORIGIN_WORDS: Final[Mapping[str, str]] = {
    "project": "Project",
    "path": "Spec",
    "commit": "Commit",
    "spec-digest": "Spec digest",
    "version": "Version",
}
WRITTEN: Final = re.compile(r"[\w./:@+ -]{1,200}")


@dataclass(slots=True, frozen=True)
class RunView:
    """A run as every page about it needs it: its line of the list, its documents, its jobs in the order of the flow."""

    line: RunLine
    documents: SetDocuments
    jobs: tuple[Mapping[str, Any], ...]

    @property
    def id(self) -> str:
        return self.line.id

    @property
    def name(self) -> str:
        return self.line.name


def open_run(visit: Visit) -> RunView:
    """The run that the path names.

    Raises:
        ApiFault: 404, also for a run of somebody else.
    """
    set_id = as_uuid(visit.path["set_id"], "This run")
    line = find_line(visit.platform.engine, visit.account.id, set_id)
    if line is None:
        raise ApiFault(404, "There is no such run.")
    documents = job_store.set_documents(visit.platform, visit.account, set_id)
    found = job_store.list_jobs(visit.platform, visit.account, wanted={"set_name": [set_id]})
    query = sa.select(jobs.c.name, jobs.c.started_at, jobs.c.finished_at).where(jobs.c.set_id == set_id)
    with reading(visit.platform.engine) as connection:
        times = {row.name: _times(row.started_at, row.finished_at) for row in connection.execute(query)}
    shown = [{**job, **times[job["name"]], "purpose": _purpose(job)} for job in reversed(found)]
    return RunView(line, documents, tuple(shown))


def cancel(visit: Visit) -> Response:
    """Cancel whatever of the run is not over."""
    run = open_run(visit)
    for job in reversed(run.jobs):  # those that wait go first, so that none starts in between
        if not job["done"]:
            try:
                job_store.cancel_job(visit.platform, visit.account, job["name"])
            except ApiFault as fault:
                if fault.status != 409:  # it was over before we came
                    raise
    return visit.go(f"/runs/{run.id}", done="cancelled")


def ask_delete(visit: Visit) -> Response:
    """What deleting the run would remove."""
    run = open_run(visit)
    names = [job["name"] for job in run.jobs]
    query = sa.select(sa.func.count()).where(results.c.job.in_(names))
    with reading(visit.platform.engine) as connection:
        files = int(connection.execute(query).scalar_one())
    return visit.page("run_delete.html", run=run, files=files, ours=bool(origin_of(run.documents)))


def delete(visit: Visit) -> Response:
    """Delete every job of the run with its results."""
    run = open_run(visit)
    for job in reversed(run.jobs):
        try:
            job_store.delete_job(visit.platform, visit.account, job["name"])
        except ApiFault as fault:
            if fault.status != 404:  # somebody else was faster
                raise
    return visit.go("/", done="deleted")


def _times(started_at: float | None, finished_at: str | None) -> dict[str, str]:
    """When a job finished, and how long its last attempt took."""
    if finished_at is None or started_at is None:
        return {"finished_at": finished_at or "", "took": ""}
    return {
        "finished_at": finished_at,
        "took": duration(datetime.fromtimestamp(started_at, UTC).isoformat(), finished_at),
    }


def _purpose(job: Mapping[str, Any]) -> str:
    if job["parameters_name"] == "report_pia":
        return "Writes the privacy impact assessment"
    return JOB_PURPOSES.get(job["kind"], "")


def origin_of(documents: SetDocuments) -> dict[str, str]:
    """What the reconciler wrote beside the documents: where in git the run comes from."""
    metadata = documents.of_kind(DocumentKind.METADATA)
    said = (metadata[0].annotations if metadata else None) or {}
    known = {word: said.get(f"{OUR_MARK}{name}", "") for name, word in ORIGIN_WORDS.items()}
    return {word: text for word, text in known.items() if WRITTEN.fullmatch(text)}
