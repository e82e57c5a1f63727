"""Rows of series from the curves of avatars: their own times, values inside the range of the originals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import Floats, decode_number
from avatar_gitops.engine.series.curves import Axes, Curves, Ids
from avatar_gitops.engine.series.model import SeriesTable, Unalignment


def unalign(table: SeriesTable, axes: Axes, curves: Curves) -> tuple[dict[str, pa.Array], Ids]:
    """Time and variables of all rows, person after person, and the person of each row; no curve means no rows.

    `uniform` gives as many points as the length says, at equal steps of the duration, `skip` those of the grid. A value
    stays within what the originals have, a time need not: a series may begin late and last long.
    """
    there = ~(np.isnan(curves.length) | np.isnan(curves.start))
    lengths = np.where(there, np.maximum(1.0, np.rint(np.nan_to_num(curves.length))), 0.0).astype(np.int64)
    if table.params.unalignment is Unalignment.SKIP:
        lengths[there] = curves.points
    people = np.repeat(np.arange(len(lengths)), lengths)
    u = _steps(lengths)
    times = curves.start[people] + u * np.maximum(np.nan_to_num(curves.duration[people]), 0.0)
    if len(times):
        free = replace(axes.time, lower=float(times.min()), upper=float(times.max()))
        columns = {axes.time.name: decode_number(free, times)}
    else:
        columns = {axes.time.name: decode_number(axes.time, times)}
    for at, column in enumerate(axes.variables):
        columns[column.name] = decode_number(column, _at(curves.values[:, :, at], people, u))
    return columns, people


def named(keys: pa.ChunkedArray, people: Ids, kind: pa.DataType) -> pa.Array:
    """The new key of the person of each row, in the type of the foreign key where it fits."""
    taken = keys.combine_chunks().take(to_arrow(people))
    try:
        return taken.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return taken


def _steps(lengths: Ids) -> Floats:
    """0 to 1 in equal steps for each person; a series of one point is at 0."""
    total = int(lengths.sum())
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.asarray((np.arange(total) - first) / np.maximum(np.repeat(lengths, lengths) - 1, 1))


def _at(values: Floats, people: Ids, u: Floats) -> Floats:
    """Values of people's curves at places between 0 and 1, linear between the points of the grid."""
    last = values.shape[1] - 1
    low = np.minimum((u * last).astype(np.int64), last - 1)
    share = u * last - low
    return np.asarray(values[people, low] * (1 - share) + values[people, low + 1] * share)
