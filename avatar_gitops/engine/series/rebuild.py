"""Rows of a series table from the avatars of its columns: curves, points in time, gaps, keys."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.buffers import to_numpy
from avatar_gitops.engine.columns import Floats, NumberColumn, decode_number
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.series.alignment import spread
from avatar_gitops.engine.series.model import Unalignment
from avatar_gitops.engine.series.projection import FittedSeries
from avatar_gitops.engine.streams import stream

Mask = npt.NDArray[np.bool_]


@dataclass(slots=True, frozen=True)
class RebuiltSeries:
    """Points in time of avatars, ordered by person and time; `columns` are time and variables with their own types."""

    person: Ids
    columns: dict[str, pa.Array]


def rebuild(fitted: FittedSeries, drawn: pa.Table, seed: int) -> RebuiltSeries:
    """The series of each row of `drawn`, the avatars of the columns that `person_columns` made.

    Values and times have the type of the originals and stay inside their range. A person of `drawn` without a series
    has no rows. The share of gaps that was drawn for a variable is blanked at random points, never at all of them.
    """
    present = _flags(drawn, fitted.present)
    lengths = np.where(present, _lengths(fitted, drawn), 0)
    person = np.repeat(np.arange(drawn.num_rows), lengths)
    first = np.cumsum(lengths) - lengths
    normal = (np.arange(len(person)) - first[person]) / np.maximum(lengths - 1, 1)[person]
    starts, durations = (_extent(fitted, drawn, what) for what in ("start", "duration"))
    columns = {fitted.layout.time.name: _times(fitted.layout.time, starts[person] + normal * durations[person])}
    aligned = np.stack([_curves(fitted, i, drawn) for i in range(len(fitted.variables))], axis=1)
    values = spread(aligned, person, normal)
    for i, (column, variable) in enumerate(zip(fitted.layout.variables, fitted.variables, strict=True)):
        codes = values[:, i].copy()
        codes[~_flags(drawn, variable.known)[person]] = np.nan
        if variable.gaps is not None:
            shares = drawn[variable.gaps].to_numpy()
            blanks = np.minimum(np.rint(shares * lengths).astype(np.int64), np.maximum(lengths - 1, 0))
            random = stream(seed, fitted.table, f"gaps of {column.name}")
            codes[_some(person, first, blanks, random)] = np.nan
        columns[column.name] = decode_number(column, codes)
    columns |= {empty.name: pa.nulls(len(person), empty.output) for empty in fitted.layout.empty}
    return RebuiltSeries(person, columns)


def _curves(fitted: FittedSeries, i: int, drawn: pa.Table) -> Floats:
    variable = fitted.variables[i]
    return variable.basis.curves(np.stack([drawn[name].to_numpy() for name in variable.scores], axis=1))


def _flags(drawn: pa.Table, name: str | None) -> Mask:
    if name is None:
        return np.ones(drawn.num_rows, dtype=bool)
    return np.asarray(to_numpy(drawn[name].combine_chunks().cast(pa.int8())) == 1)


def _extent(fitted: FittedSeries, drawn: pa.Table, what: str) -> Floats:
    if what in fitted.extent:
        return np.asarray(drawn[fitted.extent[what]].to_numpy(), dtype=np.float64)
    return np.full(drawn.num_rows, fitted.fixed[what])


def _lengths(fitted: FittedSeries, drawn: pa.Table) -> Ids:
    """Number of points of each person: at least one, and no more than there are different times."""
    if fitted.unalignment is Unalignment.SKIP:
        lengths = np.full(drawn.num_rows, fitted.points, dtype=np.int64)
    else:
        lengths = np.maximum(1, np.rint(_extent(fitted, drawn, "length")).astype(np.int64))
    if not fitted.distinct:
        return lengths
    places = np.floor(_extent(fitted, drawn, "duration") / _unit(fitted.layout.time) + 1e-9) + 1
    return np.asarray(np.minimum(lengths, np.maximum(places, 1).astype(np.int64)))


def _unit(time: NumberColumn) -> float:
    """The smallest step between two times that can be written."""
    return 10.0**-time.decimals if time.type is ColumnType.FLOAT else float(time.step)


def _times(time: NumberColumn, codes: Floats) -> pa.Array:
    """Times in the type of the originals; whole times are rounded, not cut, so that equal steps stay equal.

    They are not cut to the range of the originals either: a series may begin late and last long.
    """
    if not len(codes):
        return decode_number(time, codes)
    time = replace(time, lower=float(codes.min()) - _unit(time), upper=float(codes.max()) + _unit(time))
    if time.type is not ColumnType.FLOAT:
        codes = np.rint(codes / time.step) * time.step
    return decode_number(time, codes)


def _some(person: Ids, first: Ids, counts: Ids, random: np.random.Generator) -> Mask:
    """As many points of each person as `counts` says, at random."""
    order = np.lexsort((random.random(len(person)), person))
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return np.asarray(rank - first[person] < counts[person])
