"""What time takes away: objects and uploads past the retention, then blobs that nothing points at."""

from __future__ import annotations

import logging
from datetime import datetime

import sqlalchemy as sa

from avatar_gitops.server.database import inputs, jobs, objects, results, text_of, upload_parts, uploads, writing
from avatar_gitops.server.objects import Storage, remove_blobs, sweep, unreferenced

log = logging.getLogger(__name__)


def clean_up(storage: Storage, oldest: datetime) -> None:
    """Let everything that is older expire, and collect garbage; a fault of database or bucket waits for a day."""
    try:
        expire(storage, oldest)
        sweep(storage)
    except (OSError, sa.exc.SQLAlchemyError) as error:
        log.warning("expired files stay for now: %s", type(error).__name__)


def expire(storage: Storage, oldest: datetime) -> None:
    """Remove objects and abandoned uploads that are older, and the input snapshots of sets whose jobs are all over.

    Their jobs stay on record; their results read as gone.
    """
    before = text_of(oldest)
    with writing(storage.engine) as connection:
        blobs = _objects(connection, before) + _uploads(connection, before) + _inputs(connection, before)
        unused = unreferenced(connection, blobs)
    remove_blobs(storage, unused)


def _objects(connection: sa.Connection, before: str) -> list[str]:
    old = objects.c.modified_at < before
    blobs = list(connection.execute(sa.select(objects.c.blob).where(old)).scalars())
    connection.execute(results.delete().where(results.c.key.in_(sa.select(objects.c.key).where(old))))
    connection.execute(objects.delete().where(old))
    return blobs


def _uploads(connection: sa.Connection, before: str) -> list[str]:
    stale = sa.select(uploads.c.id).where(uploads.c.created_at < before)
    blobs = list(
        connection.execute(sa.select(upload_parts.c.blob).where(upload_parts.c.upload_id.in_(stale))).scalars()
    )
    connection.execute(uploads.delete().where(uploads.c.created_at < before))
    return blobs


def _inputs(connection: sa.Connection, before: str) -> list[str]:
    """A snapshot lives as long as a job of its set is younger or not over."""
    alive = sa.select(jobs.c.set_id).where(sa.or_(jobs.c.finished_at.is_(None), jobs.c.finished_at >= before))
    old = inputs.c.set_id.not_in(alive)
    blobs = list(connection.execute(sa.select(inputs.c.blob).where(old)).scalars())
    connection.execute(inputs.delete().where(old))
    return blobs
