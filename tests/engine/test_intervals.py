"""The law of every interval: whatever the table, it holds its own value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.params import ColumnSpec, ColumnType, Metrics, PrivacyParams, SignalParams
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.signal import measure_signal
from tests.engine.conftest import synthetic

SPECS = [ColumnSpec("digit", ColumnType.CATEGORY)]


@st.composite
def odd_tables(draw: st.DrawFn) -> tuple[pa.Table, pa.Table]:
    """A table with constants, copies, giants, specks, unique texts and holes; avatars that are copies of its rows."""
    rows = draw(st.integers(2, 45))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = 10.0 ** draw(st.integers(-12, 12))
    kinds = draw(st.integers(1, rows))
    missing = draw(st.sampled_from([0.0, 0.3, 0.9]))
    holes = random.random((3, rows)) < missing
    holes[:, 0] = False
    numbers = random.choice(random.normal(size=kinds) * scale, rows)
    table = pa.table(
        {
            "number": pa.array(numbers, mask=holes[0]),
            "whole": pa.array(random.integers(0, kinds, rows), mask=holes[1]),
            "digit": pa.array(random.integers(0, min(kinds, 9), rows), mask=holes[2]),
            "text": [f"t{i}" for i in random.integers(0, kinds, rows)],
            "same": ["always"] * rows,
        }
    )
    whole_rows = draw(st.booleans())
    taken = random.integers(0, rows, rows) if draw(st.booleans()) else np.arange(rows)
    avatars = {
        name: table[name].take(pa.array(taken if whole_rows else random.permutation(taken)))
        for name in table.column_names
    }
    return table, pa.table(avatars)


def assert_held(metrics: Metrics) -> None:
    for name, (low, high) in metrics.intervals.items():
        value = metrics.values[name]
        assert value is not None, name
        assert low <= value <= high, name


@settings(deadline=None, max_examples=150)
@given(odd_tables(), st.sampled_from([None, "number", "digit", "text"]), st.integers(0, 5))
def test_privacy_intervals_hold_their_values(tables: tuple[pa.Table, pa.Table], target: str | None, seed: int) -> None:
    params = PrivacyParams(known_variables=("whole", "same"), target=target)
    assert_held(measure_privacy(*tables, SPECS, params, seed))


@settings(deadline=None, max_examples=75)
@given(odd_tables(), st.integers(0, 5))
def test_utility_intervals_hold_their_values(tables: tuple[pa.Table, pa.Table], seed: int) -> None:
    assert_held(measure_signal(*tables, SPECS, SignalParams(), seed))


def test_the_interval_of_the_worst_column_holds_a_rounded_value() -> None:
    """Every share of a column that is copied: the bounds and the value are rounded in different places."""
    for rows in range(2, 60):
        for same in {1, rows // 3, rows - 1, rows}:
            values = np.arange(rows)
            copies = np.where(values < same, values, rows + values)
            metrics = measure_privacy(pa.table({"x": values}), pa.table({"x": copies}), [], PrivacyParams(), 1)
            low, high = metrics.intervals["column_direct_match_protection"]
            value = metrics.values["column_direct_match_protection"]
            assert value is not None
            assert low <= value <= high, (rows, same)


def test_the_interval_of_a_ratio_between_halves_holds_their_mean() -> None:
    for seed in range(8):
        table = synthetic(40, seed)
        shuffled = table.take(pa.array(np.random.default_rng(seed).permutation(40)))
        params = PrivacyParams(known_variables=("age",), target="weight")
        metrics = measure_privacy(table, shuffled, [], params, seed)
        assert "inference_accuracy_ratio" in metrics.intervals
        assert_held(metrics)
