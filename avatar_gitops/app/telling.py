"""What commands tell their listeners about plans, drift and endings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.events import (
    ApplyEnded,
    ChangePlanned,
    DiagnosticFound,
    DriftFound,
    Event,
    Listener,
    PlanMade,
    ServerObserved,
)
from avatar_gitops.plan.drift import Drift
from avatar_gitops.plan.model import Change, Plan, Privacy
from avatar_gitops.plan.outcome import Outcome
from avatar_gitops.policy.model import Level
from avatar_gitops.reconcile.executor import exit_code

SEVERITIES: Final = {Level.FAIL: "error", Level.WARN: "warning"}

if TYPE_CHECKING:
    from avatar_gitops.app.plan import Planned


def tell_plan(listener: Listener, planned: Planned) -> None:
    """What the server has, what happens to each set, what the policy says, and the plan as a whole."""
    for event in _plan_events(planned):
        listener(event)


def tell_drift(listener: Listener, drift: Drift) -> None:
    """Each difference from what was applied."""
    for found in drift.findings:
        listener(DriftFound(found.set, found.kind.value, found.detail, found.path))


def tell_end(listener: Listener, plan: Plan, outcomes: Iterable[Outcome], seconds: float) -> None:
    """How an apply ended as a whole."""
    ended = tuple(outcomes)
    states = dict(Counter(outcome.state.value for outcome in ended))
    listener(ApplyEnded(plan.project, plan.server, plan.digest, states, seconds, exit_code(ended)))


def tell_error(listener: Listener, error: AvatarGitOpsError) -> None:
    """Why a command ends early: every finding in the specs, or the refusal itself."""
    if isinstance(error, SpecError):
        for found in error.diagnostics:
            place = found.span
            listener(
                DiagnosticFound(
                    found.severity.value, found.code, found.message, "", place.file, place.line, place.column
                )
            )
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    listener(DiagnosticFound("error", error.code or "", text))


def _plan_events(planned: Planned) -> Iterator[Event]:
    plan, observed = planned.plan, planned.observed
    yield ServerObserved(plan.project, plan.server, len(observed.sets) - plan.foreign, plan.foreign)
    for finding in planned.policy.findings:
        severity = "note" if finding.waiver else SEVERITIES.get(finding.severity, "note")
        extra = f" ({finding.detail})" if finding.detail else ""
        text = finding.message + extra
        yield DiagnosticFound(severity, finding.rule, text, finding.set, finding.path, finding.line)
    yield from map(_change, plan.changes)
    yield _summary(plan, dict(planned.policy.counts))


def _change(change: Change) -> ChangePlanned:
    return ChangePlanned(
        set=change.set,
        action=change.action.value,
        reason=change.reason.value,
        privacy=change.privacy.value,
        jobs=tuple(job.value for job in change.jobs),
        path=change.path,
        digest=change.digest,
    )


def _summary(plan: Plan, policy: dict[str, int]) -> PlanMade:
    return PlanMade(
        project=plan.project,
        server=plan.server,
        digest=plan.digest,
        commit=plan.commit,
        actions=dict(Counter(change.action.value for change in plan.changes)),
        weaker=sum(change.privacy is Privacy.WEAKER for change in plan.effective),
        policy=policy,
    )
