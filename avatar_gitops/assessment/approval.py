"""Who answers for a run, as facts: gates, approvals with their waivers, and signatures under the assessment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class GateFacts:
    """One gate of the spec. `value` is the worst over all tables and blocks of the run; None = not measured, failed."""

    metric: str
    condition: str
    value: float | None
    passed: bool
    source: str | None = None


@dataclass(slots=True, frozen=True)
class ApprovalFacts:
    """The plan that was applied, who approved it, findings that somebody answers for, and what made privacy weaker."""

    plan_digest: str | None = None
    approved_by: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class SignatureFacts:
    """A signature under the statements of an assessment; not `valid` when the statements have changed since."""

    person: str
    role: str
    date: str
    decision: str
    valid: bool
