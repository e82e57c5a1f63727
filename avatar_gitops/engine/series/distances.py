"""How far the values of curves are apart, point by point and all together, and how sure that is with so many people.

The measures of one person are no independent draws, so people are resampled with all their curves, each original
together with its avatar (`engine.resampling`; for clusters as the unit of the bootstrap see Davison and Hinkley, 1997,
section 3.8). Bins are held fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.intervals import Interval
from avatar_gitops.engine.resampling import Resampling, squared_interval
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.signal import Indices, binned, hellinger_of_counts

_CELLS: Final = 64  # grid points that are resampled together
_CODES: Final = 11  # bins and one for missing values
WIDTH: Final = _CELLS * _CODES
"""Numbers that are summed per group of people."""

_Counts = tuple[Floats, ...]
"""Counts of originals, then of avatars: (groups, cells, codes) each."""


@dataclass(slots=True, frozen=True)
class Distances:
    """Hellinger distances (variables, cells), and 95 % intervals of their mean and standard deviation over all."""

    values: Floats
    mean_interval: Interval
    std_interval: Interval


def pointwise_distances(original: Floats, avatar: Floats, draw: Resampling) -> Distances:
    """Between the values at each point of the grid; both sides are aligned curves (people, variables, points)."""
    people, variables, points = original.shape
    before, after = (side.reshape(people, variables * points) for side in (original, avatar))
    return _distances(_at_points(before, after, draw), (variables, points), draw)


def density_distances(original: Curves, avatar: Curves, draw: Resampling) -> Distances:
    """Between all values of each variable, whenever they occur."""
    return _distances(_at_any_time(original, avatar, draw), (original.values.shape[1], 1), draw)


def _at_points(original: Floats, avatar: Floats, draw: Resampling) -> Iterator[_Counts]:
    people, cells = original.shape
    for first in range(0, cells, _CELLS):
        part = range(first, min(first + _CELLS, cells))
        codes = [binned(original[:, cell], avatar[:, cell])[:2] for cell in part]
        groups, places = np.repeat(draw.groups[:people], len(part)), np.tile(np.arange(len(part)), people)
        before, after = (np.stack(side, axis=1).ravel() for side in zip(*codes, strict=True))
        yield tuple(_counts(groups, places, side, draw, len(part)) for side in (before, after))


def _at_any_time(original: Curves, avatar: Curves, draw: Resampling) -> Iterator[_Counts]:
    for i in range(original.values.shape[1]):
        codes = binned(original.values[:, i], avatar.values[:, i])[:2]
        sides = zip((original.person, avatar.person), codes, strict=True)
        yield tuple(_counts(draw.groups[owner], np.zeros_like(owner), side, draw, 1) for owner, side in sides)


def _counts(groups: Indices, cells: Indices, codes: Indices, draw: Resampling, width: int) -> Floats:
    """How often each code occurs in each group and cell."""
    size = draw.weights.shape[1] * width * _CODES
    found = np.bincount((groups * width + cells) * _CODES + codes, minlength=size)
    return found.reshape(-1, width, _CODES).astype(np.float64)


def _distances(counts: Iterable[_Counts], shape: tuple[int, int], draw: Resampling) -> Distances:
    """Distances of all cells; of resamples only the sums are kept, as a table may have 10 000 points and more."""
    measured = []
    sums, squares = np.zeros((2, len(draw.weights)))
    for sides in counts:
        measured.append(_distance(*(side.sum(axis=0) for side in sides)))
        with np.errstate(invalid="ignore"):  # a resample of people without series has no distance
            resampled = hellinger_of_counts(*(draw.sums(side) for side in sides))
        sums += resampled.sum(axis=1)
        squares += (resampled**2).sum(axis=1)
    values = np.concatenate(measured).reshape(shape)
    means = sums / values.size
    spreads = np.sqrt(np.maximum(squares / values.size - means**2, 0.0))
    return Distances(
        values,
        squared_interval(float(values.mean()), means, 1.0),
        squared_interval(float(values.std()), spreads, 0.5),
    )


def _distance(original: Floats, avatar: Floats) -> Floats:
    """Hellinger distances; 1, the largest, where one side has no value at all to compare."""
    with np.errstate(invalid="ignore"):
        found = hellinger_of_counts(original, avatar)
    return np.where(np.isnan(found), 1.0, found)
