"""What every part of the running server needs: database, storage, limits, and the bell that wakes workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Final, TypeVar, TypeVarTuple

import sqlalchemy as sa
from anyio import CapacityLimiter, to_thread

from avatar_gitops.server.audit_log import AuditLog
from avatar_gitops.server.blobs import Blobs
from avatar_gitops.server.callers import Network
from avatar_gitops.server.endings import Endings
from avatar_gitops.server.mail import Postman
from avatar_gitops.server.objects import Storage
from avatar_gitops.server.state import StateFolder
from avatar_gitops.server.throttle import Throttle

DEFAULT_RETENTION_DAYS: Final = 3650
MAXIMUM_OBJECT_BYTES: Final = 16 << 30
READS_AT_ONCE: Final = 4

Found = TypeVar("Found")
Arguments = TypeVarTuple("Arguments")


def _nobody_to_wake() -> None:
    """Stands in until workers exist."""


@dataclass(slots=True)
class Platform:
    """The parts of one running server."""

    engine: sa.Engine
    state: StateFolder
    installation_secret: bytes
    retention_days: int = DEFAULT_RETENTION_DAYS
    maximum_object_bytes: int = MAXIMUM_OBJECT_BYTES
    wake_workers: Callable[[], None] = _nobody_to_wake
    stopping: Event = field(default_factory=Event)
    throttle: Throttle = field(default_factory=Throttle)
    trusted_proxies: tuple[Network, ...] = ()
    postman: Postman | None = None
    bucket: Blobs | None = None
    # Variables that workers get: where the database and the objects are, and what runs their jobs.
    for_workers: Mapping[str, str] = field(default_factory=dict, repr=False)
    endings: Endings = field(init=False)
    readers: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(READS_AT_ONCE))

    def __post_init__(self) -> None:
        self.endings = Endings(self.engine, self.stopping)

    async def look(self, query: Callable[[*Arguments], Found], *arguments: *Arguments) -> Found:
        """Ask the database for few rows that an index finds, while a client waits.

        A file gives them in less time than a thread needs to take the interpreter from the event loop, and no writer
        makes a reader of it wait. A database that is somewhere else is asked by a thread.
        """
        return query(*arguments) if self.engine.dialect.name == "sqlite" else await self.read(query, *arguments)

    async def read(self, query: Callable[[*Arguments], Found], *arguments: *Arguments) -> Found:
        """Ask the database something that takes milliseconds, while the event loop goes on.

        Few threads do this, apart from those of longer work: each thread that wants the interpreter delays the event
        loop by a turn, and forty of them make hundreds of polling clients wait for seconds.
        """
        return await to_thread.run_sync(query, *arguments, limiter=self.readers)

    @property
    def storage(self) -> Storage:
        return Storage(self.engine, self.state, self.bucket)

    @property
    def audit_log(self) -> AuditLog:
        return AuditLog(self.state.audit_log, self.installation_secret)

    @property
    def retention_prefix(self) -> str:
        """First part of every key; it tells how long objects are kept."""
        return f"{self.retention_days}d"

    def input_url(self, user_id: str) -> str:
        """Upload area of a user, without a trailing slash."""
        return f"s3://{user_id}/{self.retention_prefix}"
