"""The event log of the visitor, newest first, by verb and kind of object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi.responses import Response

from avatar_gitops.server.database import events as log
from avatar_gitops.server.database import jobs, reading, sets
from avatar_gitops.server.events import EventFilter, list_events
from avatar_gitops.server.web.visit import Visit

PER_PAGE: Final = 50
TYPE_WORDS: Final[Mapping[str, str]] = {
    "job": "Job",
    "resource": "Run",
    "api_key": "API key",
    "user": "User",
    "result": "Sensitive result",
    "organization": "Organization",
}


def show(visit: Visit) -> Response:
    """A page of events, each with the run that it is about while that exists."""
    engine, user_id = visit.platform.engine, visit.account.id
    verb, kind, after = visit.asked("verb"), visit.asked("type"), visit.asked("after")
    wanted = EventFilter(
        verbs=(verb,) if verb else (),
        object_types=(kind,) if kind else (),
        starting_after=after or None,
        limit=PER_PAGE + 1,
    )
    found = list_events(engine, user_id, wanted)
    shown = found[:PER_PAGE]
    older = {"verb": verb, "type": kind, "after": shown[-1]["id"]} if len(found) > PER_PAGE else None
    with reading(engine) as connection:
        known = connection.execute(sa.select(log.c.verb, log.c.object_type).where(log.c.user_id == user_id).distinct())
        pairs = [(row.verb, row.object_type) for row in known]
        runs = _runs(connection, user_id, [str(event["object_id"]) for event in shown])
    return visit.page(
        "events.html",
        events=shown,
        runs=runs,
        words=TYPE_WORDS,
        verbs=sorted({verb for verb, _ in pairs}),
        types=sorted({kind for _, kind in pairs}),
        verb=verb,
        type=kind,
        after=after,
        older=older and urlencode({name: value for name, value in older.items() if value}),
    )


def _runs(connection: sa.Connection, user_id: str, ids: list[str]) -> dict[str, tuple[str, str]]:
    """Id and name of the run of each job or set among these objects that still exists."""
    of_jobs = (
        sa.select(jobs.c.name.label("object"), sets.c.id, sets.c.display_name)
        .join_from(jobs, sets)
        .where(jobs.c.user_id == user_id, jobs.c.name.in_(ids), jobs.c.deleted_at.is_(None))
    )
    alive = sa.exists().where(jobs.c.set_id == sets.c.id, jobs.c.deleted_at.is_(None))
    of_sets = sa.select(sets.c.id.label("object"), sets.c.id, sets.c.display_name).where(
        sets.c.user_id == user_id, sets.c.id.in_(ids), alive
    )
    rows = [*connection.execute(of_jobs), *connection.execute(of_sets)]
    return {row.object: (row.id, row.display_name) for row in rows}
