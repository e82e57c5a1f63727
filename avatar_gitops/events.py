"""Typed events of a command and the stream that takes them to everybody who listens. No formatting here.

Terminal, plain log, JSON lines, webhooks and the journal are listeners. `report.event_lines` gives events their public
names and fields; a new event needs a place there.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DiagnosticFound:
    """Something to know or to repair; `severity` is error, warning or note. Place and `set` are empty when unknown."""

    severity: str
    code: str
    message: str
    set: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class ServerObserved:
    """The server was asked what it has: versions of ours, and sets of others, which stay as they are."""

    project: str
    server: str
    versions: int
    foreign: int


@dataclass(frozen=True, slots=True)
class ChangePlanned:
    """What a plan says about one set; values are those of `plan.model`. `digest` names the change."""

    set: str
    action: str
    reason: str
    privacy: str
    jobs: tuple[str, ...]
    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class PlanMade:
    """A plan is complete; `actions` counts its changes."""

    project: str
    server: str
    digest: str
    commit: str
    actions: Mapping[str, int]
    weaker: int
    policy: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriftFound:
    """The server, or what is on disk, differs from what was applied; `kind` is a value of `plan.drift.Kind`."""

    set: str
    kind: str
    detail: str
    path: str


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A set begins a step; `step` is the step's class name."""

    set: str
    step: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is over; when it did not go well, the end of the set tells why."""

    set: str
    step: str
    seconds: float
    ok: bool = True


@dataclass(frozen=True, slots=True)
class SetCreated:
    """A new version of the set exists on the server."""

    set: str
    set_id: str


@dataclass(frozen=True, slots=True)
class JobLaunched:
    """The server accepted a job."""

    set: str
    job: str
    job_id: str


@dataclass(frozen=True, slots=True)
class JobProgressed:
    """A waiting job has a new status or progress (0 to 1)."""

    set: str
    job: str
    status: str
    progress: float | None


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job ended; `error` is empty when it went well."""

    set: str
    job: str
    seconds: float
    error: str = ""


@dataclass(frozen=True, slots=True)
class GateChecked:
    """One gate was evaluated."""

    set: str
    metric: str
    condition: str
    value: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class RuleFound:
    """A rule of the policy objects to a run; `severity` is fail, warn or info, or waived."""

    set: str
    rule: str
    severity: str
    message: str


@dataclass(frozen=True, slots=True)
class SetDone:
    """A change ended; `state` is a value of `plan.outcome.State`."""

    set: str
    action: str
    state: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Retrying:
    """A request failed and is tried again after a pause."""

    what: str
    attempt: int
    pause: float


@dataclass(frozen=True, slots=True)
class RequestDone:
    """A request was answered; `status` is 0 when no answer came. `id` is what the server was given as its name."""

    method: str
    path: str
    status: int
    seconds: float
    id: str


@dataclass(frozen=True, slots=True)
class ApplyEnded:
    """An apply is over; `states` counts how its sets ended."""

    project: str
    server: str
    digest: str
    states: Mapping[str, int]
    seconds: float
    exit_code: int


Event = (
    DiagnosticFound
    | ServerObserved
    | ChangePlanned
    | PlanMade
    | DriftFound
    | StepStarted
    | StepEnded
    | SetCreated
    | JobLaunched
    | JobProgressed
    | JobDone
    | GateChecked
    | RuleFound
    | SetDone
    | Retrying
    | RequestDone
    | ApplyEnded
)


class Listener(Protocol):
    """Receives events, one at a time when it hears them from a stream."""

    def __call__(self, event: Event, /) -> None: ...


def new_run() -> str:
    """An id for one command run: it is in every request, event, journal and audit entry of that run."""
    return secrets.token_hex(8)


class Stream:
    """Takes each event of one command run to all listeners, in order; safe to call from any thread.

    A listener that raises hears nothing any more, and the others go on: telling never stops what is told.
    """

    def __init__(self, run: str, *listeners: Listener) -> None:
        self.run: Final = run
        self._listeners = list(listeners)
        self._guard = threading.Lock()

    @staticmethod
    def of(listener: Listener | None) -> Stream:
        """The listener itself when it is a stream, else a stream of a new run that it listens to."""
        if isinstance(listener, Stream):
            return listener
        return Stream(new_run(), *([listener] if listener is not None else []))

    def also(self, listener: Listener) -> Stream:
        """A stream of the same run with one more listener."""
        return Stream(self.run, self, listener)

    def __call__(self, event: Event) -> None:
        with self._guard:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception as error:
                    self._listeners.remove(listener)
                    LOG.warning("%s hears nothing any more: %s", type(listener).__name__, type(error).__name__)
