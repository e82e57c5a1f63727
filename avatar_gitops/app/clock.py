"""The clock of the machine, as the port that the reconciler is given."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Implements `ports.Clock`."""

    def now(self) -> datetime:
        """Current time, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Pause; Ctrl-C ends it."""
        time.sleep(seconds)
