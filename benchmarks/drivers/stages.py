"""A stop-watch for the stages of a program; the programs print what it read as their last line."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import Any


class Stages:
    """Seconds since the last mark, by stage; a stage may be marked several times."""

    def __init__(self, started: float) -> None:
        self._last = started
        self.seconds: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """The time since the last mark belongs to this stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def watch(self, module: Any, function: str, stage: str, before: str) -> None:
        """Mark a stage at the end of each call of a function of a module, and `before` for what came before it."""
        inner: Callable[..., Any] = getattr(module, function)

        @functools.wraps(inner)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self.mark(before)
            result = inner(*args, **kwargs)
            self.mark(stage)
            return result

        setattr(module, function, watched)

    def print(self, **more: Any) -> None:
        """One line of JSON."""
        print(json.dumps({"stages": {name: round(value, 4) for name, value in self.seconds.items()}, **more}))
