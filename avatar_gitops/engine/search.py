"""Exact search among points: an index over a cloud, and the nearest points of each query in a total order.

Distances are sums of squares, axis by axis, in double precision without fused operations; of equally near points the
one that stands first in the index comes first. The compiled tree and the portable one (a k-d tree, whose answers are
measured again and widened until no tie is cut) give the same numbers bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.kernels.tree import Tree, ask, build_tree, compilable, nearest_positions, number_equal

Rows = npt.NDArray[np.int64]

_PYKDTREE_AXES: Final = 127
_SPARE: Final = 8  # candidates beyond those asked for, so that most ties need no second look
_DOUBT: Final = 1e-9  # relative error that is granted to the distances of k-d trees
_BLOCK_CELLS: Final = 4_000_000


@dataclass(slots=True, frozen=True)
class Index:
    """Points that can be searched: a compiled tree, which has its own copy, or the points and a k-d tree over them."""

    compiled: Tree | None
    points: Floats | None = None
    portable: Any = None

    @property
    def size(self) -> int:
        """Number of points."""
        if self.compiled is not None:
            return self.compiled.points
        return 0 if self.points is None else len(self.points)


def build_index(points: Floats) -> Index:
    """Index at least one point; duplicates are points of their own, so merge what is there very often."""
    points = np.ascontiguousarray(points, dtype=np.float64)
    if compilable(points):
        return Index(build_tree(points))
    if points.shape[1] <= _PYKDTREE_AXES:
        from pykdtree.kdtree import KDTree

        return Index(None, points, KDTree(points))
    from scipy.spatial import cKDTree

    return Index(None, points, cKDTree(points))


def nearest(
    index: Index, queries: Floats, k: int, exclude: Rows | None = None, near: Rows | None = None
) -> tuple[Floats, Rows]:
    """Squared distances and rows (queries x k) of the `k` nearest points, nearest first.

    `exclude` is for each query the row that it must not find, or -1. `near` is a row that is likely to be near; it
    changes how long the search takes. `k` is at most the number of points, below it where a row is excluded.
    """
    tree = index.compiled
    if tree is None:
        return _nearest_portable(index, np.ascontiguousarray(queries), k, exclude)
    places = None if exclude is None else np.where(exclude < 0, -1, tree.position[exclude])
    asked = ask(tree, queries, None if near is None else tree.leaves_of(near), places)
    squared, position = nearest_positions(tree, asked, k)
    return squared, tree.row[position].astype(np.int64)


def equal_rows(points: Floats) -> tuple[Rows, Rows, Rows]:
    """Group of each row among equal rows; first row and size of each group."""
    points = np.ascontiguousarray(points)
    if compilable(points):
        return number_equal(points)
    order = np.lexsort(points.T)
    ordered = points[order]
    new = np.ones(len(points), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.empty(len(points), dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    first = order[new]  # the sort is stable: the first row of a group comes first
    appearance = np.argsort(first)
    rank = np.empty_like(appearance)
    rank[appearance] = np.arange(len(first))
    group = rank[group]
    return group, first[appearance], np.bincount(group)


def without_surplus(points: Floats, copies: int) -> Rows:
    """Rows that keep the first `copies` of equal points; more would slow searches and change no distance."""
    group, _, size = equal_rows(points)
    if size.max() <= copies:
        return np.arange(len(points))
    order = np.argsort(group, kind="stable")
    place = np.arange(len(points)) - np.repeat(np.cumsum(size) - size, size)
    return np.sort(order[place < copies])


def _nearest_portable(index: Index, queries: Floats, k: int, exclude: Rows | None) -> tuple[Floats, Rows]:
    assert index.points is not None
    squared, found = np.empty((len(queries), k)), np.empty((len(queries), k), dtype=np.int64)
    exclude = np.full(len(queries), -1, dtype=np.int64) if exclude is None else exclude
    block = max(1, _BLOCK_CELLS // (k + 1 + _SPARE))
    for start in range(0, len(queries), block):
        rows = np.arange(start, min(start + block, len(queries)))
        asked = min(len(index.points), k + 1 + _SPARE)
        while len(rows):
            squared[rows], found[rows], sure = _measured(index, queries[rows], k, exclude[rows], asked)
            rows = rows[~sure]
            asked = min(len(index.points), 2 * asked)
    return squared, found


def _measured(
    index: Index, queries: Floats, k: int, exclude: Rows, asked: int
) -> tuple[Floats, Rows, npt.NDArray[np.bool_]]:
    """The best `k` of the `asked` nearest, and whether no point outside of these can be as near."""
    assert index.points is not None
    distances, candidates = index.portable.query(queries, asked)
    distances = distances.reshape(len(queries), -1)
    candidates = np.sort(candidates.reshape(len(queries), -1).astype(np.int64), axis=1)
    squared = np.zeros(candidates.shape)
    for axis in range(queries.shape[1]):
        squared += (index.points[candidates, axis] - queries[:, axis, None]) ** 2
    squared[candidates == exclude[:, None]] = np.inf
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    squared = np.take_along_axis(squared, order, axis=1)
    limit = distances.max(axis=1) * (1 - _DOUBT)
    sure = (squared[:, -1] < limit * limit) | (asked == len(index.points))
    return squared, np.take_along_axis(candidates, order, axis=1), sure
