"""The heart of a running job: renews its lease, passes on its progress, and tells when it must stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.queue import Step, renew
from avatar_gitops.wire.models import JobStatus

HEARTBEAT_SECONDS: Final = 1.0
NEARLY_DONE: Final = 0.99

log = logging.getLogger(__name__)


class Heart:
    """Beats until it is stopped; `on_loss` is called once when the job was cancelled or is no longer ours."""

    def __init__(self, engine: sa.Engine, name: str, owner: str, on_loss: Callable[[], None]) -> None:
        self._engine, self._name, self._owner = engine, name, owner
        self._on_loss = on_loss
        self._step = Step()
        self._stopped = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def report(self, share: float, phase: str = "", done: int = 0, total: int = 0) -> None:
        """Remember how far the work is; the next beat tells the database. The share never falls."""
        self._step = Step(max(self._step.share, min(share, NEARLY_DONE)), phase, done, total)

    def stop(self) -> None:
        """No more beats."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            try:
                status = renew(self._engine, self._name, self._owner, self._step)
            except sa.exc.SQLAlchemyError as error:  # the lease outlives many beats; publishing asks again who owns it
                log.warning("job %s: the lease was not renewed (%s)", self._name, type(error).__name__)
                continue
            # It may just have ended by itself, which takes a moment to get here.
            if status is not JobStatus.PENDING and not self._stopped.wait(HEARTBEAT_SECONDS):
                self._on_loss()
                return
