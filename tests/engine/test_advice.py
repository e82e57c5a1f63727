"""Advice: bounds, reasons without values, columns in numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.advice import Advice, advise
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, ColumnType, ImputationMethod, Space
from avatar_gitops.engine.processors.params import GroupModalities
from avatar_gitops.engine.run import avatarize


def table(rows: int, *, holes: bool = False, words: int = 4) -> pa.Table:
    draw = np.random.default_rng(3)
    numbers = draw.normal(size=rows)
    return pa.table(
        {
            "x": pa.array(numbers, mask=draw.random(rows) < 0.1 if holes else None),
            "y": numbers * 2 + draw.normal(size=rows),
            "n": draw.integers(0, 50, rows),
            "word": [f"secret-{i}" for i in draw.integers(0, words, rows)],
        }
    )


@pytest.mark.parametrize(("rows", "k"), [(3, 2), (60, 5), (1_000, 10), (5_000, 20)])
def test_k_grows_with_the_table_between_bounds(rows: int, k: int) -> None:
    found = advise(table(rows), [], reduction=False)
    assert found.k == k
    assert found.ncp is not None and 1 <= found.ncp <= 30


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(3, 80), holes=st.booleans(), words=st.integers(1, 90))
def test_what_is_advised_can_be_run_and_says_no_value(rows: int, holes: bool, words: int) -> None:
    data = table(rows, holes=holes, words=words)
    found = advise(data, [], reduction=False)
    if found.k is None:
        return
    specs = [ColumnSpec(column.name, drop=True) for column in found.columns if column.identifying]
    avatars = avatarize(data, specs, AvatarParams(found.k, Space(found.ncp, imputation=found.imputation)), 1, "t")
    assert avatars.shuffled.num_rows == rows
    assert "secret" not in " ".join(found.reasons.values())


def test_columns_are_described_in_numbers() -> None:
    draw = np.random.default_rng(1)
    data = pa.table(
        {
            "name": [f"person {i}" for i in range(200)],
            "skewed": draw.exponential(size=200) ** 3,
            "rare": ["a"] * 197 + ["b"] * 3,
            "empty": pa.nulls(200, pa.string()),
            "level": draw.integers(0, 3, 200),
            "gone": draw.normal(size=200),
        }
    )
    found = advise(data, [ColumnSpec("gone", drop=True), ColumnSpec("level", ColumnType.CATEGORY)], reduction=False)
    columns = {column.name: column for column in found.columns}
    assert set(columns) == {"name", "skewed", "rare", "empty", "level"}
    assert columns["name"].identifying and columns["name"].mode is None
    assert columns["skewed"].skewed and columns["skewed"].deviation is not None
    assert columns["rare"].rare and columns["rare"].mode == "a"
    assert (columns["empty"].missing, columns["empty"].unique) == (200, 0)
    assert (columns["level"].type, columns["level"].unique) == ("category", 3)


def test_missing_values_ask_for_imputation_exact_only_for_small_tables() -> None:
    small, large = (advise(table(rows, holes=True), [], reduction=False).imputation for rows in (500, 20_000))
    assert small is not None and (small.method, small.training_fraction) == (ImputationMethod.KNN, 1.0)
    assert large is not None and (large.method, large.training_fraction) == (ImputationMethod.FAST_KNN, 0.5)
    assert advise(table(100), [], reduction=False).imputation is None


def test_reduction_is_advised_only_where_it_can_be_had() -> None:
    wide = table(150, words=60)
    assert advise(wide, [], reduction=True).use_categorical_reduction
    assert not advise(wide, [], reduction=False).use_categorical_reduction
    assert "group" in advise(wide, [], reduction=False).reasons["use_categorical_reduction"]


def test_axes_are_counted_in_the_space_that_is_advised() -> None:
    wide = table(400, words=300)
    reduced = advise(wide, [], reduction=True)
    assert reduced.use_categorical_reduction
    assert reduced.ncp is not None
    assert reduced.ncp <= 23  # three numbers and at most 20 coordinates of the categories
    assert "dimensions hold" in reduced.reasons["ncp"]


def test_rare_categories_are_better_grouped() -> None:
    data = table(2_000).append_column("city", [["paris"] * 1_900 + ["nice"] * 90 + [f"v{i}" for i in range(10)]])
    found = advise(data, [], reduction=False)
    assert found.k == 20
    assert found.groups == {"city": 9}
    assert "1 column has categories of fewer than 10 rows" in found.reasons["processors"]
    grouped = GroupModalities(found.groups)
    avatars = avatarize(data, [], AvatarParams(20, Space(found.ncp), processors=(grouped,)), 1)
    assert set(avatars.shuffled["city"].to_pylist()) <= {"paris", "nice", "other"}
    assert advise(table(2_000), [], reduction=False).groups == {}


def test_columns_that_look_like_keys_are_named() -> None:
    rows = 40
    data = pa.table(
        {
            "number": list(range(1_001, 1_001 + rows)),
            "name": [f"n{i}" for i in range(rows)],
            "income": [int(i**2.5) for i in range(rows)],
            "age": [20 + i % 30 for i in range(rows)],
        }
    )
    found = {column.name for column in advise(data, [], reduction=False).columns if column.probable_id}
    assert found == {"number", "name"}


def test_few_values_have_no_moments() -> None:
    data = pa.table({"x": [None] * 40 + [float(i) for i in range(9)], "y": list(range(0, 98, 2))})
    few, many = advise(data, [], reduction=False).columns
    assert (few.mean, few.median, few.deviation, few.mode) == (None, None, None, None)
    assert many.mean == 48


def test_a_table_without_anything_to_compare_gets_no_parameters() -> None:
    nothing: Advice = advise(pa.table({"a": pa.nulls(50)}), [], reduction=False)
    assert nothing.k is None and nothing.columns
    assert advise(table(2), [], reduction=False).k is None
