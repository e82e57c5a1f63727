"""A table as numbers: which columns are modelled, their codes, and the missing indicators."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import (
    MISSING,
    CategoryColumn,
    Codes,
    Column,
    EmptyColumn,
    Floats,
    NumberColumn,
    check_size,
    encode_category,
    encode_number,
    fit_column,
    fit_written_dates,
    is_text,
)
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.errors import EngineError

_IDENTIFIER_ROWS: Final = 20


@dataclass(slots=True, frozen=True)
class Layout:
    """The modelled columns of a table, in table order within each kind, and those that are not modelled.

    `keys` get fresh values, `aside` are excluded columns, which come back with real ones.
    """

    numbers: tuple[NumberColumn, ...]
    categories: tuple[CategoryColumn, ...]
    empty: tuple[EmptyColumn, ...]
    keys: tuple[ColumnSpec, ...]
    dropped: tuple[str, ...]
    aside: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Modelled columns: numbers first, then categories."""
        return (*(column.name for column in self.numbers), *(column.name for column in self.categories))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of modalities of each categorical column."""
        return tuple(len(column.modalities) for column in self.categories)


@dataclass(slots=True, frozen=True)
class Frame:
    """Codes of the modelled columns, one row per row; NaN and `MISSING` where a value is missing."""

    numbers: Floats
    codes: Codes

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.numbers)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Where values are missing, columns in the order of `Layout.names`."""
        return np.hstack([np.isnan(self.numbers), self.codes == MISSING])

    def take(self, rows: npt.NDArray[np.int64]) -> Frame:
        """Some rows, in the given order."""
        return Frame(self.numbers[rows], self.codes[rows])


def fit_layout(table: pa.Table, specs: Sequence[ColumnSpec], aside: Collection[str] = ()) -> Layout:
    """Type every column that is not put aside; raises EngineError for unknown names and undeclared identifiers."""
    columns = {}
    for spec in modelled(table.column_names, specs, aside):
        values = table[spec.name]
        columns[spec.name] = without_identifiers(fit_column(spec.name, values, spec.type), values)
    return lay_out(table.column_names, specs, columns, aside)


def modelled(names: Sequence[str], specs: Sequence[ColumnSpec], aside: Collection[str] = ()) -> list[ColumnSpec]:
    """What is known of each column that is modelled, in table order; raises EngineError for unknown names."""
    by_name = {spec.name: spec for spec in specs}
    unknown = sorted(by_name.keys() - set(names))
    if unknown:
        raise EngineError(f"Column {unknown[0]!r} is declared but the table does not have it.")
    known = [by_name.get(name, ColumnSpec(name)) for name in names]
    return [spec for spec in known if not (spec.drop or is_key(spec) or spec.name in aside)]


def lay_out(
    names: Sequence[str], specs: Sequence[ColumnSpec], columns: Mapping[str, Column], aside: Collection[str] = ()
) -> Layout:
    """The layout of a table with these columns in order, of which some are modelled as said."""
    by_name = {spec.name: spec for spec in specs}
    fitted = list(columns.values())
    keys = [by_name[name] for name in names if name in by_name]
    return Layout(
        tuple(column for column in fitted if isinstance(column, NumberColumn)),
        tuple(column for column in fitted if isinstance(column, CategoryColumn)),
        tuple(column for column in fitted if isinstance(column, EmptyColumn)),
        tuple(s for s in keys if is_key(s) and not s.drop),
        tuple(s.name for s in keys if s.drop),
        tuple(name for name in names if name in aside),
    )


def is_key(spec: ColumnSpec) -> bool:
    """Whether a column gets fresh values instead of being modelled."""
    return spec.identifier or spec.primary_key or spec.pseudonym is not None


def check_keys(keys: Sequence[ColumnSpec], schema: pa.Schema) -> None:
    """Raises EngineError for a key with lists or other nested values, which cannot be told apart.

    Of a primary key without a pseudonym no value is looked at.
    """
    for key in keys:
        if pa.types.is_nested(schema.field(key.name).type) and (key.pseudonym is not None or not key.primary_key):
            raise unfit_key(key.name)


def unfit_key(name: str) -> EngineError:
    """What a key says whose values cannot be told apart."""
    return EngineError(
        f"Column {name!r} is a key, but holds values that cannot be written as text.", hint="Drop the column."
    )


def looks_like_identifier(values: pa.ChunkedArray, distinct: int) -> bool:
    """Whether every row of a text column has another value; too few rows say nothing."""
    return len(values) >= _IDENTIFIER_ROWS and distinct == len(values) and is_text(values.type)


def encode(layout: Layout, table: pa.Table) -> Frame:
    """The modelled columns of a table that has the layout's columns (originals or avatars)."""
    absent = [name for name in layout.names if name not in table.column_names]
    if absent:
        raise EngineError(f"The avatars do not have the column {absent[0]!r} of the originals.")
    numbers = np.empty((table.num_rows, len(layout.numbers)), order="F")
    codes = np.empty((table.num_rows, len(layout.categories)), dtype=np.int32, order="F")
    for i, number in enumerate(layout.numbers):
        numbers[:, i] = encode_number(number, table[number.name])
        check_size(number.name, numbers[:, i])
    for i, category in enumerate(layout.categories):
        codes[:, i] = encode_category(category, table[category.name])
    return Frame(numbers, codes)


def without_identifiers(column: Column, values: pa.ChunkedArray) -> Column:
    """The column, its texts read as dates when they are dates and all different; other texts like that are refused.

    As a modality, a text that nobody shares could only be given back as it is.
    """
    if not isinstance(column, CategoryColumn) or not looks_like_identifier(values, len(column.modalities)):
        return column
    dates = fit_written_dates(column.name, values)
    if dates is None:
        raise EngineError(
            f"Column {column.name!r} looks like an identifier: every row has a different text.",
            hint="Drop, exclude or pseudonymize the column, or declare it as an identifier or as the primary key.",
        )
    return dates
