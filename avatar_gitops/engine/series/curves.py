"""Series of different lengths as curves on one grid of normalised time, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.columns import Floats, NumberColumn, encode_number, fit_column
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.series.model import AlignmentMethod, SeriesTable
from avatar_gitops.errors import EngineError

Ids = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Curves:
    """Curves of people on a common grid: `values` is people x points x variables, NaN where a person has no series.

    `start` and `duration` are in codes of the time column, `length` is a number of points; NaN where there is none.
    """

    values: Floats
    start: Floats
    duration: Floats
    length: Floats

    @property
    def points(self) -> int:
        """Number of points of the grid."""
        return int(self.values.shape[1])


@dataclass(slots=True, frozen=True)
class Axes:
    """The time column and the variables of a table of series, as numbers; `empty` variables have no value at all."""

    time: NumberColumn
    variables: tuple[NumberColumn, ...]
    empty: tuple[str, ...] = ()


def fit_axes(table: SeriesTable) -> Axes:
    """Type the time and the variables; raises EngineError when they are no numbers or dates, or no time is known."""
    declared = {spec.name: spec for spec in table.columns}
    if not table.variables:
        raise EngineError(f"Table {table.name!r} has no column that is measured over time.")
    empty = tuple(name for name in table.variables if table.rows[name].null_count == table.rows.num_rows)
    known = [name for name in table.variables if name not in empty]
    return Axes(
        _number(table, declared, table.time, "the time"),
        tuple(_number(table, declared, name, "a variable of a series") for name in known),
        empty,
    )


def grid_size(table: SeriesTable, lengths: Ids) -> int:
    """Points of the common grid for series of these lengths, at least 2."""
    known = lengths[lengths > 0]
    match table.params.alignment:
        case AlignmentMethod.SPECIFIED:
            return table.params.nb_points or 2
        case AlignmentMethod.MAX:
            wanted = known.max()
        case AlignmentMethod.MIN:
            wanted = known.min()
        case AlignmentMethod.MEAN:
            wanted = np.rint(known.mean())
    return max(2, int(wanted))


def people_of(table: SeriesTable, keys: pa.ChunkedArray) -> Ids:
    """The person (row of the table of people) that each row belongs to.

    Raises EngineError for rows without a person, or of nobody in the table of people.
    """
    wanted = keys.combine_chunks()
    named = table.rows[table.foreign_key].combine_chunks()
    if pa.types.is_dictionary(named.type):
        named = named.cast(named.type.value_type)
    if pa.types.is_dictionary(wanted.type):
        wanted = wanted.cast(wanted.type.value_type)
    try:
        found = pc.index_in(named.cast(wanted.type), value_set=wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        found = pa.nulls(len(named), pa.int32())
    if found.null_count:
        raise EngineError(
            f"Table {table.name!r} has rows whose {table.foreign_key!r} is empty or names nobody who is known.",
            hint="Remove these rows, or add the people they are of.",
        )
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def align(table: SeriesTable, axes: Axes, people: Ids, count: int, points: int | None = None) -> Curves:
    """Linear interpolation of each person's points at `points` equal steps of u = (t - first) / (last - first).

    Points at the same time count as their mean; values that are missing are bridged by the points around them. Without
    `points` the size of the grid is that of the table's own alignment.
    """
    times = encode_number(axes.time, table.rows[table.time])
    if np.isnan(times).any():
        raise EngineError(f"Column {table.time!r} of table {table.name!r} has rows without a time.")
    values = np.empty((len(times), len(axes.variables)))
    for at, column in enumerate(axes.variables):
        values[:, at] = encode_number(column, table.rows[column.name])
    order = np.lexsort((times, people))
    lengths = np.bincount(people, minlength=count)
    size = points or grid_size(table, lengths)
    grid = np.linspace(0.0, 1.0, size)
    made = np.full((count, size, values.shape[1]), np.nan)
    start, duration = np.full(count, np.nan), np.full(count, np.nan)
    ends = np.cumsum(lengths)
    for person in np.flatnonzero(lengths):
        rows = order[ends[person] - lengths[person] : ends[person]]
        start[person], duration[person] = times[rows[0]], times[rows[-1]] - times[rows[0]]
        u = (times[rows] - start[person]) / (duration[person] or 1.0)
        for variable in range(values.shape[1]):
            made[person, :, variable] = _interpolate(grid, u, values[rows, variable])
    return Curves(made, start, duration, np.where(lengths > 0, lengths, np.nan).astype(np.float64))


def _interpolate(grid: Floats, u: Floats, values: Floats) -> Floats:
    known = ~np.isnan(values)
    if not known.any():
        return np.full(len(grid), np.nan)
    places, at = np.unique(u[known], return_inverse=True)
    means = np.bincount(at, weights=values[known]) / np.bincount(at)
    return np.interp(grid, places, means)


def _number(table: SeriesTable, declared: dict[str, ColumnSpec], name: str, what: str) -> NumberColumn:
    spec = declared.get(name, ColumnSpec(name))
    column = fit_column(name, table.rows[name], spec.type)
    if not isinstance(column, NumberColumn):
        raise EngineError(
            f"Column {name!r} of table {table.name!r} is {what} but does not hold numbers or dates.",
            hint="Declare its type, drop it, or move what does not change over time to the table of people.",
        )
    return column
