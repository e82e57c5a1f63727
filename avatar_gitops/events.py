"""Typed events of an apply and the protocol of whoever listens: terminal, plain log, journal. No formatting here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A set begins a step; `step` is the step's class name."""

    set: str
    step: str


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


Event = StepStarted | SetCreated | JobLaunched | JobProgressed | JobDone | GateChecked | RuleFound | SetDone | Retrying


class Listener(Protocol):
    """Receives events; called from several threads, must not raise."""

    def __call__(self, event: Event) -> None: ...
