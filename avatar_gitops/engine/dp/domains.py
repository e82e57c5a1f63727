"""What values a column may have, from declarations and the type alone, and rows as codes of such domains.

Nothing here looks at more than one row at a time: bounds, categories, grids and decimals never follow the data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import UNFIT, cast_or_none
from avatar_gitops.engine.columns import (
    LARGEST,
    CategoryColumn,
    Codes,
    Floats,
    NumberColumn,
    decode_category,
    decode_number,
    detect,
    encode_category,
    encode_number,
)
from avatar_gitops.engine.dp.params import PublicColumn
from avatar_gitops.engine.params import ColumnSpec, ColumnType
from avatar_gitops.errors import EngineError

_TEMPORAL: Final = (ColumnType.DATETIME, ColumnType.DATETIME_TZ)
_DIGITS: Final = 3
_LARGEST_WHOLE: Final = 2.0**62


@dataclass(slots=True, frozen=True)
class NumberDomain:
    """Numbers between two bounds (NaN while they are unknown), in units of the output type."""

    column: NumberColumn
    complete: bool

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    @property
    def known(self) -> bool:
        """Whether the bounds are known, declared or learned."""
        return not math.isnan(self.column.lower)

    def bounded(self, lower: float, upper: float) -> NumberDomain:
        """The same with bounds; the grid on which numbers are written follows from them."""
        whole = self.column.type is not ColumnType.FLOAT
        low, high = (math.floor(lower), math.ceil(upper)) if whole else (lower, upper)
        decimals = 0 if whole or high <= low else max(0, _DIGITS - math.floor(math.log10(high - low)))
        if pa.types.is_decimal(self.column.output):
            decimals = self.column.output.scale
        return replace(self, column=replace(self.column, lower=float(low), upper=float(high), decimals=decimals))

    def decode(self, values: Floats) -> pa.Array:
        """Numbers of the column's own type inside the bounds; NaN becomes missing."""
        return decode_number(self.column, values)


@dataclass(slots=True, frozen=True)
class CategoryDomain:
    """A list of values (None while it is unknown), as text."""

    name: str
    type: ColumnType
    output: pa.DataType
    complete: bool
    values: tuple[str, ...] | None

    @property
    def known(self) -> bool:
        """Whether the list is known, declared or learned."""
        return self.values is not None

    @property
    def column(self) -> CategoryColumn:
        """The values in the column's own type; raises EngineError when one of them is of another type."""
        kind = self.output.value_type if pa.types.is_dictionary(self.output) else self.output
        modalities = cast_or_none(pa.array(self.values or (), pa.string()), kind)
        if modalities is None:
            raise EngineError(
                f"The public categories of column {self.name!r} are not all values of its type.",
                hint="Write them as they stand in the data, or declare the column as a category.",
            )
        levels = modalities if pa.types.is_dictionary(self.output) else None
        return CategoryColumn(self.name, self.type, self.output, modalities, levels)

    def decode(self, codes: Codes) -> pa.Array:
        """Values of the column's own type; `MISSING` becomes missing."""
        return decode_category(self.column, codes)


Domain = NumberDomain | CategoryDomain


@dataclass(slots=True)
class Rows:
    """The private rows, column by column; filled with codes once all domains are known.

    `numbers` and `categories` are as they were read. Only questions of the accountant may look inside.
    """

    size: int
    numbers: dict[str, Floats]
    categories: dict[str, pa.ChunkedArray]
    codes: npt.NDArray[np.int32] | None = None
    points: npt.NDArray[np.int16] | None = None


def declare(table: pa.Table, specs: Sequence[ColumnSpec], public: Mapping[str, PublicColumn]) -> list[Domain]:
    """Domains of the modelled columns from schema and declarations; raises EngineError for contradictions."""
    by_name = {spec.name: spec for spec in specs}
    unknown = sorted({*by_name, *public} - set(table.column_names))
    if unknown:
        raise EngineError(f"Column {unknown[0]!r} is declared but the table does not have it.")
    domains: list[Domain] = []
    for name in table.column_names:
        spec = by_name.get(name, ColumnSpec(name))
        if spec.pseudonym is not None and not spec.drop:
            raise EngineError(
                f"Column {name!r} is pseudonymized, but a substitute that follows a real value has no guarantee.",
                hint="Drop the column, or declare it as an identifier: rows get numbers then.",
            )
        if not (spec.drop or spec.identifier or spec.primary_key):
            domains.append(_declare(name, table[name].type, spec.type, public.get(name, PublicColumn())))
    if not domains:
        raise EngineError("The table has no column to model.", hint="Keep at least one column that is no key.")
    return domains


