"""Attackers that link: with some variables known, or between two databases through the avatars."""

from __future__ import annotations

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import gather, nearest_groups
from avatar_gitops.engine.facts import contributions
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.space import FittedSpace


def knowledge_protection(pair: Pair, known: tuple[str, ...]) -> float:
    """Percentage of people whose nearest avatar on the known variables is not their own; ties count by their chance."""
    originals, avatars = pair.project_columns(known)
    cloud = gather(avatars)
    found = nearest_groups(cloud, originals)
    own = pair.origins[cloud.group == found[pair.origins]]
    chance = np.bincount(own, minlength=pair.rows) / cloud.counts[found]
    return 100.0 * (1.0 - float(chance.mean()))


def linkability_protection(pair: Pair, known: tuple[str, ...]) -> float:
    """Percentage of people for whom the nearest avatars on two disjoint sets of variables differ.

    The first set is the known variables, without any the half of the columns that contributes most; ties count by their
    chance.
    """
    first, second = halves(pair.space, known)
    sides = []
    for names in (first, second):
        originals, avatars = pair.project_columns(names)
        cloud = gather(avatars)
        sides.append((cloud, nearest_groups(cloud, originals)))
    (a, found_a), (b, found_b) = sides
    wide = len(b.counts)
    pairs, shared = np.unique(a.group * wide + b.group, return_counts=True)
    wanted = found_a * wide + found_b
    at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    common: Floats = np.where(pairs[at] == wanted, shared[at], 0)
    chance = common / (a.counts[found_a] * b.counts[found_b])
    return 100.0 * (1.0 - float(chance.mean()))


def halves(space: FittedSpace, known: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The known columns and the others; without known ones, the half that contributes most and the rest."""
    names = space.layout.names
    if not known or set(known) == set(names):
        explained = space.projection.explained
        shares = contributions(space)
        weight = {name: float(np.dot(shares[name], explained)) for name in names}
        known = tuple(sorted(names, key=lambda name: -weight[name])[: len(names) // 2])
    return known, tuple(name for name in names if name not in known)
