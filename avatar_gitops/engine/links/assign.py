"""Which avatar of a parent each avatar of a child belongs to, from coordinates in the parent's space."""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import gather, nearest_groups
from avatar_gitops.engine.links.model import Ids

MOST_AXES: Final = 64
_LARGEST_CHUNK: Final = 1_000


def places_of(sizes: Ids, wanted: int, random: np.random.Generator) -> Ids:
    """How many children each parent gets so that all have a place: `sizes` in proportion, summing to `wanted`.

    Largest remainders, equal ones by chance. Where no parent should have children, all get the same.
    """
    if wanted == 0:
        return np.zeros(len(sizes), dtype=np.int64)
    weights = sizes.astype(np.float64) if sizes.sum() > 0 else np.ones(len(sizes))
    shares = weights * (wanted / weights.sum())
    places: Ids = np.floor(shares + 1e-9).astype(np.int64)
    order = random.permutation(len(sizes))
    by_remainder = order[np.argsort(-(shares - places)[order], kind="stable")]
    places[by_remainder[: wanted - int(places.sum())]] += 1
    return places


def least_sum(children: Floats, parents: Floats, places: Ids, random: np.random.Generator) -> Ids:
    """The parent of each child so that the sum of distances is least and each parent gets exactly its `places`.

    The Hungarian method (scipy, Crouse 2016) is cubic in time and square in memory, so more than a thousand children
    are first halved along the widest axis, children and places alike, until each part is small: the sum is least within
    the parts. Which of equally good answers is taken does not depend on the order of the rows.
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    seats = np.repeat(np.arange(len(parents)), places)
    mixed, seats = random.permutation(len(children)), random.permutation(seats)
    assigned = np.empty(len(children), dtype=np.int64)
    for rows, chairs in _parts(children, mixed, parents, seats):
        at, to = linear_sum_assignment(cdist(children[rows], parents[chairs]))
        assigned[rows[at]] = chairs[to]
    return assigned


def _parts(children: Floats, rows: Ids, parents: Floats, chairs: Ids) -> list[tuple[Ids, Ids]]:
    """Children and as many places, cut in halves along the axis on which the children lie widest."""
    waiting, small = [(rows, chairs)], []
    while waiting:
        rows, chairs = waiting.pop()
        if len(rows) <= _LARGEST_CHUNK:
            small.append((rows, chairs))
            continue
        axis = int(np.ptp(children[rows], axis=0).argmax())
        half = len(rows) // 2
        rows = rows[np.argsort(children[rows, axis], kind="stable")]
        chairs = chairs[np.argsort(parents[chairs, axis], kind="stable")]
        waiting += [(rows[:half], chairs[:half]), (rows[half:], chairs[half:])]
    return small


def nearest(children: Floats, parents: Floats, random: np.random.Generator) -> Ids:
    """The nearest parent of each child; among parents in the same place, one by chance."""
    cloud = gather(parents)
    group = nearest_groups(cloud, children)
    members = np.argsort(cloud.group, kind="stable")
    start = np.cumsum(cloud.counts) - cloud.counts
    chosen = (random.random(len(children)) * cloud.counts[group]).astype(np.int64)
    return np.asarray(members[start[group] + chosen], dtype=np.int64)
