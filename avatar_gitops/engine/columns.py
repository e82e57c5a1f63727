"""Columns between Arrow and numbers: what kind a column is, how it is encoded, and how avatars get its type back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import UNFIT, cast_or_none, null, null_mask, number, text, to_arrow, to_numpy
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.errors import EngineError

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

MISSING: Final = -1
LARGEST: Final = 1e100
_MOST_DECIMALS: Final = 6
_LARGEST_SPAN: Final = 2**63 - 1
_TEMPORAL: Final = frozenset({ColumnType.DATETIME, ColumnType.DATETIME_TZ})
_WRITTEN: Final = (pa.date32(), *(pa.timestamp(unit) for unit in ("s", "ms", "us")))
_PER_SECOND: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(slots=True, frozen=True)
class NumberColumn:
    """A column modelled as a number: value = code + `origin`, in units of the output type.

    `step` is the coarsest unit in which all datetimes are whole; `lower` and `upper` bound the codes of the originals.
    `written` is the type of the text that datetimes came as, and go back to.
    """

    name: str
    type: ColumnType
    output: pa.DataType
    origin: int
    step: int
    decimals: int
    lower: float
    upper: float
    written: pa.DataType | None = None


@dataclass(slots=True, frozen=True)
class CategoryColumn:
    """A column modelled by its modalities; code i is `modalities[i]`, `len(modalities)` is one never seen.

    `levels` is the dictionary of the originals, unused levels included, when they came as a dictionary.
    """

    name: str
    type: ColumnType
    output: pa.DataType
    modalities: pa.Array
    levels: pa.Array | None = None


@dataclass(slots=True, frozen=True)
class EmptyColumn:
    """A column without a single value; it comes back empty."""

    name: str
    output: pa.DataType


Column = NumberColumn | CategoryColumn | EmptyColumn


def fit_column(name: str, values: pa.ChunkedArray, declared: ColumnType | None) -> Column:
    """How this column is modelled; raises EngineError when the data contradict the declared type."""
    kind = declared or detect(name, values.type)
    output = values.type
    if kind in (ColumnType.CATEGORY, ColumnType.BOOL):
        try:
            return _fit_category(name, values, kind)
        except UNFIT:
            raise _not_modelled(name, values.type) from None
    numbers = _as_type(name, _normal(values), kind)
    if numbers.null_count == len(numbers):
        return EmptyColumn(name, numbers.type if declared else output)
    if kind is ColumnType.FLOAT:
        return _fit_float(name, numbers, output)
    return _fit_integer(name, numbers, kind)


def fit_written_dates(name: str, values: pa.ChunkedArray) -> NumberColumn | None:
    """A text column as the dates that it spells, if each of them reads the same when it is written again."""
    written = _normal(values)
    for kind in _WRITTEN:
        dates = cast_or_none(written, kind)
        if dates is not None and dates.cast(written.type).equals(written):
            return replace(_fit_integer(name, dates, ColumnType.DATETIME), written=values.type)
    return None


def encode_number(column: NumberColumn, values: pa.ChunkedArray) -> Floats:
    """Codes of a numeric column; NaN where missing."""
    numbers = _normal(values)
    if column.type in _TEMPORAL:
        numbers = _as_type(column.name, numbers, column.type)
        if numbers.type != column.output:
            numbers = numbers.cast(column.output, safe=False)
    elif column.type is ColumnType.FLOAT or not _is_integral(numbers.type):
        return _floats(_cast(column.name, numbers, pa.float64(), "numbers")) - column.origin
    whole = _integers(column.name, numbers)
    missing = null_mask(whole)
    known = np.where(missing, column.origin, to_numpy(whole))
    if int(known.max(initial=column.origin)) - column.origin > _LARGEST_SPAN:  # not of the originals: a rough code does
        codes = known.astype(np.float64) - column.origin
    else:
        codes = (known - column.origin).astype(np.float64)
    codes[missing] = np.nan
    return codes


def check_size(name: str, values: Floats) -> None:
    """Raises EngineError for numbers that are infinite, or so large that nothing can be computed with them."""
    if (np.abs(values) > LARGEST).any():
        what = "infinite numbers" if np.isinf(values).any() else f"numbers beyond {LARGEST:.0e}"
        raise EngineError(f"Column {name!r} has {what}.", hint="Replace them by empty values.")


def decode_number(column: NumberColumn, codes: Floats) -> pa.Array:
    """Numbers of the column's own type from barycentres, inside the range of the originals; NaN becomes missing."""
    missing = np.isnan(codes)
    bounded = np.clip(np.where(missing, column.lower, codes), column.lower, column.upper)
    if column.type is ColumnType.FLOAT:
        rounded = np.clip(np.round(bounded, column.decimals), column.lower, column.upper)
        return _restore(to_arrow(rounded, missing), column.output)
    if column.type in _TEMPORAL:
        whole = np.floor(bounded + 1e-9).astype(np.int64) + column.origin
        whole -= whole % column.step
    else:
        whole = np.rint(bounded).astype(np.int64) + column.origin
    restored = _restore(to_arrow(whole, missing), column.output)
    return restored if column.written is None else _as_text(restored, column.written)


