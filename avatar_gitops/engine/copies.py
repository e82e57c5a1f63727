"""Originals with several avatars: which avatar is the one that gives its original away, and what their mean does.

Whoever has several avatars of one person can average them. The random weights of the draws then cancel and what stays
follows from the neighbours alone, so the mean can be nearer to the person than any single avatar is; the more avatars,
the nearer. `barycentres` is that attack.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatar_gitops.engine.columns import MISSING, Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.pair import Pair

_SLACK = 1e-9  # relative difference of distances that are equal, as in `engine.distances`


def own_first(pair: Pair) -> tuple[Floats, Rows]:
    """Coordinates of the avatars, for each original its nearest own avatar first, in the order of the originals.

    Beside it, how many further own avatars of each original are just as near.
    """
    n = pair.rows
    if len(pair.origins) == n:
        return pair.avatar_points, np.zeros(n, dtype=np.int64)
    distances = np.sqrt(((pair.original_points[pair.origins] - pair.avatar_points) ** 2).sum(axis=1))
    order = np.lexsort((distances, pair.origins))
    starts = np.cumsum(np.bincount(pair.origins, minlength=n)) - np.bincount(pair.origins, minlength=n)
    nearest = order[starts]
    near = distances <= distances[nearest][pair.origins] * (1 + _SLACK)
    ties = np.bincount(pair.origins[near], minlength=n) - 1
    rest = np.setdiff1d(np.arange(len(pair.origins)), nearest)
    return pair.avatar_points[np.concatenate([nearest, rest])], ties


def barycentres(pair: Pair) -> Pair:
    """Each original beside the mean of all its avatars.

    Coordinates and numbers are means, categories the most frequent modality (the first of several); a value is missing
    when it is missing in more than half of the avatars.
    """
    n, origins = pair.rows, pair.origins
    counts = np.bincount(origins, minlength=n).astype(np.float64)
    points = np.column_stack([np.bincount(origins, axis, minlength=n) / counts for axis in pair.avatar_points.T])
    numbers = np.empty((n, pair.avatar.numbers.shape[1]), order="F")
    for column, values in enumerate(pair.avatar.numbers.T):
        known = ~np.isnan(values)
        held = np.bincount(origins[known], minlength=n)
        sums = np.bincount(origins[known], values[known], minlength=n)
        with np.errstate(invalid="ignore", divide="ignore"):
            numbers[:, column] = np.where(2 * held < counts, np.nan, sums / held)
    codes = np.empty((n, pair.avatar.codes.shape[1]), dtype=np.int32, order="F")
    for column, values in enumerate(pair.avatar.codes.T):
        codes[:, column] = _most_frequent(values, origins, n)
    mean = Frame(numbers, codes)
    return replace(
        pair,
        avatar=mean,
        avatar_completed=pair.space.complete(mean),
        avatar_points=points,
        origins=np.arange(n),
    )


def repeated(origins: Rows, rows: int) -> Rows:
    """Originals that have more than one avatar."""
    return np.flatnonzero(np.bincount(origins, minlength=rows) > 1)


def restrict(pair: Pair, rows: Rows) -> Pair:
    """Some originals of a pair with one avatar each, in the space of all."""
    space = replace(pair.space, completed=pair.space.completed.take(rows), points=pair.space.points[rows])
    return Pair(
        space,
        pair.original.take(rows),
        pair.avatar.take(rows),
        pair.avatar_completed.take(rows),
        pair.original_points[rows],
        pair.avatar_points[rows],
        np.arange(len(rows)),
    )


def _most_frequent(codes: Codes, origins: Rows, rows: int) -> Codes:
    """The most frequent code of each origin, the lowest of several; missing when most are."""
    width = int(codes.max(initial=0)) + 2
    votes = np.bincount(origins * width + codes + 1, minlength=rows * width).reshape(rows, width)
    absent = 2 * votes[:, 0] > votes.sum(axis=1)
    votes[:, 0] = 0
    return np.where(absent, MISSING, votes.argmax(axis=1) - 1).astype(np.int32)
