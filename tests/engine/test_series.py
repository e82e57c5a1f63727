"""Time series: alignment and scores are exact where they can be, references hold, bad input is explained."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.model import Link, LinkedAvatars, LinkedTable, LinkMethod
from avatar_gitops.engine.params import AvatarParams, ColumnSpec
from avatar_gitops.engine.series.curves import Curves, align, fit_axes
from avatar_gitops.engine.series.model import (
    AlignmentMethod,
    SeriesParams,
    SeriesProjection,
    SeriesTable,
    Unalignment,
)
from avatar_gitops.engine.series.run import avatarize_series
from avatar_gitops.engine.series.scores import curves_of, fit_bases, scores_of
from avatar_gitops.errors import EngineError

LINK = Link("people", "id", "pulse", "person", LinkMethod.TIME_SERIES)
PEOPLE = 40


def people(count: int = PEOPLE) -> LinkedTable:
    ages = np.random.default_rng(3).integers(20, 80, count)
    rows = pa.table({"id": [f"p{at}" for at in range(count)], "age": ages})
    return LinkedTable("people", rows, (ColumnSpec("id", primary_key=True),), AvatarParams(k=5))


def pulse(lengths: list[int], params: SeriesParams | None = None, **columns: Any) -> SeriesTable:
    """Series of these lengths; person i has the slope i."""
    person = np.repeat(np.arange(len(lengths)), lengths)
    step = np.concatenate([np.arange(length) for length in lengths]) if lengths else np.zeros(0)
    rows = {
        "row": np.arange(len(person)),
        "person": [f"p{at}" for at in person],
        "t": step * 10,
        "beat": 60.0 + person * step,
        **columns,
    }
    return SeriesTable(
        "pulse", pa.table(rows), "person", "t", (ColumnSpec("row", primary_key=True),), params or SeriesParams()
    )


def run(table: SeriesTable, seed: int = 1, count: int = PEOPLE) -> dict[str, LinkedAvatars]:
    return avatarize_series([people(count)], [LINK], [table], seed)


def aligned(values: np.ndarray) -> Curves:
    ends = np.zeros(len(values))
    return Curves(values[:, :, None], ends, ends + 1, ends + values.shape[1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 9), min_size=2, max_size=6), st.integers(2, 12))
def test_the_alignment_of_a_line_is_exact(lengths: list[int], points: int) -> None:
    params = SeriesParams(alignment=AlignmentMethod.SPECIFIED, nb_points=points)
    table = pulse(lengths, params)
    ids = np.repeat(np.arange(len(lengths)), lengths)
    curves = align(table, fit_axes(table), ids, len(lengths))
    for person, length in enumerate(lengths):
        expected = 60 + person * np.linspace(0, length - 1, points)
        origin = fit_axes(table).variables[0].origin
        assert curves.values[person, :, 0] + origin == pytest.approx(expected)
        assert (curves.duration[person], curves.length[person]) == (10 * (length - 1), length)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(2, 9), st.sampled_from(SeriesProjection), st.integers(0, 2**32))
def test_all_scores_together_are_the_curve(count: int, points: int, projection: SeriesProjection, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(count, points))
    [basis] = fit_bases(aligned(values), SeriesParams(projection, nf=points))
    assert curves_of(basis, scores_of(basis, values)) == pytest.approx(values, abs=1e-9)


def test_few_scores_hold_most_of_the_variance() -> None:
    random = np.random.default_rng(4)
    u = np.linspace(0, 1, 50)
    values = random.normal(size=(80, 1)) * np.sin(3 * u) + random.normal(size=(80, 1)) * u + 5
    [basis] = fit_bases(aligned(values), SeriesParams())
    assert basis.functions.shape == (50, 2)
    assert curves_of(basis, scores_of(basis, values)) == pytest.approx(values, abs=1e-8)


def test_functions_are_orthonormal_under_the_trapezoid_rule() -> None:
    values = np.random.default_rng(5).normal(size=(30, 8))
    [basis] = fit_bases(aligned(values), SeriesParams(nf=3))
    assert basis.duals.T @ basis.functions == pytest.approx(np.eye(3), abs=1e-12)


@pytest.mark.parametrize("projection", SeriesProjection)
@pytest.mark.parametrize("unalignment", Unalignment)
def test_every_row_belongs_to_an_avatar_and_stays_in_range(
    projection: SeriesProjection, unalignment: Unalignment
) -> None:
    lengths = [3 + at % 5 for at in range(PEOPLE)]
    table = pulse(lengths, SeriesParams(projection, unalignment=unalignment))
    made = run(table)
    keys = made["people"].shuffled["id"].to_pylist()
    for rows in (made["pulse"].shuffled, made["pulse"].unshuffled):
        assert rows.schema == table.rows.schema
        assert set(rows["person"].to_pylist()) == set(keys)
        assert min(rows["beat"].to_pylist()) >= 60
        assert max(rows["beat"].to_pylist()) <= max(table.rows["beat"].to_pylist())
    counts = np.unique(np.array(made["pulse"].shuffled["person"].to_pylist()), return_counts=True)[1]
    assert set(counts) == {7} if unalignment is Unalignment.SKIP else set(counts) <= set(range(3, 8))
    assert made["pulse"].shuffled["row"].to_pylist() == list(range(1, made["pulse"].shuffled.num_rows + 1))
    assert any("length" in text for text in made["pulse"].facts.warnings)


def test_the_same_seed_gives_the_same_series() -> None:
    table = pulse([5] * PEOPLE)
    assert run(table, 7)["pulse"].shuffled.equals(run(table, 7)["pulse"].shuffled)
    assert not run(table, 7)["pulse"].shuffled.equals(run(table, 8)["pulse"].shuffled)


def test_the_order_of_rows_is_that_of_time_whatever_the_file_has() -> None:
    table = pulse([6] * PEOPLE)
    turned = table.rows.take(pa.array(np.random.default_rng(2).permutation(table.rows.num_rows)))
    mixed = SeriesTable("pulse", turned, "person", "t", table.columns)
    assert run(mixed)["pulse"].shuffled.drop_columns("row").equals(run(table)["pulse"].shuffled.drop_columns("row"))


def test_people_without_series_and_series_of_one_point_are_possible() -> None:
    lengths = [0, 1, 4, 5] * (PEOPLE // 4)
    made = run(pulse(lengths))
    assert 0 < len(set(made["pulse"].shuffled["person"].to_pylist())) < PEOPLE
    assert made["people"].shuffled.num_rows == PEOPLE


def test_a_variable_may_be_constant_or_partly_or_wholly_missing() -> None:
    rows = 4 * PEOPLE
    holes = pa.array([None if at % 3 == 0 else float(at) for at in range(rows)])
    nothing = pa.nulls(rows, pa.float64())
    made = run(pulse([4] * PEOPLE, None, flat=[2] * rows, holes=holes, ünï=pa.array([1.5] * rows), nothing=nothing))
    shuffled = made["pulse"].shuffled
    assert set(shuffled["flat"].to_pylist()) == {2}
    assert set(shuffled["ünï"].to_pylist()) == {1.5}
    assert shuffled["holes"].null_count == 0
    assert shuffled["nothing"].null_count == shuffled.num_rows


def test_times_may_be_dates() -> None:
    first = dt.datetime(2024, 1, 1)  # noqa: DTZ001  series without a zone
    dates = [first + dt.timedelta(days=at // 5, hours=at % 5) for at in range(5 * PEOPLE)]
    made = run(pulse([5] * PEOPLE, None, t=pa.array(dates, pa.timestamp("s"))))
    assert made["pulse"].shuffled["t"].type == pa.timestamp("s")
    assert min(made["pulse"].shuffled["t"].to_pylist()).year == 2024


def test_two_tables_of_series_share_the_people() -> None:
    second = SeriesTable("steps", pulse([3] * PEOPLE).rows, "person", "t", (ColumnSpec("row", primary_key=True),))
    other = Link("people", "id", "steps", "person", LinkMethod.TIME_SERIES)
    made = avatarize_series([people()], [LINK, other], [pulse([5] * PEOPLE), second], 1)
    keys = set(made["people"].shuffled["id"].to_pylist())
    assert (
        set(made["pulse"].shuffled["person"].to_pylist()) == set(made["steps"].shuffled["person"].to_pylist()) == keys
    )


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"person": ["p0"] * 7 + [None]}, "names nobody who is known"),
        ({"person": ["p0"] * 7 + ["stranger"]}, "names nobody who is known"),
        ({"t": pa.array([None] + [1] * 7)}, "rows without a time"),
        ({"mood": ["good"] * 8}, "'mood' of table 'pulse' is a variable of a series but does not hold numbers"),
    ],
)
def test_what_cannot_be_a_series_is_explained(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(pulse([4, 4], None, **columns), count=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nf": 0},
        {"nb_points": 5},
        {"alignment": AlignmentMethod.SPECIFIED},
        {"alignment": AlignmentMethod.SPECIFIED, "nb_points": 1},
    ],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(EngineError):
        SeriesParams(**wrong)


def test_a_series_needs_the_link_of_its_people() -> None:
    with pytest.raises(EngineError, match="no link of the method time_series"):
        avatarize_series([people()], [], [pulse([4] * PEOPLE)], 1)
