"""Listeners that show a running apply: one redrawn block on a terminal, one line per event elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self

from avatar_gitops.events import (
    Event,
    GateChecked,
    JobDone,
    JobLaunched,
    JobProgressed,
    Retrying,
    RuleFound,
    SetCreated,
    SetDone,
    StepStarted,
)
from avatar_gitops.report.values import number


class Progress(Protocol):
    """A listener that owns the lower part of the screen while it is open."""

    def __call__(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def describe(event: Event) -> str | None:
    """One event as one plain line without time; None for events that a log does not need."""
    match event:
        case JobLaunched(name, job, job_id):
            return f"{name}  {job:<16} started   job {job_id[:8]}"
        case JobDone(name, job, seconds, ""):
            return f"{name}  {job:<16} done      {seconds:.1f}s"
        case JobDone(name, job, seconds, error):
            return f"{name}  {job:<16} failed    {seconds:.1f}s  {error}"
        case GateChecked(name, metric, condition, value, passed):
            verdict = "passed" if passed else "failed"
            return f"{name}  {'gate':<16} {verdict:<9} {metric} {_value(value)} ({condition})"
        case RuleFound(name, rule, severity, message):
            return f"{name}  {'rule':<16} {severity:<9} {rule} {message}"
        case SetDone(name, action, state, message):
            return f"{name}  {state}" + (f": {message}" if message else "") + (f"  ({action})" if not message else "")
        case Retrying(what, attempt, pause):
            return f"{what}: no answer, try {attempt} in {pause:.0f}s"
        case JobProgressed() | SetCreated() | StepStarted():
            return None


def _value(value: float | None) -> str:
    return "not measured" if value is None else number(value)


class Lines:
    """Plain lines with UTC times, for logs and CI."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        text = describe(event)
        if text is not None:
            with self._lock:
                self._write(f"{datetime.now(UTC):%H:%M:%S}  {text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Silent(Lines):
    """Nothing at all."""

    def __call__(self, event: Event) -> None:
        return None


class Block:
    """A redrawn block with one row per set, and finished sets as lines above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._rows: dict[str, str] = {}
        self._started = datetime.now(UTC)
        self._lock = threading.Lock()
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True, get_renderable=self._render)

    def __call__(self, event: Event) -> None:
        with self._lock:
            match event:
                case SetDone(name, _, _, _):
                    self._rows.pop(name, None)
                case JobProgressed(name, job, _, progress):
                    share = "" if progress is None else f"  {100 * progress:.0f} %"
                    self._rows[name] = f"{job}{share}"
                case JobLaunched(name, job, _):
                    self._rows.setdefault(name, f"{job} queued")
                case StepStarted(name, step):
                    self._rows.setdefault(name, step)
                case _:
                    pass

    def _render(self) -> str:
        from rich.markup import escape

        with self._lock:
            seconds = (datetime.now(UTC) - self._started).total_seconds()
            width = max((len(name) for name in self._rows), default=0)
            rows = [f"  ◐ {name:<{width}}   {row}" for name, row in sorted(self._rows.items())]
        return escape("\n".join([*rows, f"  {seconds:.0f}s"]))

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


def progress_for(*, quiet: bool, wanted: bool, write: Callable[[str], None]) -> Progress:
    """The listener that fits the place: silent, a redrawn block on a terminal, else lines."""
    if quiet:
        return Silent(write)
    if wanted and sys.stderr.isatty():
        return Block()
    return Lines(write)
