"""One claimed job with everything it needs to run: documents, input files, results of the jobs before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from avatar_gitops.server.database import inputs, job_parents, jobs, objects, reading, results, sets
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.objects import Storage
from avatar_gitops.server.sets import SetDocuments, parsed_set
from avatar_gitops.wire.documents import Document
from avatar_gitops.wire.models import JobKind, JobStatus


@dataclass(slots=True, frozen=True)
class EarlierFile:
    """A result of an earlier job."""

    kind: str
    filename: str
    path: Path


@dataclass(slots=True, frozen=True)
class Assignment:
    """What a worker was asked to do. `earlier` holds the results of earlier jobs by job kind."""

    name: str
    kind: JobKind
    set_id: str
    user_id: str
    display_name: str
    created_at: str
    documents: SetDocuments
    parameters: Document
    files: Mapping[str, Path]
    earlier: Mapping[str, tuple[EarlierFile, ...]]

    def input_file(self, table: str, file: str | None) -> Path:
        """The uploaded file that a schema names.

        Raises:
            JobFault: it was never uploaded.
        """
        path = self.files.get(file or "")
        if path is None:
            raise JobFault(f"Table {table!r}: the file {file or ''!r} was not uploaded. Upload it and run again.")
        return path

    def results_of(self, kind: JobKind, result: str) -> list[EarlierFile]:
        """Files of one result kind from the job of that kind; empty when there is none."""
        return [file for file in self.earlier.get(kind, ()) if file.kind == result]


@dataclass(slots=True, frozen=True)
class ResultFile:
    """A file that the work wrote into its folder."""

    kind: str
    filename: str


class Progress(Protocol):
    """Takes how far the work is, as a share of the whole, and what it is at: `done` of `total` parts of a phase."""

    def __call__(self, share: float, phase: str = "", done: int = 0, total: int = 0) -> None: ...


def load_assignment(storage: Storage, row: sa.Row[Any], retention_prefix: str, folder: Path) -> Assignment:
    """Everything about a claimed job, read in one consistent view; blobs of a bucket are copied into the folder."""
    with reading(storage.engine) as connection:
        stored = connection.execute(sa.select(sets).where(sets.c.id == row.set_id)).one()
        documents = parsed_set(stored.documents)
        parameters = documents.parameters(row.parameters_name)
        if parameters is None:
            raise JobFault(f"The set has no parameters document called {row.parameters_name!r}.")
        pinned = list(connection.execute(sa.select(inputs).where(inputs.c.set_id == row.set_id)))
        results_before = {
            kind: _results(connection, parent)
            for kind in (JobKind.STANDARD, JobKind.PRIVACY_METRICS, JobKind.SIGNAL_METRICS)
            if (parent := _parent_of_kind(connection, row, kind)) is not None
        }
    # Not inside the transaction: a bucket may take its time.
    files = {item.key.removeprefix(f"{retention_prefix}/"): storage.blobs.local(item.blob, folder) for item in pinned}
    earlier: dict[str, tuple[EarlierFile, ...]] = {
        kind: tuple(EarlierFile(name, file, storage.blobs.local(blob, folder)) for name, file, blob in found)
        for kind, found in results_before.items()
    }
    return Assignment(
        name=row.name,
        kind=JobKind(row.kind),
        set_id=row.set_id,
        user_id=row.user_id,
        display_name=stored.display_name,
        created_at=row.created_at,
        documents=documents,
        parameters=parameters,
        files=files,
        earlier=earlier,
    )


def _parent_of_kind(connection: sa.Connection, row: sa.Row[Any], kind: JobKind) -> str | None:
    """The job of that kind among the parents, or else the latest finished one of the set."""
    finished = sa.select(jobs.c.name).where(
        jobs.c.kind == kind, jobs.c.status == JobStatus.FINISHED, jobs.c.deleted_at.is_(None)
    )
    among_parents = finished.join(job_parents, job_parents.c.parent == jobs.c.name).where(job_parents.c.job == row.name)
    found = connection.execute(among_parents.limit(1)).scalar()
    if found is None:
        latest = finished.where(jobs.c.set_id == row.set_id).order_by(jobs.c.sequence.desc()).limit(1)
        found = connection.execute(latest).scalar()
    return found


def _results(connection: sa.Connection, job: str) -> list[tuple[str, str, str]]:
    """Kind, file name and blob of each result of a job."""
    query = (
        sa.select(results.c.kind, objects.c.key, objects.c.blob)
        .join(jobs, jobs.c.name == results.c.job)
        .join(objects, (objects.c.key == results.c.key) & (objects.c.bucket == jobs.c.user_id))
        .where(results.c.job == job)
        .order_by(results.c.position)
    )
    return [(row.kind, row.key.rpartition("/")[2], row.blob) for row in connection.execute(query)]
