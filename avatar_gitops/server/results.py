"""The result listing of a job: result kind to file URLs, with CSV twins for clients that cannot read Parquet."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from avatar_gitops.server.accounts import Account
from avatar_gitops.server.database import jobs, objects, reading, results
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.naming import page_of
from avatar_gitops.server.objects import find_object
from avatar_gitops.server.pages import keep_file
from avatar_gitops.server.platform import Platform
from avatar_gitops.wire.models import JobStatus, ResultKind


def list_results(
    platform: Platform, account: Account, name: str, access_base: str, *, as_csv: bool
) -> dict[str, list[str]]:
    """URLs by result kind, in the order the job wrote them; empty while the job has no results.

    Raises:
        ApiFault: 404 for an unknown job, and when the results were deleted.
    """
    query = sa.select(jobs.c.status, jobs.c.deleted_at).where(jobs.c.name == name, jobs.c.user_id == account.id)
    with reading(platform.engine) as connection:
        job = connection.execute(query).one_or_none()
        if job is None:
            raise ApiFault(404, f"Job '{name}' not found")
        if job.status != JobStatus.FINISHED:
            return {}
        rows = list(connection.execute(_query(account.id, name)))
    if job.deleted_at is not None or not rows:
        raise ApiFault(404, f"Results file for job '{name}' not found")
    listing: dict[str, list[str]] = {}
    for row in rows:
        key = _csv_twin(platform, row) if as_csv and row.key.endswith(".parquet") else page_of(row.key)
        listing.setdefault(row.kind, []).append(f"{access_base}?url=s3://{account.id}/{key}")
    return listing


def _query(bucket: str, name: str) -> sa.Select[Any]:
    return (
        sa.select(results.c.kind, objects)
        .join(objects, (objects.c.key == results.c.key) & (objects.c.bucket == bucket))
        .where(results.c.job == name, results.c.kind != ResultKind.ORIGINS)
        .order_by(results.c.position)
    )


def _csv_twin(platform: Platform, row: sa.Row[Any]) -> str:
    """Key of the CSV form of a Parquet result, made when an old client first asks for it."""
    key = f"{row.key.removesuffix('.parquet')}.csv"
    if find_object(platform.storage, row.bucket, key) is None:
        from avatar_gitops.engine.tables import read_table, write_table

        path = platform.state.incoming / uuid.uuid4().hex
        with platform.storage.file(row.blob) as source:
            write_table(read_table(source), path, "csv")
        keep_file(platform.storage, (row.bucket, key), path, ("text/csv; charset=utf-8", row.modified_at))
    return key
