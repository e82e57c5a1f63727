"""Processors between the records of one person: examples by hand, exact inverses, bounds, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.params import ColumnSpec, ColumnType, Space
from avatar_gitops.engine.processors.chain import Chain, fit_chain
from avatar_gitops.engine.processors.params import (
    BoundedCumulatedDifference,
    BoundedRangeDifference,
    CumulatedDifference,
    Processor,
    RangeDifference,
)
from avatar_gitops.errors import EngineError

RANGE = RangeDifference("id", "start", "end")
BOUNDED_RANGE = BoundedRangeDifference("id", "start", "end")
CUMULATED = CumulatedDifference("id", "value")
BOUNDED = BoundedCumulatedDifference("id", "value")
DAY = dt.datetime.fromisoformat("2024-02-28T06:30")


def chain(table: pa.Table, *processors: Processor, columns: Sequence[ColumnSpec] = ()) -> Chain:
    return fit_chain(table, columns, Space(), processors)


def rounded(values: pa.ChunkedArray) -> list[float]:
    return [round(value, 6) for value in values.to_pylist()]


def test_the_range_difference_of_the_guide() -> None:
    table = pa.table({"id": ["a"] * 3, "start": [6, 7, 12], "end": [7, 8, 15]})
    made = chain(table, RANGE).table
    assert made["end"].to_pylist() == [1, 1, 3]
    assert made["start"].to_pylist() == [0, 0, 4]
    assert made["start__first"].to_pylist() == [6, 6, 6]


def test_records_may_stand_in_any_order_and_keep_their_places() -> None:
    table = pa.table({"id": ["b", "a", "b", "a"], "start": [20, 5, 10, 1], "end": [25, 9, 12, 2]})
    fitted = chain(table, RANGE)
    assert fitted.table["start"].to_pylist() == [8, 3, 0, 0]
    assert fitted.table["start__first"].to_pylist() == [10, 1, 10, 1]
    assert fitted.revert(fitted.table, 1, "").equals(table)


def test_cumulated_differences_follow_the_values() -> None:
    table = pa.table({"id": [1, 2, 1, 1, 2], "value": [1025, 42, 1000, 1130, 40]})
    made = chain(table, CUMULATED).table
    assert made["value"].to_pylist() == [25, 2, 0, 105, 0]
    assert made["value__first"].to_pylist() == [1000, 40, 1000, 1000, 40]


def test_bounded_differences_are_shares_of_the_way_to_the_bound() -> None:
    table = pa.table({"id": [1, 1, 1, 2], "value": [60, 30, 65, 110]})
    made = chain(table, BOUNDED).table
    assert rounded(made["value"]) == [0, -1, 0.4375, 0]  # 30 is the lower bound; (65 - 30) / (110 - 30)
    assert made["value__first"].to_pylist() == [60, 60, 60, 110]


def test_bounded_ranges_are_shares_of_the_way_to_the_bounds() -> None:
    table = pa.table({"id": [1, 1, 2], "start": [30, 90, 70], "end": [10, 60, 100]})
    made = chain(table, BOUNDED_RANGE).table
    assert rounded(made["end"]) == [-1, -0.375, 1]  # -20 of 20, -30 of 80, +30 of 30
    assert rounded(made["start"]) == [0, 0.888889, 0]  # from 10 to 90 on the way to 100
    assert made["start__first"].to_pylist() == [30, 30, 70]


def test_bounded_ranges_follow_the_column_that_orders_them() -> None:
    table = pa.table({"id": [1, 1], "start": [30, 0], "end": [100, 10], "when": [2, 1]})
    fitted = chain(table, BoundedRangeDifference("id", "start", "end", "when"))
    assert rounded(fitted.table["start"]) == [0.222222, 0]
    assert fitted.table["start__first"].to_pylist() == [0, 0]
    assert fitted.revert(fitted.table, 1, "").equals(table)


numbers = st.one_of(
    st.integers(-(10**12), 10**12),
    st.integers(-(10**8), 10**8).map(lambda n: n / 100),
)
instants = st.datetimes(*map(dt.datetime.fromisoformat, ("1990-01-01", "2020-01-01")))


@st.composite
def tables(draw: st.DrawFn, names: tuple[str, ...], *, wide: bool = True) -> pa.Table:
    """Records of some people with whole numbers, decimals, datetimes or dates, and a column nobody touches."""
    rows = draw(st.integers(1, 12))
    kinds = [
        st.integers(-(2**49), 2**49) if wide else st.integers(-(10**6), 10**6),
        st.integers(-(10**7), 10**7).map(lambda n: n / 100),
        instants,
        st.dates(),
    ]
    values = draw(st.sampled_from(kinds))
    ids = draw(st.sampled_from([st.sampled_from(["é", "ß", "中", "a b"]), st.integers(-2, 2)]))
    columns: dict[str, list[object]] = {"id": draw(st.lists(ids, min_size=rows, max_size=rows))}
    for name in names:
        columns[name] = draw(st.lists(values, min_size=rows, max_size=rows))
    columns["nöte"] = draw(st.lists(st.none() | st.text(max_size=3), min_size=rows, max_size=rows))
    return pa.table(columns)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(("start", "end")), processor=st.sampled_from([RANGE, BOUNDED_RANGE]))
def test_ranges_come_back_exactly(table: pa.Table, processor: Processor) -> None:
    fitted = chain(table, processor)
    assert fitted.revert(fitted.table, 1, "").equals(table)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(("value",)), processor=st.sampled_from([CUMULATED, BOUNDED]))
def test_cumulated_values_come_back_exactly(table: pa.Table, processor: Processor) -> None:
    fitted = chain(table, processor)
    assert fitted.revert(fitted.table, 1, "").equals(table)


ONE_TICK_APART = pa.table(  # of which the second column only shows full seconds
    {
        "id": ["a"],
        "start": [dt.datetime.fromisoformat("2000-01-01T00:00:00.000001")],
        "end": [dt.datetime.fromisoformat("2000-01-01T00:00:01")],
    }
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(table=tables(("start", "end"), wide=False), seed=st.integers(0, 1000))
@example(table=ONE_TICK_APART, seed=0)
def test_bounds_hold_whatever_the_model_makes(table: pa.Table, seed: int) -> None:
    fitted = chain(table, BOUNDED_RANGE)
    random = np.random.default_rng(seed)
    shares = {name: pa.array(random.uniform(-1.5, 1.5, table.num_rows)) for name in ("start", "end")}
    made = fitted.table
    for name, values in shares.items():
        made = made.set_column(made.schema.get_field_index(name), name, values)
    made = made.set_column(
        made.schema.get_field_index("start__first"),
        "start__first",
        made["start__first"].take(random.permutation(made.num_rows)),
    )
    back = fitted.revert(made, 1, "")
    known = [value for name in ("start", "end") for value in table[name].to_pylist()]
    assert all(min(known) <= value <= max(known) for name in ("start", "end") for value in back[name].to_pylist())
    assert back.schema.equals(table.schema)


@pytest.mark.parametrize("start", [[0.0, 0.0], [0, 0]])
def test_a_coarser_column_stays_inside_the_bounds_of_the_finer_one(start: list[float]) -> None:
    """-0.51 would be -1 in whole numbers, which is out of bounds: the next one inside is 0."""
    fitted = chain(pa.table({"id": ["a", "a"], "start": start, "end": [0.0, -0.51]}), BOUNDED_RANGE)
    made = fitted.table.set_column(1, "start", [[-1.0, -1.0]]).set_column(2, "end", [[-1.0, 1.0]])
    back = fitted.revert(made, 1, "")
    assert back["start"].to_pylist() == [0, 0]
    assert back["end"].to_pylist() == [-0.51, 0]


def test_lengths_and_gaps_that_were_never_negative_stay_so() -> None:
    table = pa.table({"id": [1, 1, 1], "start": [0, 10, 20], "end": [5, 15, 25]})
    fitted = chain(table, RANGE)
    made = fitted.table.set_column(1, "start", [[-4, 3, -2]]).set_column(2, "end", [[-1, 2, 6]])
    back = fitted.revert(made, 1, "")
    assert back["start"].to_pylist() == [0, 3, 5]
    assert back["end"].to_pylist() == [0, 5, 11]


def test_copies_of_a_person_are_told_apart_by_their_origins() -> None:
    table = pa.table({"id": [1, 1, 2], "value": [10, 30, 50]})
    fitted = chain(table, CUMULATED)
    origins = np.array([0, 0, 1, 1, 2])
    made = fitted.table.take(pa.array(origins))
    back = fitted.revert(made, 1, "", origins)
    assert back["value"].to_pylist() == [10, 10, 30, 30, 50]
    assert fitted.again(back, origins)["value"].to_pylist() == made["value"].to_pylist()


def test_datetimes_keep_their_unit_zone_and_step() -> None:
    zone = pa.timestamp("ms", "Europe/Paris")
    table = pa.table(
        {
            "id": [1, 1],
            "start": pa.array([DAY, DAY + dt.timedelta(hours=3)], zone),
            "end": pa.array(
                [DAY + dt.timedelta(hours=1), DAY + dt.timedelta(hours=4)], pa.timestamp("us", "Europe/Paris")
            ),
        }
    )
    fitted = chain(table, RANGE)
    assert fitted.table["end"].to_pylist() == [3_600_000_000] * 2
    assert fitted.revert(fitted.table, 1, "").equals(table)


def test_dates_that_came_as_text_are_read_as_declared() -> None:
    table = pa.table({"id": ["x", "x"], "start": ["2024-01-01", "2024-01-05"], "end": ["2024-01-02", "2024-01-09"]})
    said = [ColumnSpec(name, ColumnType.DATETIME) for name in ("start", "end")]
    fitted = chain(table, RANGE, columns=said)
    assert fitted.columns == (ColumnSpec("start"), ColumnSpec("end"), ColumnSpec("id", identifier=True))
    assert [d.day for d in fitted.revert(fitted.table, 1, "")["end"].to_pylist()] == [2, 9]


def test_a_weight_counts_for_all_that_is_made_of_a_column() -> None:
    table = pa.table({"id": [1, 1], "start": [1, 2], "end": [2, 3]})
    fitted = fit_chain(table, [], Space(column_weights={"start": 3.0}), [RANGE])
    assert fitted.space.column_weights == {"start": 3.0, "start__first": 3.0}


@pytest.mark.parametrize(
    ("columns", "processor", "message"),
    [
        ({"start": [1, None]}, RANGE, "'start' has missing values"),
        ({"end": [1.0, float("nan")]}, RANGE, "'end' has missing values"),
        ({"id": [1, None]}, RANGE, "'id' has missing values"),
        ({"value": ["a", "b"]}, CUMULATED, "holds neither"),
        ({"end": [DAY, DAY]}, RANGE, "of different kinds"),
        ({}, RangeDifference("id", "start", "start"), "twice"),
        ({}, BoundedRangeDifference("id", "id", "end"), "twice"),
        ({}, BoundedRangeDifference("id", "start", "end", "none"), "not a column of the table"),
        ({"hole": [1, None]}, BoundedRangeDifference("id", "start", "end", "hole"), "'hole' has missing values"),
        ({}, CumulatedDifference("id", "id"), "twice"),
        ({"value": [None, 1]}, CUMULATED, "'value' has missing values"),
        ({}, CumulatedDifference("nobody", "start"), "not a column of the table"),
    ],
)
def test_what_cannot_be_told_is_refused(columns: dict[str, list[object]], processor: Processor, message: str) -> None:
    table = pa.table({"id": [1, 1], "start": [1, 2], "end": [2, 3]} | columns)
    with pytest.raises(EngineError, match=message) as caught:
        chain(table, processor)
    assert caught.value.hint


@pytest.mark.parametrize("spec", [ColumnSpec("start", drop=True), ColumnSpec("start", primary_key=True)])
def test_columns_that_are_not_modelled_are_refused(spec: ColumnSpec) -> None:
    table = pa.table({"id": [1, 1], "start": [1, 2], "end": [2, 3]})
    with pytest.raises(EngineError, match="'start' of avatars, but it is dropped, excluded or a key"):
        chain(table, RANGE, columns=[spec])
