"""The clock of the machine, as the port that the reconciler is given."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


class SystemClock:
    """Implements `ports.Clock`."""

    def now(self) -> datetime:
        """Current time, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Pause; Ctrl-C ends it."""
        time.sleep(seconds)


def today() -> date:
    """The day in UTC: the one that retention and waivers are compared with, wherever the command runs."""
    return SystemClock().now().date()


def minute(stamp: str) -> str | None:
    """A moment of a run (ISO text in UTC) as documents show it; None when there is none."""
    return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M} UTC" if stamp else None
