"""The route of the event log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from avatar_gitops.server.answers import answers
from avatar_gitops.server.events import EventFilter, list_events
from avatar_gitops.server.requests import CurrentAccount, CurrentPlatform
from avatar_gitops.wire.models import Event

MOST: Final = (1 << 31) - 1

router = APIRouter(tags=["events"])


class EventQuery(BaseModel):
    """Query of `GET /event-logs`; all filters combine, several values of one are alternatives."""

    verb: list[str] | None = None
    object_type: list[str] | None = None
    created_from: datetime | None = Field(default=None, description="ISO 8601; without an offset it is UTC")
    created_before: datetime | None = None
    starting_after: str | None = Field(default=None, description="Id of the last event of the page before")
    limit: int | None = Field(default=None, ge=0)


@router.get("/event-logs", **answers(list[Event]))
def event_logs(
    platform: CurrentPlatform, account: CurrentAccount, said: Annotated[EventQuery, Query()]
) -> list[dict[str, Any]]:
    """The caller's events, newest first."""
    wanted = EventFilter(
        verbs=said.verb or (),
        object_types=said.object_type or (),
        created_from=_stored(said.created_from),
        created_before=_stored(said.created_before),
        starting_after=said.starting_after,
        limit=None if said.limit is None else min(said.limit, MOST),
    )
    return list_events(platform.engine, account.id, wanted)


def _stored(moment: datetime | None) -> str | None:
    """A time in the form that is stored; one at the end of all times stays there."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        aware = aware.astimezone(UTC)
    except OverflowError:
        aware = aware.replace(tzinfo=UTC)
    return aware.isoformat(timespec="microseconds")
