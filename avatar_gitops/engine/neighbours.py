"""Exact nearest neighbours among the rows of one table, a row itself excluded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pykdtree.kdtree import KDTree

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import without_surplus

Rows = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Neighbourhood:
    """A tree over points in shuffled order: which of several equally near rows is taken is a matter of chance."""

    points: Floats
    order: Rows
    tree: KDTree


def build_neighbourhood(points: Floats, random: np.random.Generator, k: int) -> Neighbourhood:
    """Index points (rows x axes) for `nearest_others` with up to `k` neighbours."""
    points = np.ascontiguousarray(points)
    order = random.permutation(len(points))
    order = order[without_surplus(points[order], k + 1)]
    return Neighbourhood(points, order, KDTree(points[order]))


def nearest_others(hood: Neighbourhood, rows: Rows, k: int) -> tuple[Floats, Rows]:
    """Distances and row numbers of the `k` nearest other rows of each of `rows`; `k` is below the number of rows.

    A row is excluded by its number: among duplicates it need not be its own first neighbour, nor be found at all.
    """
    distances, found = hood.tree.query(hood.points[rows], k + 1)
    neighbours = hood.order[found]
    own = neighbours == rows[:, None]
    drop = np.where(own.any(axis=1), own.argmax(axis=1), k)
    keep = np.arange(k + 1) != drop[:, None]
    return distances[keep].reshape(-1, k), neighbours[keep].reshape(-1, k)
