"""Numbers of a column for exact arithmetic: whole ones as int64 (datetimes in ticks), others as float64, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import cast_or_none, null_mask, to_arrow, to_numpy
from avatar_gitops.engine.columns import Floats, NumberColumn, fit_column
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.errors import EngineError

Numbers = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
TICKS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_TEMPORAL: Final = frozenset({ColumnType.DATETIME, ColumnType.DATETIME_TZ})


@dataclass(slots=True, frozen=True)
class Gauge:
    """How the numbers of one column are read and written; `working` is the Arrow type that they are read in."""

    column: NumberColumn
    working: pa.DataType
    output: pa.DataType

    @property
    def temporal(self) -> bool:
        """Whether the column holds datetimes or dates."""
        return self.column.type in _TEMPORAL

    @property
    def whole(self) -> bool:
        """Whether the numbers are int64."""
        return self.column.type is not ColumnType.FLOAT

    @property
    def ticks(self) -> int:
        """Ticks of a datetime in one second."""
        return TICKS[self.working.unit]

    @property
    def unit(self) -> float | int:
        """The distance of two neighbouring numbers that the column can show."""
        return self.column.step if self.whole else 10.0**-self.column.decimals

    def read(self, values: pa.ChunkedArray) -> tuple[Numbers, Mask]:
        """Numbers (0 or NaN where missing) and where they are missing."""
        array = _one(values)
        array = array.cast(self.working, safe=False) if array.type != self.working else array
        missing = null_mask(array)
        if self.whole:
            return np.where(missing, 0, to_numpy(array.cast(pa.int64()))), missing
        numbers = np.where(missing, np.nan, to_numpy(array.cast(pa.float64())))
        return numbers, np.isnan(numbers)

    def settle(self, numbers: Numbers) -> Numbers:
        """The nearest numbers that the column can show: whole ones, full time steps, or its own decimals."""
        if not self.whole:
            rounded = np.round(numbers, self.column.decimals)
            return np.where(np.isfinite(rounded), rounded, numbers)
        whole = numbers if numbers.dtype == np.int64 else _to_whole(numbers)
        step = self.column.step
        return whole if step == 1 else whole - (whole + step // 2) % step + step // 2

    def write(self, numbers: Numbers, missing: Mask | None = None) -> pa.Array:
        """Values of the column's own type; what the type cannot hold becomes its nearest value."""
        absent = np.zeros(len(numbers), dtype=bool) if missing is None else missing
        if not self.whole:
            absent = absent | np.isnan(numbers)
        narrow = pa.types.is_integer(self.output) or pa.types.is_decimal(self.output)
        low, high = _limits(self.output if narrow else self.working)
        settled = np.clip(self.settle(np.where(absent, numbers.dtype.type(0), numbers)), low, high)
        if pa.types.is_integer(self.output):
            settled = np.rint(settled)
        array = to_arrow(settled, absent)
        if pa.types.is_decimal(self.working):
            array = array.cast(pa.decimal128(38, self.working.scale))
        return array.cast(self.working).cast(self.output, safe=False)


def gauge(name: str, values: pa.ChunkedArray, working: pa.DataType | None = None) -> Gauge | None:
    """The gauge of a numeric or datetime column, None when all its values are missing.

    `working` is a wider type to calculate in. Raises EngineError when the column holds neither numbers nor datetimes.
    """
    if not is_number(values.type) and not is_datetime(values.type) and not pa.types.is_null(values.type):
        raise EngineError(
            f"Column {name!r} is read by a processor that needs numbers or datetimes, but it holds neither.",
            hint="Name another column, or declare the type of this one.",
        )
    wanted = working or _instants(values.type)
    wider = values if wanted == values.type else _cast(name, values, wanted)
    column = fit_column(name, wider, None)
    if not isinstance(column, NumberColumn):
        return None
    return Gauge(column, wider.type, values.type)


