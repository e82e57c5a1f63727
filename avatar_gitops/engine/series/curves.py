"""The rows of a series table as curves of people: points in the order of time, numbers instead of dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import (
    CategoryColumn,
    Column,
    EmptyColumn,
    Floats,
    NumberColumn,
    check_size,
    encode_number,
    fit_column,
    fit_written_dates,
)
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.series.model import SeriesTable
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class SeriesLayout:
    """The columns of a series table by what they are; `empty` ones are variables without a single value."""

    time: NumberColumn
    variables: tuple[NumberColumn, ...]
    empty: tuple[EmptyColumn, ...]
    key: ColumnSpec | None
    dropped: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The modelled variables."""
        return tuple(column.name for column in self.variables)


@dataclass(slots=True, frozen=True)
class Curves:
    """The series of `lengths.size` people.

    `person`, `time` (codes of the time column) and `values` (points, variables; NaN where missing) have one row per
    point in time, ordered by person and time; rows of one person at one time are averaged. `lengths` counts the rows
    that a person really has, 0 for nobody's series.
    """

    person: Ids
    time: Floats
    values: Floats
    lengths: Ids

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Who has a series."""
        return self.lengths > 0

    @property
    def starts(self) -> Floats:
        """First time of each person, NaN without a series."""
        found = np.full(len(self.lengths), np.nan)
        found[self.person[::-1]] = self.time[::-1]
        return found

    @property
    def durations(self) -> Floats:
        """Time from the first to the last point of each person, NaN without a series."""
        found = np.full(len(self.lengths), np.nan)
        found[self.person] = self.time
        return np.asarray(found - self.starts)


def fit_series_layout(table: SeriesTable) -> SeriesLayout:
    """Type the columns of a series table.

    Raises EngineError for a column that does not exist, a time or a variable that is no number or date, a variable that
    would have to be an identifier, and a table without variables.
    """
    specs = {spec.name: spec for spec in table.columns}
    names = table.rows.column_names
    absent = next((name for name in (table.time, *specs) if name not in names), None)
    if absent is not None:
        raise EngineError(f"Table {table.name!r}: column {absent!r} is declared but the table does not have it.")
    if table.time == table.foreign_key or (table.time in specs and specs[table.time].drop):
        raise EngineError(f"Table {table.name!r}: the time column {table.time!r} cannot be a key or dropped.")
    dropped = tuple(name for name in names if name in specs and specs[name].drop)
    keys = [spec for name in names if (spec := specs.get(name)) and spec.primary_key and not spec.drop]
    variables, empty = [], []
    for name in names:
        spec = specs.get(name, ColumnSpec(name))
        if name in (table.time, table.foreign_key) or spec.drop or spec.primary_key:
            continue
        column = _variable(table, spec)
        if isinstance(column, NumberColumn):
            variables.append(column)
        else:
            empty.append(column)
    if not variables:
        raise EngineError(
            f"Table {table.name!r} has no variable: beside time and keys no column has a number.",
            hint="Keep at least one column with the values of the series.",
        )
    return SeriesLayout(_time(table, specs), tuple(variables), tuple(empty), next(iter(keys), None), dropped)


def read_curves(layout: SeriesLayout, table: SeriesTable, owners: Ids, people: int) -> Curves:
    """The curves of the people; `owners` is the person of each row. Raises EngineError when a row lacks its person."""
    if (owners < 0).any():
        raise EngineError(
            f"Table {table.name!r}: some rows have no {table.foreign_key!r} and belong to nobody's series.",
            hint="Fill the key of every row, or remove those rows.",
        )
    rows = table.rows
    time = encode_number(layout.time, rows[layout.time.name])
    if np.isnan(time).any():
        raise EngineError(
            f"Table {table.name!r}: the time {layout.time.name!r} is missing in some rows.",
            hint="Fill the time of every row, or remove those rows.",
        )
    values = np.empty((rows.num_rows, len(layout.variables)))
    for i, variable in enumerate(layout.variables):
        values[:, i] = encode_number(variable, rows[variable.name])
        check_size(variable.name, values[:, i])
    lengths = np.bincount(owners, minlength=people)
    # values too, so that equal times average in one order whatever the order of the rows
    order = np.lexsort((*values.T[::-1], time, owners))
    return _averaged(owners[order], time[order], values[order], lengths)


def _time(table: SeriesTable, specs: Mapping[str, ColumnSpec]) -> NumberColumn:
    spec = specs.get(table.time, ColumnSpec(table.time))
    values = table.rows[table.time]
    column: Column | None = fit_column(table.time, values, spec.type)
    if spec.type is None and isinstance(column, CategoryColumn):  # Parquet keeps as text what are dates in a CSV
        column = fit_written_dates(table.time, values)
    if isinstance(column, NumberColumn):
        return column
    raise EngineError(
        f"Table {table.name!r}: the time {table.time!r} holds neither numbers nor dates.",
        hint="Write dates as ISO 8601 or time as a number.",
    )


def _variable(table: SeriesTable, spec: ColumnSpec) -> NumberColumn | EmptyColumn:
    column = fit_column(spec.name, table.rows[spec.name], spec.type)
    numeric = isinstance(column, NumberColumn | EmptyColumn)
    if numeric and not spec.identifier and spec.pseudonym is None:
        assert isinstance(column, NumberColumn | EmptyColumn)
        return column
    what = "holds no numbers" if not numeric else "is an identifier or a pseudonym"
    raise EngineError(
        f"Table {table.name!r}: column {spec.name!r} {what}, so it is no variable of a series.",
        hint="Drop the column, or move what does not change in time to the table of the people.",
    )


def _averaged(person: Ids, time: Floats, values: Floats, lengths: Ids) -> Curves:
    """One point for each person and time; the mean of what is known there."""
    new = np.ones(len(person), dtype=bool)
    new[1:] = (person[1:] != person[:-1]) | (time[1:] != time[:-1])
    if new.all():
        return Curves(person, time, values, lengths)
    first = np.flatnonzero(new)
    known = np.add.reduceat(~np.isnan(values), first, axis=0, dtype=np.int64)
    sums = np.add.reduceat(np.nan_to_num(values), first, axis=0)
    means = np.divide(sums, known, out=np.full(sums.shape, np.nan), where=known > 0)
    return Curves(person[first], time[first], means, lengths)
