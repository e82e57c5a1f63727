"""Gates: the worst table counts, nothing unmeasured passes, and better values never fail what worse ones passed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.lock import GateResult
from avatar_gitops.policy.gates import evaluate

VALUES = st.floats(-1000, 1000).map(lambda value: round(value, 3))
TABLES = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, min_size=1)
OPERATORS = st.sampled_from([">=", ">", "<=", "<"])
BOUNDS = st.integers(-1000, 1000)


def verdict(condition: str, values: dict[str, float]) -> GateResult:
    (result,) = evaluate({"m": condition}, {table: {"m": value} for table, value in values.items()})
    return result


@pytest.mark.parametrize(
    ("condition", "value", "passed"),
    [
        (">= 90", 90.0, True),
        ("> 90", 90.0, False),
        ("<= 0.1", 0.1, True),
        ("< 0.1", 0.1, False),
        (">=90", 89.999, False),
        ("<0", -0.5, True),
    ],
)
def test_a_gate_reads_as_it_is_written(condition: str, value: float, passed: bool) -> None:
    assert verdict(condition, {"t": value}) == GateResult("m", condition, value, passed)


def test_the_worst_table_counts_in_the_direction_of_the_gate() -> None:
    values = {"a": 95.0, "b": 85.0, "c": 99.0}
    assert verdict(">= 90", values) == GateResult("m", ">= 90", 85.0, False)
    assert verdict("<= 98", values) == GateResult("m", "<= 98", 99.0, False)


def test_a_table_without_the_metric_does_not_count_when_another_has_it() -> None:
    metrics = {"a": {"m": 91.0}, "b": {"other": 1.0}}
    assert evaluate({"m": ">= 90"}, metrics) == (GateResult("m", ">= 90", 91.0, True),)


@pytest.mark.parametrize("metrics", [{}, {"a": {}}, {"a": {"other": 99.0}}, {"a": {"m": math.nan}}])
def test_what_was_not_measured_fails(metrics: dict[str, dict[str, float]]) -> None:
    assert evaluate({"m": ">= 90"}, metrics) == (GateResult("m", ">= 90", None, False),)
    assert evaluate({"m": "<= 90"}, metrics) == (GateResult("m", "<= 90", None, False),)


def test_results_are_in_the_order_of_the_names() -> None:
    results = evaluate({"z": "> 0", "a": "> 0"}, {"t": {"a": 1.0, "z": 1.0}})
    assert [result.metric for result in results] == ["a", "z"]
    assert evaluate({}, {"t": {"a": 1.0}}) == ()


@given(OPERATORS, BOUNDS, TABLES)
def test_a_gate_passes_exactly_when_every_table_alone_passes(
    operator: str, bound: int, values: dict[str, float]
) -> None:
    condition = f"{operator} {bound}"
    alone = [verdict(condition, {table: value}).passed for table, value in values.items()]
    assert verdict(condition, values).passed is all(alone)


@given(OPERATORS, BOUNDS, TABLES, st.floats(0, 100))
def test_better_values_keep_a_gate_passed(operator: str, bound: int, values: dict[str, float], gain: float) -> None:
    condition = f"{operator} {bound}"
    sign = 1 if operator.startswith(">") else -1
    better = {table: value + sign * gain for table, value in values.items()}
    assert verdict(condition, better).passed >= verdict(condition, values).passed


@given(OPERATORS, BOUNDS, TABLES, st.integers(1, 50))
def test_an_easier_bound_keeps_a_gate_passed(operator: str, bound: int, values: dict[str, float], slack: int) -> None:
    easier = bound - slack if operator.startswith(">") else bound + slack
    assert verdict(f"{operator} {easier}", values).passed >= verdict(f"{operator} {bound}", values).passed