def _as_text(dates: pa.Array, kind: pa.DataType) -> pa.Array:
    """Dates written out as text, which may be a dictionary."""
    if not pa.types.is_dictionary(kind):
        return dates.cast(kind)
    return dates.cast(kind.value_type).dictionary_encode().cast(kind)


def told(column: NumberColumn, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values of a column as what they are modelled as: dates that are written as text become dates."""
    return values if column.written is None else pa.chunked_array([_normal(values).cast(column.output)])


def encode_category(column: CategoryColumn, values: pa.ChunkedArray) -> Codes:
    """Codes of a categorical column: `MISSING`, a known modality, or `len(modalities)` for one never seen."""
    places, distinct = _distinct(values)
    if distinct.type != column.modalities.type:
        distinct = _cast(column.name, distinct, column.modalities.type, "values of the originals' type")
    found = pc.index_in(distinct, value_set=column.modalities)
    known = np.where(null_mask(found), len(column.modalities), to_numpy(found))
    # the last entry is that of missing values, whose place is -1
    return np.append(np.where(null_mask(distinct), MISSING, known), MISSING).astype(np.int32)[places]


def decode_category(column: CategoryColumn, codes: Codes) -> pa.Array:
    """Values of the column's own type; unused levels and the order of a dictionary are kept."""
    missing = codes < 0
    if column.levels is None:
        return column.modalities.take(to_arrow(codes, missing)).cast(column.output)
    places = to_numpy(pc.index_in(column.modalities.cast(column.levels.type), value_set=column.levels))
    width = to_numpy(pa.nulls(0, column.output.index_type)).dtype
    indices = to_arrow(np.append(places, 0).astype(width)[codes], missing)
    return pa.DictionaryArray.from_arrays(indices, column.levels, ordered=column.output.ordered)


def typed(name: str, values: pa.ChunkedArray, declared: ColumnType) -> pa.Array:
    """The values in their declared type; raises EngineError when they do not fit."""
    return _as_type(name, _normal(values), declared)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of that type holds text (also as a dictionary)."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def detect(name: str, kind: pa.DataType) -> ColumnType:
    is_ = pa.types
    if is_.is_boolean(kind):
        return ColumnType.BOOL
    if _is_integral(kind):
        return ColumnType.INT
    if is_.is_floating(kind) or is_.is_decimal(kind):
        return ColumnType.FLOAT
    if is_.is_timestamp(kind):
        return ColumnType.DATETIME if kind.tz is None else ColumnType.DATETIME_TZ
    if is_.is_date(kind):
        return ColumnType.DATETIME
    if is_.is_dictionary(kind):
        detect(name, kind.value_type)
    elif not (is_text(kind) or is_.is_null(kind)):
        raise _not_modelled(name, kind)
    return ColumnType.CATEGORY


def _not_modelled(name: str, kind: pa.DataType) -> EngineError:
    return EngineError(
        f"Column {name!r} has the type {kind}, which cannot be modelled.",
        hint="Drop the column, or turn it into numbers, dates or text.",
    )


def _fit_category(name: str, values: pa.ChunkedArray, kind: ColumnType) -> Column:
    places, distinct = _distinct(values)
    used = np.bincount(places + 1, minlength=len(distinct) + 1)[1:] > 0
    seen = distinct.take(to_arrow(np.flatnonzero(used))).drop_null().unique()
    if len(seen) == 0:
        return EmptyColumn(name, values.type)
    ordered = in_order(name, seen, kind)
    levels = None
    if pa.types.is_dictionary(values.type):
        levels = values.unify_dictionaries().combine_chunks().dictionary
    return CategoryColumn(name, kind, values.type, ordered, levels)


def in_order(name: str, distinct: pa.Array, kind: ColumnType) -> pa.Array:
    """The modalities of a column in the order of their codes."""
    if kind is ColumnType.BOOL and len(distinct) > 2:
        raise EngineError(
            f"Column {name!r} is declared bool but has more than two different values.",
            hint="Declare it category or int.",
        )
    return distinct.take(
        pc.sort_indices(distinct.cast(pa.string()) if pa.types.is_boolean(distinct.type) else distinct)
    )


def _fit_float(name: str, numbers: pa.Array, output: pa.DataType) -> NumberColumn:
    values = _floats(numbers)
    known = values[~np.isnan(values)]
    check_size(name, known)
    decimal = pa.types.is_decimal(output)
    if not (decimal or pa.types.is_floating(output)):
        output = pa.float64()
    decimals = output.scale if decimal else _decimals(known, coarse=output in (pa.float16(), pa.float32()))
    return NumberColumn(name, ColumnType.FLOAT, output, 0, 1, decimals, float(known.min()), float(known.max()))


def _fit_integer(name: str, numbers: pa.Array, kind: ColumnType) -> NumberColumn:
    whole = to_numpy(_integers(name, numbers).drop_null())
    origin = int(whole.min())
    if kind in _TEMPORAL and not _can_be_written(numbers):
        raise EngineError(
            f"Column {name!r} has dates in years that cannot be written.", hint="Replace them by empty values."
        )
    check_span(name, int(whole.max()) - origin)
    step = _step(numbers.type, whole) if kind in _TEMPORAL else 1
    return NumberColumn(name, kind, numbers.type, origin, step, 0, 0.0, as_float_at_most(int(whole.max()) - origin))


def _can_be_written(dates: pa.Array) -> bool:
    """Whether Arrow has a text for the first and the last of some dates: it counts years in 16 bits."""
    ends = pc.min_max(dates)
    texts = [str(ends[end].cast(pa.string())) for end in ("min", "max")]
    return not any("out of range" in text for text in texts)


def check_span(name: str, span: int) -> None:
    """Raises EngineError when the smallest and the largest whole number are too far apart."""
    if span > _LARGEST_SPAN:
        raise EngineError(
            f"Column {name!r} has whole numbers that are further apart than 64 bits can count.",
            hint="Declare it as a float, as a category or as an identifier.",
        )


def as_float_at_most(number: int) -> float:
    """The largest float that is not above a whole number: beyond 2^53 the nearest one may be."""
    near = float(number)
    return near if int(near) <= number else float(np.nextafter(near, 0.0))


def most_decimals(largest: float) -> int:
    """How many decimals are kept when the largest size of a number is this."""
    return min(300, _MOST_DECIMALS - (int(np.floor(np.log10(largest))) if 0 < largest < 1 else 0))


def _decimals(known: Floats, *, coarse: bool) -> int:
    """Most decimals in use, up to 6; numbers below 1 may have more, so that 6 digits stay significant."""
    most = most_decimals(float(np.abs(known).max()))
    slack = 1e-6 if coarse else 1e-12
    for decimals in range(most):
        scale = 10.0**decimals
        scaled = known * scale
        significant = np.rint(scaled).any() or not known.any()  # small numbers are not zeros
        if significant and np.all(np.abs(scaled - np.rint(scaled)) <= slack * np.maximum(1.0, np.abs(scaled))):
            return decimals
    return most


def _step(kind: pa.DataType, whole: npt.NDArray[np.int64]) -> int:
    if pa.types.is_date32(kind):
        return 1
    second = _PER_SECOND["ms" if pa.types.is_date64(kind) else kind.unit]
    ladder = [86_400 * second, 3_600 * second, 60 * second, second]
    ladder += [second // parts for parts in (1_000, 1_000_000) if second > parts]
    return next((step for step in ladder if not (whole % step).any()), 1)


def _distinct(values: pa.ChunkedArray) -> tuple[Codes, pa.Array]:
    """The place of each value in an array that holds every value (-1 where missing); empty text and NaN are null there.

    A dictionary is taken as it is, so that its rows are never spelt out.
    """
    encoded = values if pa.types.is_dictionary(values.type) else _normal(values).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = one_array(encoded.unify_dictionaries())
    places = to_numpy(encoded.indices).astype(np.int32)
    places[null_mask(encoded.indices)] = -1
    distinct = _normal(encoded.dictionary)
    return places, distinct.cast(pa.float32()) if pa.types.is_float16(distinct.type) else distinct  # cannot be sorted


def one_array(values: pa.ChunkedArray) -> pa.Array:
    """All chunks in one array."""
    if values.num_chunks == 1:
        return values.chunk(0)
    array = values.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # too much text for one chunk
        return pa.concat_arrays(array.cast(pa.large_string()).chunks)
    return array


def _normal(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One plain array; empty text and NaN are missing."""
    array = one_array(values) if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return pc.if_else(pc.equal(array, text("", array.type)), null(array.type), array)
    if pa.types.is_floating(array.type):
        return pc.if_else(pc.is_nan(array), null(array.type), array)
    return array


def _as_type(name: str, values: pa.Array, kind: ColumnType) -> pa.Array:
    is_ = pa.types
    if kind is ColumnType.FLOAT:
        return _normal(_cast(name, values, pa.float64(), "numbers"))
    if kind is ColumnType.INT:
        return values if _is_integral(values.type) else _cast(name, values, pa.int64(), "whole numbers")
    if is_.is_timestamp(values.type) or is_.is_date(values.type):
        zoned = is_.is_timestamp(values.type) and values.type.tz is not None
        if kind is ColumnType.DATETIME_TZ and not zoned:
            return pc.assume_timezone(values.cast(pa.timestamp("us")), "UTC")
        return values
    if not (is_.is_string(values.type) or is_.is_large_string(values.type) or is_.is_null(values.type)):
        raise EngineError(f"Column {name!r} is declared {kind} but holds no dates.", hint="Change its type.")
    return _cast(name, values, pa.timestamp("us", "UTC" if kind is ColumnType.DATETIME_TZ else None), "ISO 8601 dates")


def _cast(name: str, values: pa.Array, kind: pa.DataType, wanted: str) -> pa.Array:
    fitting = cast_or_none(values, kind)
    if fitting is None:
        raise EngineError(
            f"Column {name!r} should hold {wanted}, but some of its values do not fit.",
            hint="Correct the values or declare another type.",
        )
    return fitting


def _is_integral(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_time(kind) or pa.types.is_duration(kind))


def _integers(name: str, values: pa.Array) -> pa.Array:
    if pa.types.is_date32(values.type) or pa.types.is_time32(values.type):
        values = values.cast(pa.int32())
    return _cast(name, values, pa.int64(), "whole numbers of at most 64 bits")


def _floats(values: pa.Array) -> Floats:
    return np.array(to_numpy(pc.fill_null(values.cast(pa.float64()), number(np.nan, pa.float64()))), dtype=np.float64)


def _restore(values: Any, output: pa.DataType) -> pa.Array:
    if pa.types.is_date32(output) or pa.types.is_time32(output):
        return values.cast(pa.int32()).cast(output)
    if pa.types.is_decimal(output):
        return values.cast(pa.decimal128(38, output.scale)).cast(output)
    return values.cast(output)
