"""Curves of different lengths on one grid of normalised time, and back to points in time."""

from __future__ import annotations

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.model import AlignmentMethod, SeriesParams
from avatar_gitops.errors import EngineError

_MOST_POINTS = 10_000


def number_of_points(lengths: Ids, params: SeriesParams) -> int:
    """How many points each curve is brought to; `lengths` are those of the people who have a series."""
    method = params.alignment
    if method is None:
        method = AlignmentMethod.MAX if params.nb_points is None else AlignmentMethod.SPECIFIED
    if method is AlignmentMethod.SPECIFIED:
        assert params.nb_points is not None
        points = params.nb_points
    else:
        of_lengths = {
            AlignmentMethod.MAX: float(lengths.max()),
            AlignmentMethod.MIN: float(lengths.min()),
            AlignmentMethod.MEAN: float(lengths.mean()),
        }
        points = int(np.rint(of_lengths[method]))
    if points > _MOST_POINTS:
        raise EngineError(
            f"The series would be aligned to more than {_MOST_POINTS} points.",
            hint="Use the alignment method 'specified' with a smaller nb_points.",
        )
    return points


def grid(points: int) -> Floats:
    """Equally spaced normalised times from 0 to 1."""
    return np.linspace(0.0, 1.0, points)


def align(curves: Curves, points: int) -> Floats:
    """Every curve at `points` normalised times: (people, variables, points), NaN where a person has no known value.

    Time is normalised to [0, 1] over the person's own series; between known values a curve is linear, before the first
    and after the last of them constant (resampling by linear interpolation; method reference 1.17).
    """
    people, variables = len(curves.lengths), curves.values.shape[1]
    aligned = np.full((people, variables, points), np.nan)
    normal = _normalised(curves)
    asked = grid(points)
    ends = np.searchsorted(curves.person, np.arange(people + 1))
    for i in np.flatnonzero(np.diff(ends)):
        part = slice(ends[i], ends[i + 1])
        for v in range(variables):
            values = curves.values[part, v]
            known = ~np.isnan(values)
            if known.any():
                aligned[i, v] = np.interp(asked, normal[part][known], values[known])
    return aligned


def spread(aligned: Floats, person: Ids, normal: Floats) -> Floats:
    """Values (rows, variables) of aligned curves at normalised times of one person each, linear between grid points."""
    points = aligned.shape[2]
    place = normal * (points - 1)
    below = np.clip(np.floor(place), 0, max(0, points - 2)).astype(np.int64)
    above = np.minimum(below + 1, points - 1)
    share = (place - below)[:, None]
    return np.asarray(aligned[person, :, below] * (1 - share) + aligned[person, :, above] * share)


def _normalised(curves: Curves) -> Floats:
    durations = np.where(curves.durations > 0, curves.durations, 1.0)
    return np.asarray((curves.time - curves.starts[curves.person]) / durations[curves.person])
