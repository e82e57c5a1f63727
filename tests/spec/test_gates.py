"""Gates: their grammar, what passes, and the scores of the platform in natural units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.spec.gates import METRICS, Direction, as_natural, number, parse_gate
from avatar_gitops.wire.metrics import SCORES, from_score


@pytest.mark.parametrize(
    ("text", "value", "passes"),
    [
        (">= 90", 90.0, True),
        (">= 90", 89.999, False),
        ("> 90", 90.0, False),
        ("<= 0.1", 0.1, True),
        ("<=0.1", 0.11, False),
        ("< 0.1", 0.1, False),
        (">= -1", 0.0, True),
    ],
)
def test_a_gate_compares_as_written(text: str, value: float, passes: bool) -> None:
    assert parse_gate("hidden_rate", text).passes(value) is passes


@pytest.mark.parametrize("text", ["", "90", "=> 90", ">= ninety", ">= 90 ", ">= 1e3", ">=  90", ">= 90\n", "== 90"])
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a gate is one of"):
        parse_gate("hidden_rate", text)


def test_metrics_with_scores_are_those_of_the_wire_and_lower_is_better() -> None:
    scored = {name for name, metric in METRICS.items() if metric.score}
    assert scored == SCORES
    assert all(METRICS[name].direction is Direction.LOWER for name in scored)


@given(score=st.floats(0, 100))
def test_scores_become_natural_units_as_on_the_wire(score: float) -> None:
    for name in SCORES:
        assert as_natural(METRICS[name], score) == pytest.approx(from_score(name, score))


@pytest.mark.parametrize(
    ("value", "text"), [(90.0, "90"), (0.3, "0.3"), (1 - 0.7, "0.3"), (100.0, "100"), (0.05, "0.05")]
)
def test_bounds_are_written_without_needless_zeros(value: float, text: str) -> None:
    assert number(value) == text
