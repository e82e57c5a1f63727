"""What a round of `watch` found, in one line and a short list; equal texts mean that nothing has changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.drift import Drift
from avatar_gitops.plan.model import Plan, Privacy
from avatar_gitops.plan.outcome import Outcome
from avatar_gitops.report.values import count, safe

MOST: Final = 20


def waits(plan: Plan, drift: Drift, held: Sequence[str] = ()) -> list[str]:
    """What a plan that is not applied, and drift, say; `held` are sets that ended badly and did not change since."""
    changes = plan.effective
    parts = [f"{count(len(changes), 'change')} to apply"] if changes else []
    weaker = sum(change.privacy is Privacy.WEAKER for change in changes)
    parts += [f"{count(weaker, 'set')} with weaker privacy"] if weaker else []
    parts += [f"{len(held)} held back after a bad end"] if held else []
    lines = [f"{change.action.value} {change.set}: {change.reason.value.replace('_', ' ')}" for change in changes]
    return [_verdict(parts, plan, drift), *_cut([*lines, *_drifted(drift)])]


def ended(plan: Plan, outcomes: Sequence[Outcome], drift: Drift) -> list[str]:
    """What an apply did, and what differs after it."""
    counted = Counter(outcome.state.value.replace("_", " ") for outcome in outcomes)
    parts = [f"applied: {', '.join(f'{amount} {state}' for state, amount in counted.most_common())}"]
    lines = [
        f"{outcome.state.value.replace('_', ' ')} {outcome.set}"
        + (f": {safe(outcome.message)}" * bool(outcome.message))
        for outcome in outcomes
    ]
    return [_verdict(parts, plan, drift), *_cut([*lines, *_drifted(drift)])]


def refused(error: AvatarGitOpsError) -> list[str]:
    """What stops a round, and how to go on."""
    code = f"{error.code}: " if error.code else ""
    first, *rest = error.message.splitlines()
    return [f"stopped, {code}{safe(first)}", *map(safe, rest), *([f"fix: {safe(error.hint)}"] if error.hint else [])]


def _verdict(parts: list[str], plan: Plan, drift: Drift) -> str:
    parts += [f"{count(len(drift.sets), 'set')} drifted"] if drift.sets else []
    server = safe(plan.server)
    return f"{server}: {', '.join(parts)}" if parts else f"{server}: in sync, {count(len(plan.changes), 'set')}"


def _drifted(drift: Drift) -> Iterator[str]:
    yield from (f"drift {finding.set}: {finding.kind.value}, {safe(finding.detail)}" for finding in drift.findings)


def _cut(lines: Sequence[str]) -> Sequence[str]:
    return lines if len(lines) <= MOST else [*lines[:MOST], f"and {len(lines) - MOST} more"]