def read_rows(table: pa.Table, domains: Sequence[Domain]) -> Rows:
    """The private rows in the shape of the domains."""
    numbers = {d.name: encode_number(d.column, table[d.name]) for d in domains if isinstance(d, NumberDomain)}
    categories = {d.name: table[d.name] for d in domains if isinstance(d, CategoryDomain)}
    return Rows(table.num_rows, numbers, categories)


def category_codes(domain: CategoryDomain, values: pa.ChunkedArray) -> Codes:
    """Codes of values: `MISSING`, a place in the list, or the length of the list for what is not in it."""
    return encode_category(domain.column, values)


def texts(values: pa.ChunkedArray) -> pa.Array:
    """The values as text without missing ones."""
    plain = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    text = plain.cast(pa.string()).combine_chunks()
    return pc.filter(text, pc.and_(pc.is_valid(text), pc.not_equal(text, "")))


def _declare(name: str, kind: pa.DataType, declared: ColumnType | None, public: PublicColumn) -> Domain:
    if pa.types.is_null(kind):
        raise EngineError(f"Column {name!r} is empty and has no type.", hint="Drop it, or declare its type.")
    if public.categories is not None and declared is None:
        declared = ColumnType.CATEGORY
    type_ = declared or detect(name, kind)
    bounded = public.lower is not None or public.upper is not None
    if type_ in (ColumnType.CATEGORY, ColumnType.BOOL):
        if bounded:
            raise EngineError(f"Column {name!r} is a category, so public bounds mean nothing.", hint="List categories.")
        values = ("false", "true") if pa.types.is_boolean(kind) and public.categories is None else public.categories
        if values is not None and (not values or len(set(values)) < len(values)):
            raise EngineError(f"The public categories of column {name!r} are empty or name one twice.")
        domain = CategoryDomain(name, type_, kind, public.complete, values)
        _ = domain.column  # a list of another type is told before any budget is spent
        return domain
    if public.categories is not None:
        raise EngineError(f"Column {name!r} is a number, so public categories mean nothing.", hint="Give bounds.")
    number = NumberDomain(NumberColumn(name, type_, _output(kind, type_), 0, 1, 0, math.nan, math.nan), public.complete)
    return _bounded(number, public) if bounded else number


def _bounded(domain: NumberDomain, public: PublicColumn) -> NumberDomain:
    lower, upper = (_number(domain.column, side) for side in (public.lower, public.upper))
    largest = LARGEST if domain.column.type is ColumnType.FLOAT else _LARGEST_WHOLE
    if lower is None or upper is None or not -largest <= lower < upper <= largest:
        raise EngineError(
            f"Column {domain.name!r} needs a public lower bound and a larger public upper bound, both finite.",
            hint="Choose bounds from what the column means, never from the data.",
        )
    return domain.bounded(lower, upper)


def _number(column: NumberColumn, side: float | str | None) -> float | None:
    """A declared bound in units of the output type."""
    if side is None:
        return None
    try:
        if isinstance(side, str) and column.type in _TEMPORAL:
            moment = pa.array([side]).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            wanted = moment.cast(column.output, safe=False) if pa.types.is_timestamp(column.output) else (
                moment.cast(pa.timestamp("us")).cast(column.output, safe=False)
            )  # fmt: skip
            if pa.types.is_date32(wanted.type):
                wanted = wanted.cast(pa.int32())
            return float(wanted.cast(pa.int64())[0].as_py())
        return float(side)
    except (*UNFIT, ValueError):
        raise EngineError(
            f"A public bound of column {column.name!r} is not a value of its type {column.type}.",
            hint="Write numbers as numbers and dates as 2026-01-31.",
        ) from None


def _output(kind: pa.DataType, type_: ColumnType) -> pa.DataType:
    """The type in which a column comes back; a function of types alone."""
    is_ = pa.types
    if type_ is ColumnType.FLOAT:
        return kind if is_.is_floating(kind) or is_.is_decimal(kind) else pa.float64()
    if type_ is ColumnType.INT:
        return kind if is_.is_integer(kind) or is_.is_time(kind) or is_.is_duration(kind) else pa.int64()
    if type_ is ColumnType.DATETIME_TZ and not (is_.is_timestamp(kind) and kind.tz):
        return pa.timestamp("us", "UTC")
    return kind if is_.is_timestamp(kind) or is_.is_date(kind) else pa.timestamp("us")
