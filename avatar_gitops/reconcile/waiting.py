"""How long to wait between two looks at a job, and when to stop waiting."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.ports import Clock

HELD: Final = 1.0
SLICE: Final = 0.5


class Stopped(Exception):
    """Somebody pressed Ctrl-C; what runs at the server goes on there."""


class TimedOut(AvatarGitOpsError):
    """The jobs took longer than the user wants to wait; they go on at the server."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"stopped waiting after {seconds:.0f} s, as --timeout says",
            hint="the jobs go on at the server, and resume collects them",
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses of a share of the time a job has run so far, within limits; `timeout` = seconds to wait for one change.

    `jitter` gives numbers in [0, 1); a pause is between 80 % of its nominal length and all of it.
    """

    timeout: float | None = None
    share: float = 0.15
    least: float = 0.25
    most: float = 20.0
    jitter: Callable[[], float] = random.random

    def pause(self, age: float, held: float = 0.0) -> float:
        """Seconds until the next look at a job of this age; short when the server itself held the last answer."""
        nominal = self.least if held >= HELD else min(self.most, max(self.least, self.share * age))
        return nominal * (0.8 + 0.2 * self.jitter())


def sleep(seconds: float, clock: Clock, stop: threading.Event) -> None:
    """Pause in slices, so that Ctrl-C is heard soon. Raises Stopped."""
    left = seconds
    while left > 0:
        if stop.is_set():
            raise Stopped
        clock.sleep(min(SLICE, left))
        left -= SLICE
    if stop.is_set():
        raise Stopped
