"""Who answers for a run, as facts: gates, approvals with their waivers, and signatures under the assessment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ROLES: Final = ("owner", "controller", "dpo")
"""Who signs an assessment in a project that does not say which roles have to."""


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
    note: str = ""


def required_roles(signers: tuple[str, ...]) -> tuple[str, ...]:
    """The roles that have to sign: those that the project names, else all that the document lists."""
    return signers or ROLES


def decision_of(role: str, signatures: tuple[SignatureFacts, ...]) -> SignatureFacts | None:
    """The last decision in a role that holds for what is stated now."""
    return next((item for item in reversed(signatures) if item.valid and item.role == role), None)