def gauge_together(table: pa.Table, names: tuple[str, ...]) -> tuple[Gauge, ...]:
    """Gauges of columns that are compared with each other: all numbers or all datetimes, in one common type.

    Raises EngineError when values are missing, or when numbers and datetimes (or time zones) are mixed.
    """
    for name in names:
        refuse_missing(name, table[name])
    working = common_type(table, names)
    found = []
    for name in names:
        fitted = gauge(name, table[name], working)
        if fitted is None:
            raise EngineError("The table has no rows.")
        found.append(fitted)
    return tuple(found)


def common_type(table: pa.Table, names: tuple[str, ...]) -> pa.DataType:
    """The type in which columns are calculated with; raises EngineError when they are of different kinds."""
    kinds = [_instants(table[name].type) for name in names]
    if all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    if all(map(pa.types.is_timestamp, kinds)):
        zones = {kind.tz for kind in kinds}
        if len(zones) == 1:
            return pa.timestamp(max((kind.unit for kind in kinds), key=lambda unit: TICKS[unit]), zones.pop())
    elif all(map(pa.types.is_integer, kinds)):
        return pa.int64()
    elif all(map(is_number, kinds)) and not any(map(pa.types.is_duration, kinds)):
        return pa.float64()
    raise EngineError(
        f"A processor compares {' and '.join(map(repr, names))}, which are of different kinds.",
        hint="Give both columns the same type: numbers, datetimes without a zone, or datetimes of one zone.",
    )


def refuse_missing(name: str, values: pa.ChunkedArray) -> None:
    """Raise EngineError when a value is missing."""
    floating = pa.types.is_floating(values.type)
    if values.null_count or (floating and pc.any(pc.is_nan(values)).as_py()):
        raise EngineError(
            f"Column {name!r} has missing values, which its processor cannot have.",
            hint="Fill them or leave these rows out, or remove the processor.",
        )


def is_number(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a number that can be added."""
    is_ = pa.types
    return bool(is_.is_integer(kind) or is_.is_floating(kind) or is_.is_decimal(kind) or is_.is_duration(kind))


def is_datetime(kind: pa.DataType) -> bool:
    """Whether an Arrow type is a point in time."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def read_floats(values: pa.ChunkedArray | pa.Array) -> Floats:
    """Numbers as floats; NaN where missing."""
    array = _one(values)
    return np.where(null_mask(array), np.nan, to_numpy(array.cast(pa.float64())))


def read_whole(values: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.int64]:
    """Whole numbers; 0 where missing."""
    array = _one(values)
    return np.where(null_mask(array), 0, to_numpy(array.cast(pa.int64())))


def shown(values: Floats) -> pa.Array:
    """Floats as Arrow values; NaN is missing."""
    return to_arrow(values, np.isnan(values))


def put(table: pa.Table, columns: dict[str, pa.Array]) -> pa.Table:
    """The table with these columns replaced in their places, new ones at the end."""
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        table = table.append_column(name, values) if at < 0 else table.set_column(at, name, values)
    return table


def free_name(table: pa.Table, wanted: str) -> str:
    """A column name that the table does not have."""
    while wanted in table.column_names:
        wanted += "_"
    return wanted


def _one(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _to_whole(numbers: Floats) -> npt.NDArray[np.int64]:
    edge = float(2**63 - 1024)
    return np.rint(np.clip(numbers, -edge, edge)).astype(np.int64)


def _limits(kind: pa.DataType) -> tuple[float, float]:
    if pa.types.is_integer(kind):
        info = np.iinfo(kind.to_pandas_dtype())
        return int(info.min), min(int(info.max), 2**63 - 1)
    if pa.types.is_decimal(kind):
        most = 10.0 ** min(kind.precision - kind.scale, 15) - 10.0**-kind.scale
        return -most, most
    if pa.types.is_floating(kind):
        return -np.inf, np.inf
    return -(2**63) + 1, 2**63 - 1


def _instants(kind: pa.DataType) -> pa.DataType:
    """Dates as points in time; other types as they are."""
    if pa.types.is_date(kind):
        return pa.timestamp("s" if pa.types.is_date32(kind) else "ms")
    return kind


def _cast(name: str, values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    fitting = cast_or_none(values, kind)
    if fitting is None:
        raise EngineError(
            f"Column {name!r} has values that a processor cannot compare with those of another column.",
            hint="Give both columns the same type.",
        )
    return fitting
