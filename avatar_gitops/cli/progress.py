"""Listeners that show a running apply: one redrawn block on a terminal, lines or folded groups of lines elsewhere."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Protocol, Self

from avatar_gitops.cli.board import IDLE, Board
from avatar_gitops.events import (
    ChangePlanned,
    DiagnosticFound,
    Event,
    GateChecked,
    JobDone,
    JobLaunched,
    JobProgressed,
    RequestDone,
    Retrying,
    RuleFound,
    SetDone,
)
from avatar_gitops.report.values import number

RUNNING_EVERY_SECONDS: Final = 60.0


class Progress(Protocol):
    """A listener that owns the lower part of the screen while it is open."""

    def __call__(self, event: Event) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def describe(event: Event, width: int = 0) -> str | None:
    """One event as one plain line without time, names padded to `width`; None for events that a log does not need."""
    text: str | None
    match event:
        case JobLaunched(name, job, job_id):
            text = f"{name:<{width}}  {job:<16} started   job {job_id[:8]}"
        case JobProgressed(name, job, _, progress) if progress is not None:
            text = f"{name:<{width}}  {job:<16} running   {100 * progress:.0f} %"
        case JobDone(name, job, seconds, ""):
            text = f"{name:<{width}}  {job:<16} done      {seconds:.1f}s"
        case JobDone(name, job, seconds, error):
            text = f"{name:<{width}}  {job:<16} failed    {seconds:.1f}s  {error}"
        case GateChecked(name, metric, condition, value, passed):
            verdict = "passed" if passed else "failed"
            text = f"{name:<{width}}  {'gate':<16} {verdict:<9} {metric} {_value(value)} ({condition})"
        case RuleFound(name, rule, severity, message):
            text = f"{name:<{width}}  {'rule':<16} {severity:<9} {rule} {message}"
        case SetDone(name, action, state, message):
            text = f"{name:<{width}}  {state.replace('_', ' '):<16}           {message or action}"
        case Retrying(what, attempt, pause):
            text = f"{what}: no answer, try {attempt} in {pause:.0f}s"
        case RequestDone(method, path, status, seconds, name):
            text = f"{method} {path}  {status or 'no answer'}  {seconds:.2f}s  {name}"
        case DiagnosticFound(severity="warning", code="", message=message):  # those with a code are in the plan
            text = f"warning: {message}"
        case DiagnosticFound(severity="note", code="", message=message):
            text = f"note: {message}"
        case _:
            text = None
    return text


def _value(value: float | None) -> str:
    return "not measured" if value is None else number(value)


class Lines:
    """Plain lines with UTC times, for logs: what runs is said once a minute, requests only when `verbose`."""

    def __init__(self, write: Callable[[str], None], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose
        self._said: dict[str, float] = {}
        self._width = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, ChangePlanned) and event.action not in IDLE:
            self._width = max(self._width, len(event.set))
        text = describe(event, self._width)
        if text is not None and self._wanted(event):
            line = text.replace("\r", " ").replace("\n", " ")
            self._line(getattr(event, "set", ""), f"{datetime.now(UTC):%H:%M:%S}  {line}")

    def _wanted(self, event: Event) -> bool:
        match event:
            case RequestDone() | DiagnosticFound(severity="note"):
                return self._verbose
            case JobLaunched(name, _, _):
                self._said.setdefault(name, time.monotonic())
            case JobProgressed(name, _, _, _):
                if time.monotonic() - self._said.get(name, 0.0) < RUNNING_EVERY_SECONDS:
                    return False
                self._said[name] = time.monotonic()
        return True

    def _line(self, name: str, text: str) -> None:
        self._write(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Groups(Lines):
    """The same, folded into one group for each set as GitHub's log shows it.

    Groups cannot overlap, so one set is written as it runs, and the lines of the others wait until it has ended.
    """

    def __init__(self, write: Callable[[str], None], *, verbose: bool = False) -> None:
        super().__init__(write, verbose=verbose)
        self._waiting: dict[str, list[str]] = {}
        self._ended: set[str] = set()
        self._open = ""

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, SetDone):
            self._ended.add(event.set)
            if event.set == self._open:
                self._next()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.update(self._waiting, [self._open])
        while self._open:
            self._next()

    def _line(self, name: str, text: str) -> None:
        if not self._open and name:
            self._open = name
            self._write(f"::group::{name}")
        if name and name != self._open:
            self._waiting.setdefault(name, []).append(text)
        else:
            self._write(text)

    def _next(self) -> None:
        """Close the open group and write those that ended meanwhile; go on with one that still runs."""
        self._write("::endgroup::")
        self._open = ""
        for name in sorted(self._waiting, key=lambda waiting: waiting not in self._ended):
            self._open = name
            self._write(f"::group::{name}")
            for text in self._waiting.pop(name):
                self._write(text)
            if name not in self._ended:
                return
            self._write("::endgroup::")
            self._open = ""


class Silent(Lines):
    """Nothing at all."""

    def __call__(self, event: Event) -> None:
        return None


class Block:
    """A redrawn block with one row per set; warnings stay as lines above it."""

    def __init__(self, *, ascii_only: bool = False) -> None:
        from rich.console import Console
        from rich.live import Live

        self._board = Board(time.monotonic())
        self._ascii_only = ascii_only
        self._lock = threading.Lock()
        self._console = Console(stderr=True, highlight=False)
        self._live = Live(console=self._console, refresh_per_second=8, transient=True, get_renderable=self._render)

    def __call__(self, event: Event) -> None:
        if isinstance(event, DiagnosticFound) and event.severity == "note":
            return
        if isinstance(event, DiagnosticFound | Retrying) and (text := describe(event)):
            self._console.print(text, markup=False)
            return
        with self._lock:
            self._board.hear(event, time.monotonic())

    def _render(self) -> str:
        from rich.markup import escape

        with self._lock:
            lines = self._board.lines(time.monotonic(), ascii_only=self._ascii_only)
        room = self._console.width - 1
        return escape("\n".join(line if len(line) <= room else line[: room - 1] + "…" for line in lines))

    def __enter__(self) -> Self:
        self._board.since = time.monotonic()  # nobody waits for the answer to a question
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)


def progress_for(
    kind: str, write: Callable[[str], None], *, verbose: bool = False, ascii_only: bool = False
) -> Progress:
    """The listener of a kind; `auto` is a block on a terminal, groups in a log of GitHub, else lines."""
    if kind == "none":
        return Silent(write)
    if kind == "groups" or (kind == "auto" and os.environ.get("GITHUB_ACTIONS") == "true"):
        return Groups(write, verbose=verbose)
    if kind == "auto" and sys.stderr.isatty() and not verbose:
        return Block(ascii_only=ascii_only)
    return Lines(write, verbose=verbose)
