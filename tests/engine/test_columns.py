"""Columns to codes and back: types, missing values, limits."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.columns import (
    CategoryColumn,
    EmptyColumn,
    NumberColumn,
    decode_category,
    decode_number,
    encode_category,
    encode_number,
    fit_column,
)
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.errors import EngineError

PARIS = ZoneInfo("Europe/Paris")


def naive(year: int, month: int, day: int, hour: int = 0, micro: int = 0) -> dt.datetime:
    """A datetime without zone, as tables hold them."""
    return dt.datetime.combine(dt.date(year, month, day), dt.time(hour, 0, 0, micro))


ROUND_TRIPS = {
    "int8": pa.array([1, -5, 100], pa.int8()),
    "nullable int": pa.array([1, None, 3], pa.int64()),
    "large int": pa.array([2**60, 2**60 + 1, None], pa.int64()),
    "unsigned": pa.array([0, 250, 3], pa.uint8()),
    "float": pa.array([1.25, None, -3.5]),
    "float with NaN": pa.array([1.25, float("nan"), 0.5]),
    "float32": pa.array([0.1, 0.2, 5.0], pa.float32()),
    "small floats": pa.array([1.5e-9, 2.5e-9, 3e-9]),
    "decimal": pa.array([Decimal("1.20"), Decimal("3.45"), None], pa.decimal128(10, 2)),
    "bool": pa.array([True, None, False]),
    "text": pa.array(["b", "a", None]),
    "large text": pa.array(["b", "a", None], pa.large_string()),
    "dictionary": pa.DictionaryArray.from_arrays(pa.array([2, 0, None], pa.int8()), ["z", "unused", "a"]),
    "ordered dictionary": pa.DictionaryArray.from_arrays(pa.array([1, 0, 1]), ["low", "high"], ordered=True),
    "date32": pa.array([dt.date(2020, 2, 3), None, dt.date(1950, 1, 1)]),
    "date64": pa.array([dt.date(2020, 2, 3), None, dt.date(1950, 1, 1)], pa.date64()),
    "seconds": pa.array([naive(2020, 1, 1, 3), None], pa.timestamp("s")),
    "microseconds": pa.array([naive(2020, 1, 1, 3, 7), None], pa.timestamp("us")),
    "nanoseconds": pa.array([1_600_000_000_000_000_001, None], pa.timestamp("ns")),
    "zone": pa.array([dt.datetime(2020, 7, 1, tzinfo=PARIS), None], pa.timestamp("us", "Europe/Paris")),
    "time": pa.array([dt.time(3, 4), dt.time(5, 6)], pa.time32("s")),
    "duration": pa.array([dt.timedelta(seconds=5), None], pa.duration("ms")),
}


@pytest.mark.parametrize("values", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_encoding_and_decoding_gives_the_column_back(values: pa.Array) -> None:
    chunked = pa.chunked_array([values])
    column = fit_column("x", chunked, None)
    if isinstance(column, NumberColumn):
        decoded = decode_number(column, encode_number(column, chunked))
    else:
        assert isinstance(column, CategoryColumn)
        decoded = decode_category(column, encode_category(column, chunked))
    assert decoded.type == values.type
    expected = [None if isinstance(v, float) and np.isnan(v) else v for v in values.to_pylist()]
    assert decoded.to_pylist() == expected
    if pa.types.is_dictionary(values.type):
        assert decoded.dictionary.equals(values.dictionary)


def number(values: pa.Array, declared: ColumnType | None = None) -> NumberColumn:
    column = fit_column("x", pa.chunked_array([values]), declared)
    assert isinstance(column, NumberColumn)
    return column


def test_integers_round_half_to_even_and_stay_in_range() -> None:
    column = number(pa.array([10, 20]))
    assert decode_number(column, np.array([0.5, 1.5, -7.0, 99.0])).to_pylist() == [10, 12, 10, 20]


def test_floats_have_no_more_decimals_than_the_originals() -> None:
    column = number(pa.array([1.25, 3.5]))
    assert decode_number(column, np.array([2.123456789])).to_pylist() == [2.12]
    assert number(pa.array([1 / 3, 2.5])).decimals == 6


def test_whole_floats_stay_whole() -> None:
    assert decode_number(number(pa.array([25.0, 31.0, None])), np.array([27.4])).to_pylist() == [27.0]


def test_dates_are_cut_to_the_resolution_in_use() -> None:
    days = pa.array([naive(2020, 1, 1), naive(2020, 1, 11)], pa.timestamp("ns"))
    decoded = decode_number(number(days), np.array([3.7 * 86_400e9]))
    assert decoded.to_pylist() == [naive(2020, 1, 4)]


def test_empty_text_is_missing() -> None:
    column = fit_column("x", pa.chunked_array([["", "a", None]]), None)
    assert isinstance(column, CategoryColumn)
    assert column.modalities.to_pylist() == ["a"]
    assert encode_category(column, pa.chunked_array([["", "a", "new"]])).tolist() == [-1, 0, 1]


def test_digits_declared_category_stay_digits() -> None:
    column = fit_column("x", pa.chunked_array([[3, 1, None]]), ColumnType.CATEGORY)
    assert isinstance(column, CategoryColumn)
    assert decode_category(column, np.array([1, 0, -1], dtype=np.int32)).equals(pa.array([3, 1, None]))


def test_whole_floats_declared_int_become_integers() -> None:
    assert number(pa.array([1.0, None, 3.0]), ColumnType.INT).output == pa.int64()


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        ([1.5, 2.0], ColumnType.INT),
        (["four", "5"], ColumnType.FLOAT),
        (["a", "b", "c"], ColumnType.BOOL),
        (["someday", "2020-01-01"], ColumnType.DATETIME),
        ([4, 5], ColumnType.DATETIME),
        ([float("inf"), 1.0], None),
        ([[1], [2]], None),
        ([b"x", b"y"], None),
    ],
)
def test_data_that_contradict_the_type_are_refused_by_name(values: list[object], declared: ColumnType | None) -> None:
    with pytest.raises(EngineError, match="'weird'") as caught:
        fit_column("weird", pa.chunked_array([pa.array(values)]), declared)
    assert not any(str(value) in caught.value.message for value in values if isinstance(value, str) and len(value) > 1)


@pytest.mark.parametrize("kind", [pa.null(), pa.float64(), pa.string(), pa.timestamp("us"), pa.bool_()])
def test_a_column_without_values_is_empty_and_keeps_its_type(kind: pa.DataType) -> None:
    column = fit_column("x", pa.chunked_array([pa.nulls(3, kind)]), None)
    assert column == EmptyColumn("x", kind)


@settings(deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1), st.lists(st.floats(-1e7, 1e7), min_size=1)
)
def test_decoded_numbers_never_leave_the_range_of_the_originals(originals: list[float], drawn: list[float]) -> None:
    column = number(pa.array(originals))
    decoded = decode_number(column, np.array(drawn)).to_pylist()
    assert all(min(originals) <= value <= max(originals) for value in decoded)


@pytest.mark.parametrize("declared", [None, ColumnType.CATEGORY, ColumnType.BOOL])
@pytest.mark.parametrize("values", [pa.array([[1], None]), pa.array([{"a": 1}])])
def test_nested_values_are_refused_whatever_is_declared(values: pa.Array, declared: ColumnType | None) -> None:
    with pytest.raises(EngineError, match="which cannot be modelled"):
        fit_column("z", pa.chunked_array([values]), declared)


@pytest.mark.parametrize("kind", [pa.month_day_nano_interval(), pa.binary(2), pa.dictionary(pa.int8(), pa.binary())])
def test_only_types_that_are_known_are_modelled(kind: pa.DataType) -> None:
    with pytest.raises(EngineError, match="which cannot be modelled"):
        fit_column("z", pa.chunked_array([pa.nulls(3, kind)]), None)


@pytest.mark.parametrize("kind", [pa.timestamp("s"), pa.date64()])
def test_years_that_cannot_be_written_are_refused(kind: pa.DataType) -> None:
    far = pa.array([0, 86_400_000 * 2**33], pa.int64()).cast(kind)
    with pytest.raises(EngineError, match="years that cannot be written"):
        fit_column("z", pa.chunked_array([far]), None)
