"""What the policy says about a measured run, as events and as the reason why it is not published."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_gitops.events import RuleFound
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import GateResult, Metrics
from avatar_gitops.policy.model import Finding, Level


def no_policy(desired: DesiredSet, metrics: Metrics, gates: Sequence[GateResult]) -> Sequence[Finding]:
    """A judge that has no objection; implements `ports.Judge`."""
    return ()


def event(name: str, finding: Finding) -> RuleFound:
    """A finding as an event."""
    return RuleFound(name, finding.rule, "waived" if finding.waiver else finding.severity.value, words(finding))


def refusal(findings: Sequence[Finding]) -> str:
    """Why a run is not published; empty when it may be."""
    failed = [finding for finding in findings if finding.severity is Level.FAIL and finding.waiver is None]
    if not failed:
        return ""
    number = "1 rule" if len(failed) == 1 else f"{len(failed)} rules"
    return f"not published, {number} failed: {'; '.join(f'{found.rule} {words(found)}' for found in failed)}"


def words(finding: Finding) -> str:
    """A finding without its rule and set."""
    extra = "; ".join(part for part in (finding.detail, finding.note) if part)
    return finding.message + (f" ({extra})" if extra else "")
