"""The noise band: its formula, its coverage on simulated runs, and for which runs it was measured."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from avatar_gitops.plan.noise import Family, NoiseBand, Spread, measure, quantile, tolerance

FAMILY = Family("sha256:a", "sha256:b", "sha256:c")


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [
        (0.975, 1, 12.7062047364),
        (0.975, 2, 4.3026527297),
        (0.975, 3, 3.1824463053),
        (0.975, 4, 2.7764451052),
        (0.975, 7, 2.3646242515),
        (0.95, 10, 1.8124611228),
        (0.975, 30, 2.0422724563),
        (0.025, 7, -2.3646242515),
        (0.5, 4, 0.0),
    ],
)
def test_quantiles_are_those_of_the_published_tables(probability: float, freedom: int, expected: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("runs", [3, 5, 8])
def test_two_runs_that_differ_by_chance_stay_within_the_band_in_95_of_100_cases(runs: int) -> None:
    draw = random.Random(runs)
    within = 0
    repeats = 4000
    for _ in range(repeats):
        band = measure("s", FAMILY, "", {seed: {"t": {"m": draw.gauss(90.0, 1.5)}} for seed in range(runs)})
        allowed = band.tolerance("t", "m")
        assert allowed is not None
        within += abs(draw.gauss(90.0, 1.5) - draw.gauss(90.0, 1.5)) <= allowed
    assert within / repeats == pytest.approx(0.95, abs=0.012)


def test_a_real_loss_is_seen_through_the_noise() -> None:
    draw = random.Random(4)
    seen = 0
    for _ in range(500):
        band = measure("s", FAMILY, "", {seed: {"t": {"m": draw.gauss(90.0, 1.0)}} for seed in range(8)})
        allowed = band.tolerance("t", "m")
        assert allowed is not None
        seen += draw.gauss(90.0, 1.0) - draw.gauss(82.0, 1.0) > allowed
    assert seen / 500 > 0.95


def test_a_metric_without_noise_allows_nothing() -> None:
    assert tolerance(Spread(mean=90.0, sd=0.0, n=8)) == 0.0


@pytest.mark.parametrize("runs", [0, 1, 2])
def test_too_few_runs_make_no_band(runs: int) -> None:
    assert tolerance(Spread(mean=90.0, sd=1.0, n=runs)) is None


def test_spread_is_that_of_a_sample_and_skips_what_is_no_number() -> None:
    runs = {3: {"t": {"m": 3.0, "x": math.nan}}, 1: {"t": {"m": 1.0, "x": 5.0}}, 2: {"t": {"m": 2.0}}}
    band = measure("s", FAMILY, "engine 1", runs)
    assert band.seeds == (1, 2, 3)
    assert band.spread("t", "m") == Spread(mean=2.0, sd=1.0, n=3)
    assert band.spread("t", "x") == Spread(mean=5.0, sd=0.0, n=1)
    assert band.tolerance("t", "other") is None


def test_a_band_says_for_which_runs_it_was_not_measured() -> None:
    band = NoiseBand("s", FAMILY, "engine 1", (1, 2, 3), {})
    assert band.moved(FAMILY, "engine 1") == ()
    assert band.moved(FAMILY) == ()
    assert band.moved(replace(FAMILY, input="x"), "engine 2") == ("other data", "another engine")
    assert band.moved(replace(FAMILY, standard="x")) == ("other parameters",)
    assert band.moved(replace(FAMILY, metrics="x")) == ("other parameters",)
