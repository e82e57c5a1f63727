"""The runs of a user in SQL: state and progress of each from its jobs, found by name or state, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.database import jobs, reading, sets
from avatar_gitops.server.queue import FAILED
from avatar_gitops.server.web.pages import duration
from avatar_gitops.server.web.words import RunState
from avatar_gitops.wire.models import JobStatus

PER_PAGE: Final = 25
OVER: Final = tuple(status for status in JobStatus if status.done)


@dataclass(slots=True, frozen=True)
class RunLine:
    """One run of the list; `progress` is a share of all its jobs."""

    id: str
    name: str
    created_at: str
    state: RunState
    jobs: int
    over: int
    finished: int
    progress: float
    finished_at: str | None

    @property
    def percent(self) -> int:
        """Progress in whole percent; never 100 before the end."""
        return min(int(100 * self.progress), 99) if not self.state.over else 100

    @property
    def took(self) -> str:
        """From the first job to the last result."""
        return duration(self.created_at, self.finished_at) if self.finished_at and self.state.over else ""


@dataclass(slots=True, frozen=True)
class RunPage:
    """One page of the list. `counts` says how many runs of each state the search finds."""

    lines: tuple[RunLine, ...]
    counts: Mapping[RunState, int]
    number: int
    found: int

    @property
    def total(self) -> int:
        """Runs that the search finds in any state."""
        return sum(self.counts.values())

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.found // PER_PAGE))

    @property
    def first_line(self) -> int:
        return (self.number - 1) * PER_PAGE + 1


def list_runs(engine: sa.Engine, user_id: str, *, search: str = "", state: RunState | None, number: int) -> RunPage:
    """The runs of a user, newest first; a page beyond the last is the last."""
    runs = _runs(user_id, search).subquery()
    counted = sa.select(runs.c.state, sa.func.count()).group_by(runs.c.state)
    query = sa.select(runs).order_by(runs.c.sequence.desc())
    with reading(engine) as connection:
        counts = {RunState(name): int(count) for name, count in connection.execute(counted)}
        found = sum(counts.values()) if state is None else counts.get(state, 0)
        number = max(1, min(number, -(-found // PER_PAGE)))
        if state is not None:
            query = query.where(runs.c.state == state)
        rows = connection.execute(query.limit(PER_PAGE).offset((number - 1) * PER_PAGE))
        return RunPage(tuple(_line(row) for row in rows), counts, number, found)


def find_line(engine: sa.Engine, user_id: str, set_id: str) -> RunLine | None:
    """One run, or None when it is unknown, someone else's, or all its jobs are deleted."""
    with reading(engine) as connection:
        row = connection.execute(_runs(user_id).where(sets.c.id == set_id)).one_or_none()
    return None if row is None else _line(row)


def _runs(user_id: str, search: str = "") -> sa.Select[Any]:
    """Sets that have jobs, with what their jobs amount to."""

    def number_of(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    over = jobs.c.status.in_(OVER)
    total, ended, failed = sa.func.count(), number_of(over), number_of(jobs.c.status.in_(tuple(FAILED)))
    finished = number_of(jobs.c.status == JobStatus.FINISHED)
    begun = number_of(over | (jobs.c.status == JobStatus.PENDING))
    state = sa.case(
        ((ended < total) & (begun > 0), RunState.RUNNING.value),
        (ended < total, RunState.WAITING.value),
        (failed > 0, RunState.FAILED.value),
        (number_of(jobs.c.status == JobStatus.CANCELLED) > 0, RunState.CANCELLED.value),
        else_=RunState.FINISHED.value,
    )
    share = sa.case((over, 1.0), else_=sa.func.coalesce(jobs.c.progress, 0.0))
    query = (
        sa.select(
            sets.c.sequence,
            sets.c.id,
            sets.c.display_name,
            sa.func.min(jobs.c.created_at).label("created_at"),
            sa.func.max(jobs.c.finished_at).label("finished_at"),
            total.label("jobs"),
            ended.label("over"),
            finished.label("finished"),
            sa.func.sum(share).label("progress"),
            state.label("state"),
        )
        .join_from(sets, jobs, jobs.c.set_id == sets.c.id)
        .where(sets.c.user_id == user_id, jobs.c.deleted_at.is_(None))
        .group_by(sets.c.sequence, sets.c.id, sets.c.display_name)
    )
    if search:
        query = query.where(sets.c.display_name.icontains(search, autoescape=True) | (sets.c.id == search.lower()))
    return query


def _line(row: sa.Row[Any]) -> RunLine:
    progress = float(row.progress) / int(row.jobs)
    return RunLine(
        row.id,
        row.display_name,
        row.created_at,
        RunState(row.state),
        int(row.jobs),
        int(row.over),
        int(row.finished),
        progress,
        row.finished_at,
    )
