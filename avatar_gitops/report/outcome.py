"""What an apply did, as text and as JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from avatar_gitops.plan.lock import GateResult
from avatar_gitops.plan.model import Action, Change, Plan
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.report.values import Style, number

SIGNS: Final = {True: "✔", False: "✘"}
ASCII_SIGNS: Final = {True: "ok", False: "x"}
KINDS: Final = {
    State.PUBLISHED: "ok",
    State.UPDATED: "ok",
    State.DELETED: "delete",
    State.GATE_FAILED: "fail",
    State.FAILED: "fail",
    State.INTERRUPTED: "warn",
}
COLUMN: Final = re.compile(r"[Cc]olumn '([^']+)'")
WORDS: Final = {State.GATE_FAILED: "gate failed"}


def gate_text(gate: GateResult) -> str:
    """`hidden_rate 91.3 (>= 90)`; a metric that was not computed says so."""
    value = "not measured" if gate.value is None else number(gate.value)
    return f"{gate.metric} {value} ({gate.condition})"


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of sets beside their outcomes: `published` had results before, `places` are lines of specs.

    `places` maps a set to the line of its spec that a failure is about, such as `configs/lab.yaml:14 (columns.result)`.
    """

    published: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)


NOTHING_KNOWN: Final = Context()


def context_of(plan: Plan, outcomes: Sequence[Outcome]) -> Context:
    """What the plan tells of the sets that ended badly."""
    changes = {change.set: change for change in plan.changes}
    badly = [(outcome, changes[outcome.set]) for outcome in outcomes if not outcome.ok and outcome.set in changes]
    places = {outcome.set: _place(outcome, change) for outcome, change in badly}
    return Context(
        frozenset(outcome.set for outcome, change in badly if change.lock is not None),
        {name: place for name, place in places.items() if place},
    )


def _place(outcome: Outcome, change: Change) -> str:
    """Where the spec speaks of the column that a message names; empty when it does not."""
    column = COLUMN.search(outcome.message)
    if column is None or change.desired is None:
        return ""
    for path, line in change.desired.lines.items():
        if path[3:] == ("columns", column[1]):
            return f"{change.desired.files.get(path, change.path)}:{line} (columns.{column[1]})"
    return ""


def as_text(
    outcomes: Sequence[Outcome],
    seconds: float,
    context: Context = NOTHING_KNOWN,
    *,
    style: Style,
    ascii_only: bool = False,
) -> str:
    """The verdict, one line per set, and what failed with its reason; the caller adds the next step."""
    signs = ASCII_SIGNS if ascii_only else SIGNS
    width = max(len(outcome.set) for outcome in outcomes)
    lines = [_head(outcomes, seconds)]
    for outcome in outcomes:
        word = WORDS.get(outcome.state, outcome.state.value)
        sign = style(f"{signs[outcome.ok]:<2}", KINDS[outcome.state])
        said = [outcome.message] if outcome.ok and outcome.message else []
        shown = "   ".join([*(gate_text(gate) for gate in outcome.gates if outcome.ok or not gate.passed), *said])
        head = f"  {sign} {outcome.action.symbol:<3} {outcome.set:<{width}}   {word:<11}   {shown}"
        lines.append(head.rstrip())
        if not outcome.ok:
            lines += [f"      {line}" for line in _about(outcome, context)]
    return "\n".join(lines)


def _head(outcomes: Sequence[Outcome], seconds: float) -> str:
    ended = Counter("failed" if outcome.state is State.GATE_FAILED else outcome.state.value for outcome in outcomes)
    badly = "".join(f", {ended[state]} {state}" for state in ("failed", "interrupted") if ended[state])
    return f"Applied: {sum(outcome.ok for outcome in outcomes)} of {len(outcomes)} in {duration(seconds)}{badly}."


def _about(outcome: Outcome, context: Context) -> Iterator[str]:
    """Why a set ended badly, where in the spec, and what becomes of its results."""
    yield outcome.message
    if outcome.set in context.places:
        yield f"see {context.places[outcome.set]}"
    if outcome.lock is None and outcome.state is not State.INTERRUPTED and outcome.action is not Action.DELETE:
        yield "its old results stay published" if outcome.set in context.published else "nothing of it is published"


def duration(seconds: float) -> str:
    """A length of time in units: 5s, 6m 40s, 2h 05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02}m"


def as_json(outcomes: Sequence[Outcome], seconds: float, plan_digest: str) -> str:
    """The same for machines."""
    document: dict[str, Any] = {
        "format": "avatar-gitops/apply",
        "version": "1.0",
        "plan_digest": plan_digest,
        "seconds": round(seconds, 1),
        "outcomes": [
            {
                "set": outcome.set,
                "action": outcome.action.value,
                "state": outcome.state.value,
                "message": outcome.message,
                "gates": [
                    {"metric": g.metric, "condition": g.condition, "value": g.value, "passed": g.passed}
                    for g in outcome.gates
                ],
                "job_seconds": {job: round(value, 1) for job, value in outcome.job_seconds.items()},
            }
            for outcome in outcomes
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
