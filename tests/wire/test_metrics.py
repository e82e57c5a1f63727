"""Targets of metrics on their way between natural units and the scores of the platform."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.wire.metrics import (
    HELLINGER_SCORES,
    HELLINGER_SPREADS,
    PERCENT_SCORES,
    SCORES,
    from_score,
    target_from_score,
    target_to_score,
    to_score,
)


@pytest.mark.parametrize(
    ("name", "natural", "score"),
    [
        ("hellinger_mean", "< 0.1", "> 90"),
        ("multivariate_hellinger_mean", "<= 0.25", ">= 75"),
        ("hellinger_std", "< 0.05", "< 5"),
        ("correlation_difference_ratio", "< 10", "> 90"),
        ("correlation_difference_ratio", ">= 30", "<= 70"),
        ("hellinger_mean", "0.1", "90"),
        ("hellinger_mean", "< 0", "> 100"),
        ("hidden_rate", ">= 90", ">= 90"),
        ("distance_to_closest", ">= 0.1235", ">= 0.1235"),
    ],
)
def test_targets_turn_with_the_scale(name: str, natural: str, score: str) -> None:
    assert target_to_score(name, natural) == score
    assert target_from_score(name, score) == natural


@pytest.mark.parametrize("written", [">90", "> 90", " >  90 ", "> 90.0", ">9e1"])
def test_the_way_a_target_is_written_does_not_matter(written: str) -> None:
    assert target_from_score("hellinger_mean", written) == "< 0.1"


@pytest.mark.parametrize("text", ["", "high", "> high", "90 or more", "= 90"])
def test_text_that_is_no_target_stays(text: str) -> None:
    assert target_from_score("hellinger_mean", text) == text
    assert target_to_score("hellinger_mean", text) == text


@given(st.sampled_from(sorted(SCORES)), st.sampled_from(["<", "<=", ">", ">=", ""]), st.integers(0, 10_000))
def test_a_target_survives_both_ways(name: str, operator: str, hundredths: int) -> None:
    target = f"{operator} {hundredths / 10_000:g}".lstrip()
    assert target_from_score(name, target_to_score(name, target)) == target


@given(st.sampled_from(sorted(SCORES)), st.floats(0, 1), st.floats(0, 1))
def test_a_value_meets_its_target_on_both_scales_alike(name: str, value: float, bound: float) -> None:
    """Scores never swap neighbours: what is no larger stays on its side."""
    low, high = sorted((value, bound))
    turned = name in HELLINGER_SCORES | PERCENT_SCORES
    first, second = (high, low) if turned else (low, high)
    assert to_score(name, first) <= to_score(name, second)
    assert (name in HELLINGER_SPREADS) is (not turned)
    assert from_score(name, to_score(name, value)) == pytest.approx(value, abs=1e-12)
