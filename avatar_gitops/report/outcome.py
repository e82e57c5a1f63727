"""What an apply did, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from avatar_gitops.plan.lock import GateResult
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.report.status import duration
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
WORDS: Final = {State.GATE_FAILED: "gate failed"}


def gate_text(gate: GateResult) -> str:
    """`hidden_rate 91.3 (>= 90)`; a metric that was not computed says so."""
    value = "not measured" if gate.value is None else number(gate.value)
    return f"{gate.metric} {value} ({gate.condition})"


def as_text(outcomes: Sequence[Outcome], seconds: float, *, style: Style, ascii_only: bool = False) -> str:
    """The verdict, one line per set, and what failed with its reason; the caller adds the next step."""
    signs = ASCII_SIGNS if ascii_only else SIGNS
    width = max(len(outcome.set) for outcome in outcomes)
    well = sum(outcome.ok for outcome in outcomes)
    lines = [f"Applied: {well} of {len(outcomes)} in {duration(seconds)}."]
    for outcome in outcomes:
        word = WORDS.get(outcome.state, outcome.state.value)
        sign = style(f"{signs[outcome.ok]:<2}", KINDS[outcome.state])
        said = [outcome.message] if outcome.ok and outcome.message else []
        shown = "   ".join([*(gate_text(gate) for gate in outcome.gates if outcome.ok or not gate.passed), *said])
        head = f"  {sign} {outcome.action.symbol:<3} {outcome.set:<{width}}   {word:<11}   {shown}"
        lines.append(head.rstrip())
        if not outcome.ok:
            lines.append(f"      {outcome.message}")
            if outcome.lock is None and outcome.state is not State.INTERRUPTED:
                lines.append("      the results published before, if any, stay as they are")
    return "\n".join(lines)


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
