"""Base and head over the same seeds: the interval holds what it promises, and directions follow the catalogue."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.compare import Verdict
from avatar_gitops.plan.prediction import GateVerdict, PredictedGate, band, means, predict, seeds

SEEDS = (1, 2, 3, 4, 5)


def runs(metric: str, *values: float) -> dict[int, dict[str, dict[str, float]]]:
    return {seed: {"people": {metric: value}} for seed, value in zip(SEEDS, values, strict=False)}


def test_the_interval_is_the_one_of_student() -> None:
    # Student 1908, example 1: ten paired differences of hours of sleep; mean 1.58, s 1.23 (n - 1), t(0.975, 9) = 2.262.
    hours = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    assert statistics.fmean(hours) == pytest.approx(1.58)
    assert band(hours) == pytest.approx(2.262157 * 1.229995 / math.sqrt(10), abs=1e-5)


@pytest.mark.parametrize("shared", [0.0, 3.0])
@pytest.mark.parametrize("number", [2, 5, 8])
def test_the_interval_holds_the_true_difference_in_95_of_100_previews(number: int, shared: float) -> None:
    """A simulation: with or without a part that both runs draw alike, and with unequal variances."""
    draw = random.Random(number)
    trials, truth, held = 4000, 0.7, 0
    for _ in range(trials):
        common = [shared * draw.gauss(0, 1) for _ in range(number)]
        differences = [(truth + same + 2 * draw.gauss(0, 1)) - (same + draw.gauss(0, 1)) for same in common]
        width = band(differences)
        assert width is not None
        held += abs(statistics.fmean(differences) - truth) <= width
    assert held / trials == pytest.approx(0.95, abs=0.015)


def test_what_both_runs_draw_alike_does_not_widen_the_interval() -> None:
    base = runs("hidden_rate", 80.0, 90.0, 70.0, 85.0, 75.0)
    head = runs("hidden_rate", 82.0, 92.1, 71.9, 87.0, 77.0)
    (one,) = predict(base, head)
    assert one.delta == pytest.approx(2.0)
    assert one.noise is not None
    assert one.noise < 0.1
    assert one.verdict is Verdict.BETTER


@pytest.mark.parametrize(
    ("metric", "moved", "said"),
    [
        ("hidden_rate", 5.0, Verdict.BETTER),
        ("hidden_rate", -5.0, Verdict.WORSE),
        ("hellinger_mean", 5.0, Verdict.WORSE),
        ("hellinger_mean", -5.0, Verdict.BETTER),
        ("something_new", 5.0, Verdict.CHANGED),
        ("hidden_rate", 0.1, Verdict.NOISE),
        ("hidden_rate", 0.0, Verdict.SAME),
    ],
)
def test_better_and_worse_follow_the_direction_of_the_metric(metric: str, moved: float, said: Verdict) -> None:
    wobble = (0.0, 0.3, -0.3, 0.2, -0.2) if moved else (0.0,) * 5
    base = runs(metric, 50.0, 51.0, 49.0, 50.5, 49.5)
    head = runs(metric, *(50.0 + moved + a + b for a, b in zip((0.0, 1.0, -1.0, 0.5, -0.5), wobble, strict=True)))
    assert [one.verdict for one in predict(base, head)] == [said]


def test_one_side_alone_is_shown_without_a_difference() -> None:
    head = runs("hidden_rate", 90.0, 92.0)
    (new,) = predict({}, head)
    assert (new.verdict, new.delta, new.noise, new.base) == (Verdict.NEW, None, None, None)
    assert new.head is not None
    assert new.head.mean == 91.0
    (gone,) = predict(head, {})
    assert gone.verdict is Verdict.GONE


def test_one_seed_is_no_reason_to_speak_of_better_or_worse() -> None:
    (one,) = predict(runs("hidden_rate", 90.0), runs("hidden_rate", 50.0))
    assert (one.verdict, one.noise, one.delta) == (Verdict.CHANGED, None, -40.0)


def test_a_metric_that_some_runs_lack_is_compared_over_the_others() -> None:
    base = runs("hidden_rate", 90.0, 91.0, math.nan)
    head = runs("hidden_rate", 91.0, 92.0, 10.0)
    (one,) = predict(base, head)
    assert one.delta == 1.0
    assert means(head)["people"]["hidden_rate"] == pytest.approx(64.33, abs=0.01)


def test_privacy_stands_before_utility() -> None:
    head = {1: {"b": {"hellinger_mean": 0.1, "hidden_rate": 90.0, "zz": 1.0}, "a": {"hidden_rate": 1.0}}}
    assert [(one.table, one.metric) for one in predict({}, head)] == [
        ("a", "hidden_rate"),
        ("b", "hidden_rate"),
        ("b", "hellinger_mean"),
        ("b", "zz"),
    ]


@given(own=st.none() | st.integers(0, 2**31 - 1), number=st.integers(1, 40))
def test_seeds_are_different_repeatable_and_begin_with_the_spec_s_own(own: int | None, number: int) -> None:
    found = seeds(own, number)
    assert len(set(found)) == number
    assert all(0 <= seed < 2**31 for seed in found)
    assert found == seeds(own, number)
    assert seeds(own, number + 3)[:number] == found
    if own is not None:
        assert found[0] == own


def test_a_gate_is_unsure_when_some_seeds_fail_it() -> None:
    def verdict(passed: bool, seeds_passed: int) -> GateVerdict:
        return PredictedGate("hidden_rate", ">= 90", 91.0, passed, seeds_passed, 5).verdict

    assert verdict(True, 5) is GateVerdict.PASSES
    assert verdict(True, 4) is GateVerdict.UNSURE
    assert verdict(False, 2) is GateVerdict.FAILS
