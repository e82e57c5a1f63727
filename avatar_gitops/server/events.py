"""The event log: who did what to which object, never what is inside."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from avatar_gitops.server.database import events, now_text, reading, users, writing


def record(connection: sa.Connection, user_id: str, verb: str, object_type: str, object_id: str | None) -> None:
    """Add an event inside the transaction of the act itself."""
    row = {"id": str(uuid.uuid4()), "user_id": user_id, "verb": verb, "created_at": now_text()}
    connection.execute(events.insert().values(**row, object_type=object_type, object_id=object_id))


def record_read(engine: sa.Engine, user_id: str, object_type: str, object_id: str) -> None:
    """Add the event of somebody who looked at the documents of a set or at the results of a job."""
    with writing(engine) as connection:
        record(connection, user_id, "read", object_type, object_id)


def record_startup(engine: sa.Engine) -> None:
    """Tell every administrator that the server has started."""
    wanted = sa.select(users.c.id).where(users.c.role == "admin")
    with writing(engine) as connection:
        for user_id in list(connection.execute(wanted).scalars()):
            record(connection, user_id, "startup", "", None)


@dataclass(slots=True, frozen=True)
class EventFilter:
    """Which events to list; `starting_after` is the id of the last event of the page before."""

    verbs: Sequence[str] = ()
    object_types: Sequence[str] = ()
    created_from: str | None = None
    created_before: str | None = None
    starting_after: str | None = None
    limit: int | None = None


def list_events(engine: sa.Engine, user_id: str, wanted: EventFilter) -> list[dict[str, Any]]:
    """The user's events, newest first."""
    query = sa.select(events).where(events.c.user_id == user_id).order_by(events.c.sequence.desc())
    if wanted.verbs:
        query = query.where(events.c.verb.in_(wanted.verbs))
    if wanted.object_types:
        query = query.where(events.c.object_type.in_(wanted.object_types))
    if wanted.created_from is not None:
        query = query.where(events.c.created_at >= wanted.created_from)
    if wanted.created_before is not None:
        query = query.where(events.c.created_at < wanted.created_before)
    if wanted.starting_after is not None:
        last = sa.select(events.c.sequence).where(events.c.id == wanted.starting_after).scalar_subquery()
        query = query.where(events.c.sequence < last)
    shown = ("id", "verb", "object_id", "object_type", "created_at")
    with reading(engine) as connection:
        rows = connection.execute(query.limit(wanted.limit))
        return [{name: row._mapping[name] for name in shown} for row in rows]
