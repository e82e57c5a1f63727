"""Utility metrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from avatar_gitops.engine.params import AvatarParams, SignalParams
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import correlation_difference, measure_signal


def test_equal_tables_are_at_distance_zero(holey: pa.Table) -> None:
    metrics = measure_signal(holey, holey, [], SignalParams(), 1)
    covered = {"range_coverage_mean", "category_coverage_mean"}
    predicted = {"utility_originals", "utility_avatars", "utility_loss"}
    assert {metrics.values[name] for name in covered} == {1.0}
    assert {metrics.values[name] for name in predicted} == {None}
    assert {value for name, value in metrics.values.items() if name not in covered | predicted} == {0.0}
    assert metrics.meta == 100.0


def test_avatars_are_near_and_shuffled_columns_lose_correlations(table: pa.Table) -> None:
    near = measure_signal(table, avatarize(table, [], AvatarParams(5), 1).unshuffled, [], SignalParams(), 1)
    random = np.random.default_rng(0)
    mixed = {n: table[n].take(pa.array(random.permutation(table.num_rows))) for n in table.column_names}
    far = measure_signal(table, pa.table(mixed), [], SignalParams(), 1)
    assert 0 < (near.values["hellinger_mean"] or 0) < 0.15
    assert far.values["hellinger_mean"] == 0.0
    assert (far.values["correlation_difference_ratio"] or 0) > 50
    assert (near.values["correlation_difference_ratio"] or 99) < 10
    assert near.meta is not None
    assert far.meta is not None
    assert near.meta > far.meta


def test_hellinger_of_categories_is_the_textbook_one() -> None:
    original = pa.table({"g": ["a"] * 5 + ["b"] * 4 + [None]})
    avatars = pa.table({"g": ["a"] * 2 + ["c"] * 8})
    p, q = np.array([0.5, 0.4, 0.1, 0.0]), np.array([0.2, 0.0, 0.0, 0.8])
    metrics = measure_signal(original, avatars, [], SignalParams(), 1)
    assert metrics.values["hellinger_mean"] == pytest.approx(np.sqrt(1 - np.sqrt(p * q).sum()))
    assert metrics.values["total_variation_mean"] == pytest.approx(np.abs(p - q).sum() / 2)
    assert metrics.values["correlation_difference_ratio"] is None
    assert "correlation_difference_ratio" in metrics.notes


def test_hellinger_of_numbers_uses_ten_bins_and_one_for_missing() -> None:
    original = pa.table({"x": pa.array([0.0, 5.0, 10.0, None]), "y": [1.0, 2.0, 3.0, 4.0]})
    avatars = pa.table({"x": pa.array([0.5, 5.0, None, None]), "y": [1.0, 2.0, 3.0, 4.0]})
    p, q = np.array([1, 1, 1, 1]) / 4, np.array([1, 1, 0, 2]) / 4
    metrics = measure_signal(original, avatars, [], SignalParams(), 1)
    hellinger = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)
    assert metrics.values["hellinger_mean"] == pytest.approx(hellinger / 2)
    assert metrics.distances == {"x": pytest.approx(hellinger), "y": 0.0}
    assert metrics.values["hellinger_std"] == pytest.approx(hellinger / 2)


def test_correlations_are_those_of_pandas_with_missing_values() -> None:
    random = np.random.default_rng(0)
    one, two = random.normal(size=(2, 80, 4)) @ random.normal(size=(4, 4)) + 1000
    one[random.random(one.shape) < 0.2] = np.nan
    theirs = np.abs(pd.DataFrame(one).corr().to_numpy() - pd.DataFrame(two).corr().to_numpy())
    assert correlation_difference(one, two) == pytest.approx(100 * theirs[np.triu_indices(4, 1)].mean())


def test_a_constant_has_no_correlation() -> None:
    numbers = np.stack([np.arange(10.0), np.full(10, 0.3)], axis=1)
    assert correlation_difference(numbers, numbers) is None


def test_intervals_hold_the_value_and_cover_what_other_people_would_give() -> None:
    """Nominal 95 %: over tables drawn from one law the interval holds the long-run value nearly always."""

    def draw(rows: int, seed: int) -> tuple[pa.Table, pa.Table]:
        random = np.random.default_rng(seed)
        numbers = random.normal(size=(rows, 2)) @ np.array([[1.0, 0.6], [0.0, 0.8]])
        noisy = 0.8 * numbers + 0.3 * random.normal(size=(rows, 2))
        group = random.integers(0, 3, rows)
        moved = np.where(random.random(rows) < 0.2, 0, group)
        sides = ((numbers, group), (noisy, moved))
        one, two = (pa.table({"x": n[:, 0], "y": n[:, 1], "g": [f"m{i}" for i in g]}) for n, g in sides)
        return one, two

    names = ("correlation_difference_ratio", "total_variation_mean")
    truth = measure_signal(*draw(60_000, 999), [], SignalParams(), 1).values
    hits = dict.fromkeys(names, 0)
    for seed in range(40):
        metrics = measure_signal(*draw(400, seed), [], SignalParams(), 1)
        for name, (low, high) in metrics.intervals.items():
            assert low <= (metrics.values[name] or 0.0) <= high
        for name in names:
            low, high = metrics.intervals[name]
            hits[name] += low <= (truth[name] or 0.0) <= high
    assert min(hits.values()) >= 32


def test_intervals_of_distances_hold_those_between_populations() -> None:
    """With 80 people a good part of a Hellinger distance is chance, which the interval takes away."""

    def draw(rows: int, seed: int) -> tuple[pa.Table, pa.Table]:
        random = np.random.default_rng(seed)
        numbers = random.normal(size=(rows, 3))
        noisy = 0.8 * numbers + 0.3 * random.normal(size=(rows, 3))
        sides = (np.clip(side, -1, 1) for side in (numbers, noisy))  # so that bins are the same in every sample
        one, two = (pa.table({f"x{i}": side[:, i] for i in range(3)}) for side in sides)
        return one, two

    truth = measure_signal(*draw(30_000, 999), [], SignalParams(), 1).values["hellinger_mean"] or 0.0
    found = [measure_signal(*draw(80, seed), [], SignalParams(), 1) for seed in range(25)]
    assert sum(low <= truth <= high for low, high in (item.intervals["hellinger_mean"] for item in found)) >= 22
    assert np.mean([item.values["hellinger_mean"] for item in found]) > 1.3 * truth
    low, high = measure_signal(*draw(6_000, 1), [], SignalParams(), 1).intervals["hellinger_mean"]
    assert 0 < low <= truth <= high < low + 0.02


def test_intervals_shrink_with_the_table_and_equal_tables_have_none_to_speak_of(holey: pa.Table) -> None:
    metrics = measure_signal(holey, holey, [], SignalParams(), 1)
    assert all(interval == (0.0, 0.0) for interval in metrics.intervals.values())
    assert "kolmogorov_smirnov_mean" not in metrics.intervals
