"""What an apply did, in the comment that showed its plan: metrics before and after, gates, what was not published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from avatar_gitops.plan.lock import Metrics
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.report.budget import Block, fit
from avatar_gitops.report.comment import Origin, Verdict, opening, signature
from avatar_gitops.report.outcome import gate_text
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import count, number, short_digest
from avatar_gitops.spec.gates import METRICS, Direction

COLUMNS: Final = ("hidden_rate", "local_cloaking", "hellinger_mean")


@dataclass(frozen=True, slots=True)
class Finished:
    """How one change ended, with what was measured for the published run before; `links` maps a label to a URL."""

    outcome: Outcome
    before: Metrics = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Applied:
    """An apply as its comment shows it: the changes, the digest of the plan, who approved."""

    project: str
    plan_digest: str
    finished: tuple[Finished, ...]
    approved_by: tuple[str, ...] = ()


def applied_comment(applied: Applied, origin: Origin) -> str:
    """The comment after the merge; `Origin.head` is the commit that was applied."""
    outcomes = [item.outcome for item in applied.finished]
    verdict = Verdict.APPLIED if all(outcome.ok for outcome in outcomes) else Verdict.PARTIAL
    top = (*opening(applied.project, applied.plan_digest, origin.head, verdict), f"### {_title(outcomes)}")
    failed = [_failure(item) for item in applied.finished if not item.outcome.ok]
    rows = tuple(_row(item) for item in applied.finished if item.outcome.state is State.PUBLISHED)
    head = (f"| Set | {' | '.join(COLUMNS)} | Gates | |", "|---|---|---|---|---|---|")
    others = [_other(item) for item in applied.finished if item.outcome.state in {State.DELETED, State.UPDATED}]
    allowed = tuple(line for outcome in outcomes for line in _allowed(outcome))
    blocks = [Block(top)]
    blocks += [Block(rows=tuple(failed), more="sets that failed")] if failed else []
    blocks += [Block(head, rows, more="sets")] if rows else []
    blocks += [Block(rows=tuple(others), more="sets")] if others else []
    blocks += [Block(rows=allowed, more="lines")] if allowed else []
    approved = f"Approved by {', '.join(map(escape, applied.approved_by))}" if applied.approved_by else ""
    digest = f"plan <code>{short_digest(applied.plan_digest)}</code>" if applied.plan_digest else ""
    return fit([*blocks, Block((signature(origin, " · ".join(part for part in (approved, digest) if part)),))])


def _title(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "✅ Avatar applied: nothing to do"
    well = sum(outcome.ok for outcome in outcomes)
    gates = [gate for outcome in outcomes for gate in outcome.gates]
    if well == len(outcomes):
        passed = " · all gates passed" if gates else ""
        return f"✅ Avatar applied: {well} of {len(outcomes)}{passed}"
    kept = [outcome for outcome in outcomes if not outcome.ok]
    if len(kept) == 1:
        return f"⚠️ Avatar applied: {well} of {len(outcomes)} · `{kept[0].set}` was not published"
    return f"⚠️ Avatar applied: {well} of {len(outcomes)} · {count(len(kept), 'set')} were not published"


def _row(item: Finished) -> str:
    lock = item.outcome.lock
    measured, noise = (lock.metrics, lock.noise) if lock else ({}, {})
    cells = [_change(name, item.before, measured) + _band(name, measured, noise) for name in COLUMNS]
    gates = item.outcome.gates
    passed = f"{sum(gate.passed for gate in gates)} / {len(gates)}" if gates else "no gate"
    said = [escape(item.outcome.message)] if item.outcome.message else []
    return f"| `{item.outcome.set}` | {' | '.join(cells)} | {passed} | {' · '.join([*said, *_links(item)])} |"


def _links(item: Finished) -> list[str]:
    return [f"[{label}]({url})" for label, url in item.links.items()]


def _change(metric: str, before: Metrics, after: Metrics) -> str:
    """`93.1 → **91.4**`, or one value when nothing was measured before or it is the same."""
    old, new = _worst(metric, before), _worst(metric, after)
    if new is None:
        return "–"
    if old is None:
        return f"**{number(new)}**"
    return number(new) if number(old) == number(new) else f"{number(old)} → **{number(new)}**"


def _band(metric: str, measured: Metrics, noise: Metrics) -> str:
    """Half the width of the 95 % interval of the table that is shown; nothing when it is not known."""
    shown = _worst(metric, measured)
    widths = [
        noise[table][metric]
        for table, values in measured.items()
        if values.get(metric) == shown and metric in noise.get(table, {})
    ]
    return f" (noise ± {number(max(widths))})" if widths else ""


def _worst(metric: str, metrics: Metrics) -> float | None:
    """The value of the worst table, as gates take it."""
    values = [table[metric] for table in metrics.values() if metric in table]
    return (min if METRICS[metric].direction is Direction.HIGHER else max)(values) if values else None


def _failure(item: Finished) -> str:
    outcome = item.outcome
    name = f"`{outcome.set}`"
    failed = [gate for gate in outcome.gates if not gate.passed]
    if outcome.state is State.GATE_FAILED and failed:
        shown = ", ".join(escape(gate_text(gate)).replace("\\_", "_") for gate in failed)
        word = "Gate" if len(failed) == 1 else "Gates"
        measured = " · ".join([f"out/{outcome.set}/rejected/summary.md", *_links(item)])
        return (
            f"- {name}: {word} failed: {shown}. The new run stays on the server; what was published is unchanged. "
            f"What it measured: {measured}. To try other values: `avatar-gitops preview --select {outcome.set}`."
        )
    ended = "Interrupted" if outcome.state is State.INTERRUPTED else "Failed"
    message = f": {escape(outcome.message)}" if outcome.message else ""
    return f"- {name}: {ended}{message.rstrip('.')}. What was published is unchanged."


def _other(item: Finished) -> str:
    outcome = item.outcome
    message = f", {escape(outcome.message)}" if outcome.message else ""
    links = "".join(f" · {link}" for link in _links(item)) if outcome.state is State.DELETED else ""
    return f"- `{outcome.set}` {outcome.state.value}{message}{links}"


def _allowed(outcome: Outcome) -> Iterator[str]:
    """Who answers for what was allowed: weaker privacy, and rules that somebody waived."""
    allowed = outcome.lock.applied if outcome.lock else None
    if allowed is None:
        return
    if allowed.weaker:
        by = f"approved by {', '.join(allowed.approved_by)}" if allowed.approved_by else "no approval on record"
        fields = escape(", ".join(allowed.weaker).replace(" -> ", " → "))
        yield f"- ▼ `{outcome.set}` is weaker than the run before ({fields}), {escape(by)}"
    if allowed.waivers:
        yield f"- 🎫 `{outcome.set}` waived: {escape(', '.join(allowed.waivers))}"


def not_applied_comment(project: str, origin: Origin) -> str:
    """The comment of an apply that ended before it could say what it did."""
    top = Block((*opening(project, "", origin.head, Verdict.PARTIAL), "### ⚠️ Avatar apply: ended early"))
    text = "The log has the reason. `avatar-gitops status` shows what is on the server, `avatar-gitops resume` goes on."
    return fit([top, Block((text,)), Block((signature(origin),))])
