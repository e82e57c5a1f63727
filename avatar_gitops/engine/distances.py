"""Exact distances between two clouds of points: who is nearest, who is nearer than one's own avatar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.kernels.tree import ask, build_tree, compilable, count_near
from avatar_gitops.engine.search import build_index, equal_rows, nearest, without_surplus

Counts = npt.NDArray[np.int64]

# Distances that differ by less are equal: rounding must not decide who is nearer.
_SLACK: Final = 1e-9
_TINY: Final = 1e-12
NOBODY: Final = 1 << 62
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
    """For each original, avatars nearer than its own, as near as its own, and whether an earlier one is as near.

    `earlier` is only told where none is nearer.
    """

    closer: Counts
    tied: Counts
    earlier: npt.NDArray[np.bool_]


def gather(points: Floats) -> Cloud:
    """Merge equal points, in order of appearance."""
    group, first, counts = equal_rows(points)
    return Cloud(np.ascontiguousarray(points[first]), group, counts, first)


def nearest_groups(cloud: Cloud, queries: Floats) -> Counts:
    """The point of the cloud nearest to each query; of equally near ones the first."""
    return nearest(build_index(cloud.points), queries, 1)[1].ravel()


def nearest_two(points: Floats, queries: Floats) -> tuple[Floats, Floats]:
    """Distances of each query to its nearest and second nearest point; copies of a point count as points."""
    squared, _ = nearest(build_index(points[without_surplus(points, 2)]), queries, 2)
    distances = np.sqrt(squared)
    return distances[:, 0], distances[:, 1]


def ratio(nearest: Floats, second: Floats) -> Floats:
    """Nearest over second nearest distance; 0/0 is 1."""
    return np.divide(nearest, second, out=np.ones_like(nearest), where=second > 0)


@dataclass(slots=True, frozen=True)
class Around:
    """For each query, points nearer than its distance, points as near, and the first of these (a huge number if none).

    The first is only told where none is nearer.
    """

    closer: Counts
    within: Counts
    first: Counts


def rank_own(originals: Floats, avatars: Floats) -> OwnRank:
    """Compare, for each original, its own avatar (same row) with all others; exact, ties and copies included.

    There may be more avatars than originals: the further ones are nobody's own.
    """
    own = avatars[: len(originals)]
    found = count_around(avatars, originals, distances_to(originals, own), np.arange(len(originals)))
    return own_rank(found, np.arange(len(originals)))


def own_rank(found: Around, places: Counts) -> OwnRank:
    """What was counted of all avatars around the distance of the own one; `places` are the rows of the own avatars."""
    return OwnRank(found.closer, found.within - 1, (found.first < places) & (found.closer == 0))


def distances_to(queries: Floats, points: Floats) -> Floats:
    """The distance of each query to the point of the same row."""
    return np.asarray(np.sqrt(((queries - points) ** 2).sum(axis=1)))


def count_around(points: Floats, queries: Floats, distance: Floats, near: Counts | None = None) -> Around:
    """Count the points around each query up to a distance of its own; copies of a point count as points.

    `near` is for each query a row that is likely to be near; it changes how long the search takes.
    """
    low = np.maximum(distance * (1 - _SLACK) - _TINY, -1.0)
    high = distance * (1 + _SLACK) + _TINY
    cloud = gather(points)
    if compilable(cloud.points):
        tree = build_tree(cloud.points)
        asked = ask(tree, queries, None if near is None else tree.leaves_of(cloud.group[near]))
        return Around(*count_near(tree, asked, low, high, cloud.counts, cloud.first))
    if len(cloud.points) <= _BRUTE_POINTS or len(cloud.points) * len(queries) <= _BRUTE_CELLS:
        return Around(*_rank_all_pairs(queries, cloud, low, high))
    return Around(*_rank_by_tree(queries, cloud, low, high))


def _rank_all_pairs(originals: Floats, cloud: Cloud, low: Floats, high: Floats) -> tuple[Counts, Counts, Counts]:
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
        earliest[rows] = np.where(tied, cloud.first, NOBODY).min(axis=1)
    return closer, within, earliest


def _rank_by_tree(originals: Floats, cloud: Cloud, low: Floats, high: Floats) -> tuple[Counts, Counts, Counts]:
    """Two counts of all avatars, and a look at the tied ones where none is nearer.

    The tree measures distances by itself: an avatar within an ulp of `low` or `high` may fall on the other side than in
    the other two paths, which is a billionth of the distance away from where ties lie.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(cloud.points[cloud.group], leafsize=64)
    up_to = [
        np.asarray(tree.query_ball_point(originals, radius, workers=-1, return_length=True), dtype=np.int64)
        for radius in (np.nextafter(np.maximum(low, 0.0), 0.0), high)
    ]
    closer = np.where(low > 0, up_to[0], 0)
    within = up_to[1] - closer
    earliest = np.full(len(originals), NOBODY)
    for row in np.flatnonzero((closer == 0) & (within > 0)):
        earliest[row] = min(tree.query_ball_point(originals[row], high[row]))
    return closer, within, earliest
