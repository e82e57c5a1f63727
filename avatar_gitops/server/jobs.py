"""Sets and jobs as the API sees them: creation with a snapshot of their inputs, listing, deletion, cancellation."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.agents import CANCELLED_TEXT
from avatar_gitops.server.database import (
    inputs,
    job_parents,
    jobs,
    now_text,
    objects,
    reading,
    results,
    sets,
    writing,
)
from avatar_gitops.server.events import record
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.objects import drop_keys, remove_blobs, unreferenced
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.queue import end_job, initial_status
from avatar_gitops.server.sets import JOB_KINDS, SetDocuments, parsed_set, read_set
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.models import JobKind, JobStatus
from avatar_gitops.wire.routes import JOBS, job

SEPARATOR: Final = "\n---\n"
FLOW_ORDER: Final = ("standard", "signal_metrics", "privacy_metrics", "report", "advice")


def create_job(
    platform: Platform, account: Account, set_id: str, parameters_name: str, depends_on: Sequence[str]
) -> str:
    """Accept a job; returns its name.

    Raises:
        ApiFault: 404 for an unknown set, parameters document or parent.
    """
    documents = set_documents(platform, account, set_id)
    document = documents.parameters(parameters_name)
    if document is None:
        raise ApiFault(404, f"The set has no parameters document called {parameters_name!r}.")
    parents = list(dict.fromkeys(location.removeprefix(f"{JOBS}/") for location in depends_on))
    name = str(uuid.uuid4())
    with writing(platform.engine) as connection:
        _check_parents(connection, account, parents)
        _snapshot_inputs(connection, platform, account, set_id, documents)
        status, exception = initial_status(connection, parents)
        row = {
            "name": name,
            "user_id": account.id,
            "set_id": set_id,
            "kind": JOB_KINDS[document.kind],
            "parameters_name": parameters_name,
            "status": status,
            "exception": exception,
            "created_at": now_text(),
            "finished_at": now_text() if status.done else None,
        }
        connection.execute(jobs.insert().values(**row))
        for position, parent in enumerate(parents):
            connection.execute(job_parents.insert().values(job=name, parent=parent, position=position))
        record(connection, account.id, "create", "job", name)
    platform.wake_workers()
    return name


def create_flow(platform: Platform, account: Account, set_id: str) -> list[str]:
    """Launch every parameters document of a set with the dependencies between them; returns the job names."""
    documents = set_documents(platform, account, set_id)
    wanted = [d.metadata.name for d in documents.of_kind(*map(DocumentKind, JOB_KINDS))]
    if any(_kind(documents, name) is JobKind.REPORT for name in wanted):
        needed = (JobKind.SIGNAL_METRICS, JobKind.PRIVACY_METRICS)
        present = {_kind(documents, name) for name in wanted}
        wanted += [kind.value for kind in needed if kind not in present]
    wanted.sort(key=lambda name: FLOW_ORDER.index(_kind(documents, name)))
    created: dict[str, list[str]] = {}
    names = []
    for parameters_name in wanted:
        kind = _kind(documents, parameters_name)
        depends_on: list[str] = []
        if kind in {JobKind.SIGNAL_METRICS, JobKind.PRIVACY_METRICS}:
            depends_on = created.get(JobKind.STANDARD, [])
        elif kind is JobKind.REPORT:
            depends_on = created[JobKind.PRIVACY_METRICS] + created[JobKind.SIGNAL_METRICS]
        name = create_job(platform, account, set_id, parameters_name, [job(parent) for parent in depends_on])
        created.setdefault(kind, []).append(name)
        names.append(name)
    return names


def create_set(platform: Platform, account: Account, display_name: str, text: str) -> str:
    """Store a new set after every structural check; returns its id.

    Raises:
        ApiFault: 422.
    """
    read_set(text, bucket=account.id)
    set_id = str(uuid.uuid4())
    row = {"id": set_id, "user_id": account.id, "display_name": display_name, "created_at": now_text()}
    with writing(platform.engine) as connection:
        connection.execute(sets.insert().values(**row, documents=text))
        record(connection, account.id, "create", "resource", set_id)
    return set_id


def extend_set(platform: Platform, account: Account, set_id: str, added: str) -> str:
    """Add documents to the caller's set, which must stay valid; returns its display name.

    Raises:
        ApiFault: 404 or 422.
    """
    while True:
        before = set_text(platform, account, set_id)
        text = before.rstrip("\n") + "\n" + SEPARATOR + added
        read_set(text, bucket=account.id)
        mine = sets.update().where(sets.c.id == set_id, sets.c.documents == before)
        with writing(platform.engine) as connection:
            if connection.execute(mine.values(documents=text)).rowcount == 0:
                continue  # somebody else added documents in the meantime
            record(connection, account.id, "update", "resource", set_id)
            return str(connection.execute(sa.select(sets.c.display_name).where(sets.c.id == set_id)).scalar_one())


def set_documents(platform: Platform, account: Account, set_id: str) -> SetDocuments:
    """The documents of the caller's set.

    Raises:
        ApiFault: 404.
    """
    return parsed_set(set_text(platform, account, set_id))


def set_text(platform: Platform, account: Account, set_id: str) -> str:
    """The stored text of the caller's set.

    Raises:
        ApiFault: 404.
    """
    query = sa.select(sets.c.documents).where(sets.c.id == set_id, sets.c.user_id == account.id)
    with reading(platform.engine) as connection:
        text = connection.execute(query).scalar()
    if text is None:
        raise ApiFault(404, f"Set '{set_id}' not found")
    return str(text)


def find_job(platform: Platform, account: Account, name: str) -> dict[str, Any]:
    """One job of the caller.

    Raises:
        ApiFault: 404.
    """
    query = _query().where(jobs.c.name == name, jobs.c.user_id == account.id)
    with reading(platform.engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise ApiFault(404, f"Job '{name}' not found")
    return describe(row)


def list_jobs(
    platform: Platform,
    account: Account,
    *,
    wanted: Mapping[str, Iterable[str]],
    limit: int | None = None,
    include_deleted: bool = False,
) -> list[dict[str, Any]]:
    """The caller's jobs, newest first; `wanted` gives accepted values for kind, display_name, set_name and names."""
    columns = {
        "kind": jobs.c.kind,
        "display_name": sets.c.display_name,
        "set_name": jobs.c.set_id,
        "names": jobs.c.name,
    }
    query = _query().where(jobs.c.user_id == account.id).order_by(jobs.c.sequence.desc())
    for name, values in wanted.items():
        query = query.where(columns[name].in_(list(values)))
    if not include_deleted:
        query = query.where(jobs.c.deleted_at.is_(None))
    if limit is not None:
        query = query.limit(limit)
    with reading(platform.engine) as connection:
        return [describe(row) for row in connection.execute(query)]


