"""Exact nearest neighbours among the rows of one table, a row itself excluded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.search import Index, build_index, equal_rows, nearest

Rows = npt.NDArray[np.int64]

_GRID_BITS: Final = 28


@dataclass(slots=True, frozen=True)
class Neighbourhood:
    """An index over points in shuffled order: which of several equally near rows is taken is a matter of chance.

    `order[i]` is the row of point i of the index. `home` is for each row its own point, or an equal one when there are
    so many copies that its own was left out; `own` is its own point or -1.
    """

    points: Floats
    order: Rows
    index: Index
    home: Rows
    own: Rows


def build_neighbourhood(points: Floats, random: np.random.Generator, k: int) -> Neighbourhood:
    """Index points (rows x axes) for `nearest_others` with up to `k` neighbours."""
    points = np.ascontiguousarray(points)
    shuffled = random.permutation(len(points))
    group, _, size = equal_rows(points)
    if size.max() <= k + 1:
        home = np.empty(len(points), dtype=np.int64)
        home[shuffled] = np.arange(len(points))
        return Neighbourhood(points, shuffled, build_index(points[shuffled]), home, home)
    # of equal points the first k + 1 in shuffled order are all that a row can have among its neighbours
    sorted_rows = shuffled[np.argsort(group[shuffled], kind="stable")]
    place = np.arange(len(points)) - np.repeat(np.cumsum(size) - size, size)
    kept = np.zeros(len(points), dtype=bool)
    kept[sorted_rows[place <= k]] = True
    order = shuffled[kept[shuffled]]
    own = np.full(len(points), -1, dtype=np.int64)
    own[order] = np.arange(len(order))
    home = own[sorted_rows[place == 0]][group]
    return Neighbourhood(points, order, build_index(points[order]), home, own)


def nearest_others(hood: Neighbourhood, rows: Rows, k: int) -> tuple[Floats, Rows]:
    """Distances and row numbers of the `k` nearest other rows of each of `rows`; `k` is below the number of rows.

    A row is excluded by its number: among duplicates it need not be its own first neighbour, nor be found at all.
    """
    squared, found = nearest(hood.index, hood.points[rows], k, hood.own[rows], hood.home[rows])
    return np.sqrt(squared), hood.order[found]


def on_grid(points: Floats) -> Floats:
    """Coordinates rounded to 2^-28 of the largest one (to the power of two above it).

    Axes come out of linear algebra whose last bits differ between processors and libraries. Tables of round numbers
    have many neighbours at equal distance, and those bits would choose among them; on the grid they are gone, and
    everything that follows is the same operation on the same numbers everywhere. (What is left is the one coordinate in
    some ten million that lies on the edge between two steps of the grid, and axes of equal inertia, which no rule tells
    apart.) Rows that are equally near but for rounding are then ordered by it, which favours no row by its place.
    """
    largest = float(np.abs(points).max(initial=0.0))
    if largest == 0.0:
        return points + 0.0
    step = 2.0 ** (np.frexp(largest)[1] - _GRID_BITS)
    return np.asarray(np.rint(points / step) * step + 0.0)
