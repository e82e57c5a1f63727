"""The job queue in SQL: who runs what, what may start next, and what happens when a worker dies."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.agents import CANCELLED_TEXT
from avatar_gitops.server.database import job_parents, jobs, now_text, objects, reading, results, writing
from avatar_gitops.server.objects import settle
from avatar_gitops.wire.models import JobStatus

LEASE_SECONDS: Final = 30.0
OWNER_SEPARATOR: Final = "."
MAXIMUM_ATTEMPTS: Final = 5
GAVE_UP: Final = (
    f"The job was started {MAXIMUM_ATTEMPTS} times and its worker process ended each time before the job did."
)
FAILED: Final = frozenset({JobStatus.ERROR, JobStatus.PARENT_ERROR, JobStatus.LOST, JobStatus.ORPHANED})


@dataclass(slots=True, frozen=True)
class Step:
    """How far a running job is: the share of the whole, and `done` of `total` parts of what it is at."""

    share: float = 0.0
    phase: str = ""
    done: int = 0
    total: int = 0

    @property
    def values(self) -> dict[str, Any]:
        """The step as columns of a job."""
        shown = {"phase": self.phase, "phase_done": self.done, "phase_total": self.total}
        return {"progress": self.share, **shown}


AT_THE_START: Final = Step()


@dataclass(slots=True, frozen=True)
class ResultRow:
    """A result of a job: its kind and the row of the object that holds it."""

    kind: str
    row: dict[str, Any]


def initial_status(connection: sa.Connection, parents: Sequence[str]) -> tuple[JobStatus, str]:
    """Status and exception of a job that waits for these parents."""
    query = sa.select(jobs).where(jobs.c.name.in_(list(parents))).order_by(jobs.c.sequence)
    rows = list(connection.execute(query))
    for row in rows:
        if row.status in FAILED:
            if row.status == JobStatus.PARENT_ERROR:
                return JobStatus.PARENT_ERROR, row.exception  # names the job that failed first
            text = row.exception or "internal error"
            return JobStatus.PARENT_ERROR, f"The job {row.parameters_name!r} that this one needs failed: {text}"
        if row.status == JobStatus.FINISHED and row.deleted_at is not None:
            return JobStatus.PARENT_ERROR, f"The job {row.parameters_name!r} that this one needs was deleted."
    if any(row.status == JobStatus.CANCELLED for row in rows):
        return JobStatus.CANCELLED, CANCELLED_TEXT
    ready = all(row.status == JobStatus.FINISHED for row in rows)
    return (JobStatus.CREATED if ready else JobStatus.QUEUED), ""


def end_job(connection: sa.Connection, name: str, status: JobStatus, exception: str = "") -> None:
    """Give a job its last status and pass the news on to the jobs that wait for it."""
    values: dict[str, Any] = {
        "status": status,
        "exception": exception,
        "finished_at": now_text(),
        "lease_owner": None,
        "lease_expires": None,
        "phase": None,
        "phase_done": None,
        "phase_total": None,
    }
    if status is JobStatus.FINISHED:
        values["progress"] = 1.0
    connection.execute(jobs.update().where(jobs.c.name == name).values(**values))
    waiting = (
        sa.select(jobs.c.name)
        .join(job_parents, job_parents.c.job == jobs.c.name)
        .where(job_parents.c.parent == name, jobs.c.status == JobStatus.QUEUED)
    )
    for child in list(connection.execute(waiting).scalars()):
        _reconsider(connection, child)


def _reconsider(connection: sa.Connection, name: str) -> None:
    parents = connection.execute(sa.select(job_parents.c.parent).where(job_parents.c.job == name)).scalars()
    status, exception = initial_status(connection, list(parents))
    if status.done:
        end_job(connection, name, status, exception)
    elif status is JobStatus.CREATED:
        connection.execute(jobs.update().where(jobs.c.name == name).values(status=status))


def has_ready_job(engine: sa.Engine) -> bool:
    """Whether a job can start; cheap enough to ask many times a second."""
    with reading(engine) as connection:
        query = sa.select(jobs.c.name).where(jobs.c.status == JobStatus.CREATED).limit(1)
        return connection.execute(query).first() is not None


def claim(engine: sa.Engine, owner: str) -> sa.Row[Any] | None:
    """Take the oldest job that can start; no other worker gets it while the lease is renewed."""
    now = time.time()
    with writing(engine) as connection:
        query = sa.select(jobs).where(jobs.c.status == JobStatus.CREATED).order_by(jobs.c.sequence).limit(1)
        row = connection.execute(query).first()
        if row is None:
            return None
        connection.execute(
            jobs.update()
            .where(jobs.c.name == row.name)
            .values(
                status=JobStatus.PENDING,
                attempts=row.attempts + 1,
                lease_owner=owner,
                lease_expires=now + LEASE_SECONDS,
                started_at=now,
                **AT_THE_START.values,
            )
        )
        return row


def renew(engine: sa.Engine, name: str, owner: str, step: Step) -> JobStatus:
    """Renew the lease; CANCELLED when the user wants the job to stop, LOST when it is no longer ours."""
    mine = (jobs.c.name == name) & (jobs.c.lease_owner == owner) & (jobs.c.status == JobStatus.PENDING)
    with writing(engine) as connection:
        row = connection.execute(sa.select(jobs.c.cancel_requested).where(mine)).first()
        if row is None:
            return JobStatus.LOST
        if row.cancel_requested:
            end_job(connection, name, JobStatus.CANCELLED, CANCELLED_TEXT)
            return JobStatus.CANCELLED
        connection.execute(jobs.update().where(mine).values(lease_expires=time.time() + LEASE_SECONDS, **step.values))
    return JobStatus.PENDING


def publish(engine: sa.Engine, name: str, owner: str, files: Sequence[ResultRow]) -> bool:
    """Finish a job: its results and its last status appear in one transaction, or nothing does.

    False when the job is no longer ours (its lease ended) or was cancelled; nothing is written then.
    """
    mine = (jobs.c.name == name) & (jobs.c.lease_owner == owner) & (jobs.c.status == JobStatus.PENDING)
    with writing(engine) as connection:
        row = connection.execute(sa.select(jobs.c.cancel_requested).where(mine)).first()
        if row is None:
            return False
        if row.cancel_requested:
            end_job(connection, name, JobStatus.CANCELLED, CANCELLED_TEXT)
            return False
        settle(connection, [file.row["blob"] for file in files])
        for position, file in enumerate(files):
            connection.execute(objects.insert().values(**file.row))
            result = {"job": name, "position": position, "kind": file.kind, "key": file.row["key"]}
            connection.execute(results.insert().values(**result))
        end_job(connection, name, JobStatus.FINISHED)
    return True


def fail(engine: sa.Engine, name: str, owner: str, exception: str) -> None:
    """End a job with an error, unless it is no longer ours."""
    _fail(engine, (jobs.c.name == name) & (jobs.c.lease_owner == owner), exception)


def fail_all(engine: sa.Engine, owner: str, exception: str) -> None:
    """End with an error whatever this owner runs."""
    _fail(engine, jobs.c.lease_owner == owner, exception)


def _fail(engine: sa.Engine, which: sa.ColumnElement[bool], exception: str) -> None:
    with writing(engine) as connection:
        for row in list(connection.execute(sa.select(jobs).where(which, jobs.c.status == JobStatus.PENDING))):
            if row.cancel_requested:
                end_job(connection, row.name, JobStatus.CANCELLED, CANCELLED_TEXT)
            else:
                end_job(connection, row.name, JobStatus.ERROR, exception)


@dataclass(slots=True, frozen=True)
class Running:
    """A running job as its supervisor sees it; `started_at` in seconds since 1970."""

    owner: str
    started_at: float
    cancel_requested: bool


def running(engine: sa.Engine, owners: Sequence[str]) -> list[Running]:
    """What these owners run."""
    columns = (jobs.c.lease_owner, jobs.c.started_at, jobs.c.cancel_requested)
    query = sa.select(*columns).where(jobs.c.status == JobStatus.PENDING, jobs.c.lease_owner.in_(owners))
    with reading(engine) as connection:
        return [Running(*row) for row in connection.execute(query)]


def requeue(engine: sa.Engine, *, owner: str, refund: bool = False, why: str = "") -> int:
    """Queue again what one owner ran; returns how many.

    A job that lost its worker too often ends with an error, which says `why` the last one ended, if that is known.
    `refund`: the stop was orderly, so no attempt was lost.
    """
    return _requeue(engine, jobs.c.lease_owner == owner, refund=refund, why=why)


def requeue_expired(engine: sa.Engine) -> int:
    """Queue again the jobs of workers that fell silent, whichever server they belong to."""
    return _requeue(engine, jobs.c.lease_expires < time.time())


def requeue_of_server(engine: sa.Engine, server_id: str) -> int:
    """Queue again what the workers of a server ran when it died; those of other servers go on.

    The death of a server costs a job no attempt: a job cannot take more than its walls, so it was not the cause.
    """
    mine = jobs.c.lease_owner.startswith(f"{server_id}{OWNER_SEPARATOR}", autoescape=True)
    return _requeue(engine, mine, refund=True)


def new_owner(server_id: str) -> str:
    """A name for one worker of a server; no two are the same, so that a lease belongs to one process."""
    return f"{server_id}{OWNER_SEPARATOR}{uuid.uuid4().hex}"


def _requeue(engine: sa.Engine, which: sa.ColumnElement[bool], *, refund: bool = False, why: str = "") -> int:
    query = sa.select(jobs).where(jobs.c.status == JobStatus.PENDING, which)
    with reading(engine) as connection:
        if connection.execute(query.limit(1)).first() is None:
            return 0  # the usual case must not wait for the write lock
    with writing(engine) as connection:
        rows = list(connection.execute(query))
        for row in rows:
            attempts = row.attempts - 1 if refund else row.attempts
            if row.cancel_requested:
                end_job(connection, row.name, JobStatus.CANCELLED, CANCELLED_TEXT)
            elif attempts >= MAXIMUM_ATTEMPTS:
                end_job(connection, row.name, JobStatus.ERROR, f"{GAVE_UP} {why}".strip())
            else:
                again = {**AT_THE_START.values, "status": JobStatus.CREATED, "progress": None, "attempts": attempts}
                no_lease = {"lease_owner": None, "lease_expires": None, "started_at": None}
                connection.execute(jobs.update().where(jobs.c.name == row.name).values(**again, **no_lease))
    return len(rows)
