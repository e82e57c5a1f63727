"""Exact distances between two clouds of points: who is nearest, who is nearer than one's own avatar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from pykdtree.kdtree import KDTree
from scipy.spatial import cKDTree

from avatar_gitops.engine.columns import Floats

Counts = npt.NDArray[np.int64]

# Distances that differ by less are equal: rounding must not decide who is nearer.
_SLACK: Final = 1e-9
_TINY: Final = 1e-12
_BRUTE_CELLS: Final = 40_000_000
_BRUTE_POINTS: Final = 1_000
_BLOCK_CELLS: Final = 4_000_000


@dataclass(slots=True, frozen=True)
class Cloud:
    """Points without copies: `group[i]` is the point of row i; `counts` rows share it, `first` is the first of them."""

    points: Floats
    group: Counts
    counts: Counts
    first: Counts


@dataclass(slots=True, frozen=True)
class OwnRank:
    """For each original, avatars nearer than its own, as near as its own, and whether an earlier one is as near."""

    closer: Counts
    tied: Counts
    earlier: npt.NDArray[np.bool_]


def gather(points: Floats) -> Cloud:
    """Merge equal points."""
    order = np.lexsort(points.T)
    ordered = points[order]
    new = np.ones(len(points), dtype=bool)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.empty(len(points), dtype=np.int64)
    group[order] = np.cumsum(new) - 1
    # the sort is stable: the first row of a group comes first
    return Cloud(np.ascontiguousarray(ordered[new]), group, np.bincount(group), order[new])


def without_surplus(points: Floats, copies: int) -> Counts:
    """Rows that keep the first `copies` of equal points; more would slow searches and change no distance."""
    cloud = gather(points)
    if cloud.counts.max() <= copies:
        return np.arange(len(points))
    order = np.argsort(cloud.group, kind="stable")
    place = np.arange(len(points)) - np.repeat(np.cumsum(cloud.counts) - cloud.counts, cloud.counts)
    return np.sort(order[place < copies])


def nearest_groups(cloud: Cloud, queries: Floats) -> Counts:
    """The point of the cloud nearest to each query."""
    found = KDTree(cloud.points).query(np.ascontiguousarray(queries), 1)[1]
    return np.asarray(found, dtype=np.int64).ravel()


def nearest_two(points: Floats, queries: Floats) -> tuple[Floats, Floats]:
    """Distances of each query to its nearest and second nearest point; copies of a point count as points."""
    distances = KDTree(points[without_surplus(points, 2)]).query(np.ascontiguousarray(queries), 2)[0]
    return np.asarray(distances[:, 0]), np.asarray(distances[:, 1])


def ratio(nearest: Floats, second: Floats) -> Floats:
    """Nearest over second nearest distance; 0/0 is 1."""
    return np.divide(nearest, second, out=np.ones_like(nearest), where=second > 0)


def rank_own(originals: Floats, avatars: Floats) -> OwnRank:
    """Compare, for each original, its own avatar (same row) with all others."""
    own = np.sqrt(((originals - avatars) ** 2).sum(axis=1))
    low = np.maximum(own * (1 - _SLACK) - _TINY, -1.0)
    high = own * (1 + _SLACK) + _TINY
    cloud = gather(avatars)
    if len(cloud.points) <= _BRUTE_POINTS or len(cloud.points) * len(originals) <= _BRUTE_CELLS:
        return _rank_all_pairs(originals, cloud, low, high)
    return _rank_by_tree(originals, cloud, low, high)


def _rank_all_pairs(originals: Floats, cloud: Cloud, low: Floats, high: Floats) -> OwnRank:
    n = len(originals)
    closer, within, earliest = (np.empty(n, dtype=np.int64) for _ in range(3))
    block = max(1, _BLOCK_CELLS // len(cloud.points))
    for start in range(0, n, block):
        rows = slice(start, start + block)
        squared = np.zeros((len(originals[rows]), len(cloud.points)))
        for axis in range(originals.shape[1]):
            squared += (originals[rows, axis, None] - cloud.points[:, axis]) ** 2
        near = (squared < np.square(low[rows])[:, None]) & (low[rows] > 0)[:, None]
        tied = (squared <= np.square(high[rows])[:, None]) & ~near
        closer[rows] = near @ cloud.counts
        within[rows] = tied @ cloud.counts
        earliest[rows] = np.where(tied, cloud.first, n).min(axis=1)
    return OwnRank(closer, within - 1, earliest < np.arange(n))


def _rank_by_tree(originals: Floats, cloud: Cloud, low: Floats, high: Floats) -> OwnRank:
    """One count of all avatars as near as the own one. Whether any is nearer is exact; where one is, ties are copies of
    the own avatar only (other avatars at equal distance, possible in symmetric tables, then count as nearer).
    """
    avatars = cloud.points[cloud.group]
    tree = cKDTree(avatars, leafsize=64)
    others = np.asarray(tree.query_ball_point(originals, high, workers=-1, return_length=True), dtype=np.int64) - 1
    nearest = KDTree(cloud.points).query(np.ascontiguousarray(originals), 1)[0]
    first = nearest.ravel() >= low
    tied = np.where(first, others, cloud.counts[cloud.group] - 1)
    earlier = np.zeros(len(originals), dtype=bool)
    for row in np.flatnonzero(first & (tied > 0)):
        earlier[row] = min(tree.query_ball_point(originals[row], high[row])) < row
    return OwnRank(others - tied, tied, earlier)
