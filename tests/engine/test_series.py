"""Time series: alignment and scores are exact where they can be, references hold, bad input is explained."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.model import Link, LinkedAvatars, LinkedTable, LinkMethod
from avatar_gitops.engine.links.run import avatarize_linked
from avatar_gitops.engine.params import AvatarParams, ColumnSpec
from avatar_gitops.engine.series.alignment import align, spread
from avatar_gitops.engine.series.basis import fit_basis, trapezoid
from avatar_gitops.engine.series.curves import Curves, fit_series_layout, read_curves
from avatar_gitops.engine.series.model import AlignmentMethod, ProjectionType, SeriesParams, SeriesTable, Unalignment
from avatar_gitops.engine.series.run import avatarize_series
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


def curves(table: SeriesTable, lengths: list[int]) -> Curves:
    owners = np.repeat(np.arange(len(lengths)), lengths)
    return read_curves(fit_series_layout(table), table, owners, len(lengths))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 9), min_size=2, max_size=6), st.integers(2, 12))
def test_the_alignment_of_a_line_is_exact(lengths: list[int], points: int) -> None:
    table = pulse(lengths)
    read = curves(table, lengths)
    aligned = align(read, points)
    origin = fit_series_layout(table).variables[0].origin
    for person, length in enumerate(lengths):
        expected = 60 + person * np.linspace(0, length - 1, points)
        assert aligned[person, 0] + origin == pytest.approx(expected, abs=1e-9)
        assert (read.durations[person], read.lengths[person]) == (10 * (length - 1), length)
    # and the way back: a line is the same line at any point in time
    back = spread(aligned, np.arange(len(lengths)), np.full(len(lengths), 0.3))
    assert back[:, 0] + origin == pytest.approx([60 + i * 0.3 * (n - 1) for i, n in enumerate(lengths)], abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.sampled_from(ProjectionType), st.integers(0, 2**32))
def test_all_scores_together_are_the_curve(count: int, points: int, projection: ProjectionType, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, points)) * 10.0 ** random.integers(-6, 6)
    basis = fit_basis(values, SeriesParams(projection, nf=points))
    back = basis.curves(basis.scores(values))
    assert back == pytest.approx(values, abs=1e-9 * np.abs(values).max())
    assert (basis.weights > 0).all()


def test_few_scores_hold_most_of_the_variance() -> None:
    random = np.random.default_rng(4)
    u = np.linspace(0, 1, 50)
    values = random.normal(size=(80, 1)) * np.sin(3 * u) + random.normal(size=(80, 1)) * u + 5
    basis = fit_basis(values, SeriesParams())
    assert basis.functions.shape == (2, 50)
    assert basis.curves(basis.scores(values)) == pytest.approx(values, abs=1e-8)
    assert basis.explained.sum() == pytest.approx(1)


def test_functions_are_orthonormal_under_the_trapezoid_rule() -> None:
    values = np.random.default_rng(5).normal(size=(30, 8))
    basis = fit_basis(values, SeriesParams(nf=3))
    assert basis.functions @ basis.readers == pytest.approx(np.eye(3), abs=1e-12)
    assert basis.functions * trapezoid(8) @ basis.functions.T == pytest.approx(np.eye(3), abs=1e-12)


def test_weighted_scores_keep_the_distances_of_curves() -> None:
    values = np.random.default_rng(6).normal(size=(20, 6))
    basis = fit_basis(values, SeriesParams(nf=6))
    scores = basis.scores(values)
    scaled = scores / scores.std(axis=0) * np.sqrt(basis.weights)
    between = ((scaled[0] - scaled[1:]) ** 2).sum(axis=1)
    curves_apart = (((values[0] - values[1:]) ** 2) * trapezoid(6)).sum(axis=1)
    assert between / between[0] == pytest.approx(curves_apart / curves_apart[0])
    assert scaled.var(axis=0).max() == pytest.approx(1)


@pytest.mark.parametrize("projection", ProjectionType)
@pytest.mark.parametrize("unalignment", Unalignment)
def test_every_row_belongs_to_an_avatar_and_stays_in_range(
    projection: ProjectionType, unalignment: Unalignment
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
    warned = any("length" in text for text in made["pulse"].facts.warnings)
    assert warned is (unalignment is Unalignment.UNIFORM)


def test_the_same_seed_gives_the_same_series() -> None:
    table = pulse([5] * PEOPLE)
    assert run(table, 7)["pulse"].shuffled.equals(run(table, 7)["pulse"].shuffled)
    assert not run(table, 7)["pulse"].shuffled.equals(run(table, 8)["pulse"].shuffled)


def test_the_order_of_rows_is_that_of_time_whatever_the_file_has() -> None:
    table = pulse([6] * PEOPLE)
    turned = table.rows.take(pa.array(np.random.default_rng(2).permutation(table.rows.num_rows)))
    mixed = SeriesTable("pulse", turned, "person", "t", table.columns)
    assert run(mixed)["pulse"].shuffled.drop_columns("row").equals(run(table)["pulse"].shuffled.drop_columns("row"))


def test_a_series_is_there_or_not_for_all_its_variables() -> None:
    lengths = [0, 6] * (PEOPLE // 2)
    second = pa.array([None if at % 2 else 1.0 * at for at in range(sum(lengths))])
    shuffled = run(pulse(lengths, second=second))["pulse"].shuffled
    people = shuffled["person"].to_pylist()
    assert 0.2 < len(set(people)) / PEOPLE < 0.8
    assert {people.count(one) for one in people} == {6}
    assert shuffled["beat"].null_count == 0
    assert shuffled["second"].null_count == shuffled.num_rows // 2


def test_a_variable_that_somebody_lacks_is_missing_for_whole_avatars() -> None:
    other = pa.array([None if at // 4 % 2 else float(at) for at in range(4 * PEOPLE)])
    shuffled = run(pulse([4] * PEOPLE, other=other))["pulse"].shuffled
    missing = np.array([value is None for value in shuffled["other"].to_pylist()]).reshape(PEOPLE, 4)
    assert 0 < missing.all(axis=1).sum() < PEOPLE
    assert (missing.all(axis=1) == missing.any(axis=1)).all()


def test_equal_times_are_averaged_and_count_as_rows() -> None:
    table = pulse([3, 2], None, t=[0, 0, 10, 0, 10], beat=[60.0, 62.0, 70.0, 60.0, 70.0])
    read = curves(table, [3, 2])
    assert read.lengths.tolist() == [3, 2]
    aligned = align(read, 3)
    assert aligned[0, 0].tolist() == [61, 65.5, 70]
    assert aligned[1, 0].tolist() == [60, 65, 70]


def test_times_of_avatars_differ_where_those_of_people_do() -> None:
    made = run(pulse([2 + at % 7 for at in range(PEOPLE)]))["pulse"].shuffled
    times: dict[str, list[int]] = {}
    for who, when in zip(made["person"].to_pylist(), made["t"].to_pylist(), strict=True):
        times.setdefault(who, []).append(when)
    assert all(sorted(set(found)) == found for found in times.values())


def test_without_un_alignment_no_length_start_or_duration_is_released() -> None:
    lengths = [3 + at % 5 for at in range(PEOPLE)]
    made = run(pulse(lengths, SeriesParams(unalignment=Unalignment.SKIP)))["pulse"]
    times = np.array(made.shuffled["t"].to_pylist()).reshape(PEOPLE, 7)
    assert (times == times[0]).all()
    assert made.facts.warnings == ()


def test_series_with_parameters_of_their_own_do_not_change_the_people() -> None:
    table = pulse([4] * PEOPLE)
    apart = replace(table, own=AvatarParams(12))
    alone = avatarize_linked([people()], [], 1)["people"]
    assert run(apart)["people"].shuffled.equals(alone.shuffled)
    assert not run(apart)["pulse"].shuffled.equals(run(table)["pulse"].shuffled)


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
    assert shuffled["holes"].null_count / shuffled.num_rows == pytest.approx(1 / 3, abs=0.05)
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
        ({"person": ["p0"] * 7 + [None]}, "some rows have no 'person' and belong to nobody's series"),
        ({"person": ["p0"] * 7 + ["stranger"]}, "some values of 'person' are no key of table 'people'"),
        ({"t": pa.array([None] + [1] * 7)}, "the time 't' is missing in some rows"),
        ({"t": ["soon"] * 4 + ["late"] * 4}, "the time 't' holds neither numbers nor dates"),
        ({"mood": ["good"] * 8}, "column 'mood' holds no numbers, so it is no variable of a series"),
        ({"beat": pa.nulls(8, pa.float64())}, "has no variable"),
    ],
)
def test_what_cannot_be_a_series_is_explained(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        run(pulse([4, 4], None, **columns), count=20)


@pytest.mark.parametrize(
    "wrong",
    [
        {"nf": 0},
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


def test_times_that_are_written_as_iso_8601_are_dates_and_come_back_written() -> None:
    lengths = [6] * PEOPLE
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=day) for length in lengths for day in range(length)]
    written, dates = (run(pulse(lengths, t=values)) for values in ([day.isoformat() for day in days], days))
    assert written["pulse"].unshuffled["t"].type == pa.string()
    assert written["pulse"].unshuffled["t"].to_pylist() == [
        day.isoformat() for day in dates["pulse"].unshuffled["t"].to_pylist()
    ]
    with pytest.raises(EngineError, match="holds neither numbers nor dates"):
        run(pulse(lengths, t=["soon"] * len(days)))
