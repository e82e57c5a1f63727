"""Who waits for the end of which job: one look at the database for all of them, however many clients hold a request.

The database is asked, not the workers, because a job may be ended by another process: a worker, the supervisor, another
server over the same database.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection
from threading import Event
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.database import jobs, reading
from avatar_gitops.wire.models import JobStatus

LOOK_SECONDS: Final = 0.04
OVER: Final = tuple(status for status in JobStatus if status.done)


class Endings:
    """The clients of one server that wait; for use within one event loop."""

    def __init__(self, engine: sa.Engine, stopping: Event) -> None:
        self._engine, self._stopping = engine, stopping
        self._waiting: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(set)
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, name: str, seconds: float) -> None:
        """Come back when the job is over, the server stops, or after so many seconds."""
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[name].add(mine)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await asyncio.wait([mine], timeout=seconds)
        finally:
            self._waiting[name].discard(mine)
            if not self._waiting[name]:
                del self._waiting[name]

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            names = list(self._waiting)
            # Not among the threads that answer requests, which may all be busy.
            over = names if self._stopping.is_set() else await asyncio.to_thread(_over, self._engine, names)
            for name in over:
                for future in self._waiting.get(name, ()):
                    if not future.done():
                        future.set_result(None)


def _over(engine: sa.Engine, names: Collection[str]) -> list[str]:
    """Those of the jobs that are over."""
    query = sa.select(jobs.c.name).where(jobs.c.name.in_(names), jobs.c.status.in_(OVER))
    with reading(engine) as connection:
        return list(connection.execute(query).scalars())
