"""Finding a person among rows that belong to people: several rows of one person are one target."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import Cloud, gather, nearest_groups
from avatar_gitops.engine.links.model import Ids

_SLACK: Final = 1e-9
_TINY: Final = 1e-12
_BRUTE_CELLS: Final = 40_000_000
_BLOCK_CELLS: Final = 4_000_000
_PERSON_CELLS: Final = 1_000_000


def rank_people(
    originals: Floats, owners: Ids, avatars: Floats, avatar_owners: Ids
) -> tuple[Ids, Ids, npt.NDArray[np.bool_]]:
    """For each original row: avatars nearer than its person's nearest one, those as near, and whether it is found.

    `owners` are people by number, each at least 0; -1 among `avatar_owners` is nobody. Found: no avatar is nearer than
    the person's own and the first of the nearest ones is theirs. Of a person without avatars all avatars are nearer.
    """
    own, held = _nearest_own(originals, owners, avatars, avatar_owners)
    everybody = np.full(len(originals), len(avatars), dtype=np.int64)
    closer, within = everybody, everybody.copy()
    has = np.isfinite(own)
    cloud = gather(avatars)
    low, high = np.maximum(own[has] * (1 - _SLACK) - _TINY, 0.0), own[has] * (1 + _SLACK) + _TINY
    # at distance 0 nothing is nearer
    closer[has] = np.where(own[has] > _TINY, _within(cloud, originals[has], low, strict=True)[0], 0)
    within[has], first = _within(cloud, originals[has], high, strict=False)
    tied = np.where(has, within - closer - held, 0)
    found = np.zeros(len(originals), dtype=bool)
    found[has] = (closer[has] == 0) & (avatar_owners[first] == owners[has])
    return closer, np.maximum(tied, 0), found


def _nearest_own(originals: Floats, owners: Ids, avatars: Floats, avatar_owners: Ids) -> tuple[Floats, Ids]:
    """Distance to the nearest avatar of the same person (infinite without one), and how many of theirs are so near."""
    nearest, held = np.full(len(originals), np.inf), np.zeros(len(originals), dtype=np.int64)
    people = int(max(owners.max(initial=-1), avatar_owners.max(initial=-1))) + 1
    theirs = np.argsort(avatar_owners, kind="stable")
    ends = np.searchsorted(avatar_owners[theirs], np.arange(people + 1))
    rows = np.argsort(owners, kind="stable")
    limits = np.searchsorted(owners[rows], np.arange(people + 1))
    for person in np.unique(owners):
        at = rows[limits[person] : limits[person + 1]]
        mine = avatars[theirs[ends[person] : ends[person + 1]]]
        if not len(mine):
            continue
        if len(at) * len(mine) > _PERSON_CELLS:
            cloud = gather(mine)
            group = nearest_groups(cloud, originals[at])
            nearest[at] = np.sqrt(((originals[at] - cloud.points[group]) ** 2).sum(axis=1))
            held[at] = _within(cloud, originals[at], nearest[at] * (1 + _SLACK) + _TINY, strict=False)[0]
            continue
        apart = np.sqrt(((originals[at, None, :] - mine[None, :, :]) ** 2).sum(axis=2))
        nearest[at] = apart.min(axis=1)
        held[at] = (apart <= (nearest[at] * (1 + _SLACK) + _TINY)[:, None]).sum(axis=1)
    return nearest, held


def _within(cloud: Cloud, queries: Floats, radius: Floats, *, strict: bool) -> tuple[Ids, Ids]:
    """How many points, copies included, lie within the radius of each query, and the first of them.

    In large tables the first is that of the nearest place: others equally far, possible in symmetric tables, are not
    looked at.
    """
    if len(cloud.points) * len(queries) > _BRUTE_CELLS:
        from scipy.spatial import cKDTree

        tree = cKDTree(cloud.points[cloud.group], leafsize=64)
        found = tree.query_ball_point(queries, radius, workers=-1, return_length=True)
        return np.asarray(found, dtype=np.int64), cloud.first[nearest_groups(cloud, queries)]
    count, first = np.empty(len(queries), dtype=np.int64), np.empty(len(queries), dtype=np.int64)
    block = max(1, _BLOCK_CELLS // len(cloud.points))
    for start in range(0, len(queries), block):
        rows = slice(start, start + block)
        squared = np.zeros((len(queries[rows]), len(cloud.points)))
        for axis in range(queries.shape[1]):
            squared += (queries[rows, axis, None] - cloud.points[:, axis]) ** 2
        limit = np.square(radius[rows])[:, None]
        inside = squared < limit if strict else squared <= limit
        count[rows] = inside @ cloud.counts
        first[rows] = np.where(inside, cloud.first, len(cloud.group)).min(axis=1)
    return count, first
