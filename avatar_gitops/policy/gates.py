"""Gates: was the result good enough? The worst table counts, and what was not measured does not pass."""

from __future__ import annotations

import math
from collections.abc import Mapping

from avatar_gitops.plan.lock import GateResult, Metrics
from avatar_gitops.spec.gates import Direction, number, parse_gate


def evaluate(gates: Mapping[str, str], metrics: Metrics) -> tuple[GateResult, ...]:
    """Each gate against the measured values (natural units), in the order of the metrics' names."""
    return tuple(_evaluate(metric, gates[metric], metrics) for metric in sorted(gates))


def shown(value: float | None) -> str:
    """A measured value in a finding, with as many digits as help."""
    return "not measured" if value is None else number(round(value, 1 if abs(value) >= 10 else 3))


def _evaluate(metric: str, condition: str, metrics: Metrics) -> GateResult:
    gate = parse_gate(metric, condition)
    values = [table[metric] for table in metrics.values() if metric in table]
    if not values or any(math.isnan(value) for value in values):
        return GateResult(metric, condition, None, False)
    worst = min(values) if gate.direction is Direction.HIGHER else max(values)
    return GateResult(metric, condition, worst, gate.passes(worst))