def last_set(platform: Platform, account: Account) -> str | None:
    """Id of the caller's most recently created set."""
    query = sa.select(sets.c.id).where(sets.c.user_id == account.id).order_by(sets.c.sequence.desc()).limit(1)
    with reading(platform.engine) as connection:
        return connection.execute(query).scalar()


def delete_job(platform: Platform, account: Account, name: str) -> dict[str, Any]:
    """Delete a job with its results; a job that is not over is cancelled first.

    Raises:
        ApiFault: 404 for an unknown or already deleted job.
    """
    with writing(platform.engine) as connection:
        row = _owned(connection, account, name)
        if row.deleted_at is not None:
            raise ApiFault(404, f"Job '{name}' not found")
        _stop(connection, row)
        connection.execute(jobs.update().where(jobs.c.name == name).values(deleted_at=now_text()))
        keys = list(connection.execute(sa.select(results.c.key).where(results.c.job == name)).scalars())
        connection.execute(results.delete().where(results.c.job == name))
        unused = drop_keys(connection, account.id, keys) + _release_inputs(connection, row.set_id)
        record(connection, account.id, "delete", "job", name)
    remove_blobs(platform.storage, unused)
    return find_job(platform, account, name)


def cancel_job(platform: Platform, account: Account, name: str) -> dict[str, Any]:
    """Cancel a job: at once when it waits, within about a second when it runs.

    Raises:
        ApiFault: 404 for an unknown job, 409 when it is already over.
    """
    with writing(platform.engine) as connection:
        row = _owned(connection, account, name)
        if JobStatus(row.status).done:
            raise ApiFault(409, f"Job '{name}' is already over.")
        _stop(connection, row)
        record(connection, account.id, "cancel", "job", name)
    return find_job(platform, account, name)


def describe(row: sa.Row[Any]) -> dict[str, Any]:
    """A job as the API shows it."""
    status = JobStatus(row.status)
    cancelling = bool(row.cancel_requested) and not status.done
    return {
        "name": row.name,
        "set_name": row.set_id,
        "parameters_name": row.parameters_name,
        "display_name": row.display_name,
        "created_at": row.created_at,
        "kind": row.kind,
        "status": status,
        "exception": row.exception,
        "done": status.done,
        "progress": row.progress,
        "phase": "cancelling" if cancelling else row.phase or "",
        "phase_done": row.phase_done or 0,
        "phase_total": row.phase_total or 0,
        "deleted_at": row.deleted_at,
    }


def _query() -> sa.Select[Any]:
    return sa.select(jobs, sets.c.display_name).join_from(jobs, sets)


def _kind(documents: SetDocuments, parameters_name: str) -> JobKind:
    document = documents.parameters(parameters_name)
    if document is None:
        raise ApiFault(404, f"The set has no parameters document called {parameters_name!r}.")
    return JOB_KINDS[document.kind]


def _owned(connection: sa.Connection, account: Account, name: str) -> sa.Row[Any]:
    query = sa.select(jobs).where(jobs.c.name == name, jobs.c.user_id == account.id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ApiFault(404, f"Job '{name}' not found")
    return row


def _stop(connection: sa.Connection, row: sa.Row[Any]) -> None:
    if row.status == JobStatus.PENDING:
        connection.execute(jobs.update().where(jobs.c.name == row.name).values(cancel_requested=True))
    elif not JobStatus(row.status).done:
        end_job(connection, row.name, JobStatus.CANCELLED, CANCELLED_TEXT)


def _check_parents(connection: sa.Connection, account: Account, parents: Sequence[str]) -> None:
    query = sa.select(jobs.c.name).where(jobs.c.name.in_(list(parents)), jobs.c.user_id == account.id)
    known = set(connection.execute(query).scalars())
    for parent in parents:
        if parent not in known:
            raise ApiFault(404, f"Job '{parent}' not found")


def _snapshot_inputs(
    connection: sa.Connection, platform: Platform, account: Account, set_id: str, documents: SetDocuments
) -> None:
    """Pin the present bytes of every file the set names, so that a later upload under the same key changes nothing."""
    pinned = set(connection.execute(sa.select(inputs.c.key).where(inputs.c.set_id == set_id)).scalars())
    for key in sorted(input_keys(platform.retention_prefix, documents) - pinned):
        query = sa.select(objects.c.blob).where(objects.c.bucket == account.id, objects.c.key == key)
        blob = connection.execute(query).scalar()
        if blob is not None:
            connection.execute(inputs.insert().values(set_id=set_id, key=key, blob=blob))


def input_keys(retention_prefix: str, documents: SetDocuments) -> set[str]:
    """Keys of the uploaded files that the schemas of a set name."""
    found = set()
    for document in documents.of_kind(DocumentKind.SCHEMA):
        schema = documents.schema(document.metadata.name)
        for table in schema.tables if schema else []:
            for data in (table.data, table.avatars_data, table.holdout_data):
                if data is not None and data.file is not None:
                    found.add(f"{retention_prefix}/{data.file}")
    return found


def _release_inputs(connection: sa.Connection, set_id: str) -> list[str]:
    """When the last job of a set is gone, let its input snapshots go too; returns the blobs to remove."""
    left = sa.select(jobs.c.name).where(jobs.c.set_id == set_id, jobs.c.deleted_at.is_(None)).limit(1)
    if connection.execute(left).first() is not None:
        return []
    blobs = list(connection.execute(sa.select(inputs.c.blob).where(inputs.c.set_id == set_id)).scalars())
    connection.execute(inputs.delete().where(inputs.c.set_id == set_id))
    return unreferenced(connection, blobs)
