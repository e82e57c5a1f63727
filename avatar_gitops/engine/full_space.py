"""Distances in all dimensions of the originals' space, not only on the compared axes.

With all axes kept, the distance of two rows in the projection (PCA, MCA, FAMD) is that of their scaled columns, because
the axes are a rotation: numbers divided by their standard deviation, indicators of modalities by the root of their
share (Pagès 2004). No axis is computed. This is the space of the distance attacks of Guillaudeux et al., npj Digital
Medicine 6, 37 (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.holdout import Placed
from avatar_gitops.engine.space import FittedSpace

_BLOCK: Final = 2_048
_PAIRS: Final = 1 << 18
_SLACK: Final = 1e-9  # distances that differ by less are equal
_TINY: Final = 1e-12
_SINGLE: Final = np.float32(1e-5)  # more than the relative error of a product of single precision

Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Scales:
    """What makes columns comparable: mean and scale of numbers, and for each modality its length (0 when unseen)."""

    mean: Floats
    scale: Floats
    lengths: tuple[Floats, ...]

    @property
    def dimensions(self) -> int:
        """Numbers and modalities together."""
        return len(self.mean) + sum(map(len, self.lengths))


@dataclass(slots=True, frozen=True)
class Scaled:
    """Rows with scaled numbers, and codes of categories and missing indicators."""

    numbers: Floats
    codes: Codes

    def take(self, rows: Rows | slice) -> Scaled:
        """Some rows."""
        return Scaled(self.numbers[rows], self.codes[rows])


def fit_scales(space: FittedSpace, originals: Placed) -> Scales:
    """Scales of the originals, with the column weights of the space."""
    m = len(space.layout.numbers)
    numbers = originals.completed.numbers
    mean, deviation = numbers.mean(axis=0), numbers.std(axis=0)
    deviation[deviation <= 1e-12 * np.maximum(1.0, np.abs(mean))] = np.inf
    roots = np.sqrt(np.concatenate([space.weights, space.weights[space.indicators]]))
    codes = _codes(originals)
    sizes = (*space.layout.sizes, *[2] * len(space.indicators))
    lengths = []
    for column, size in enumerate(sizes):
        shares = np.bincount(codes[:, column], minlength=size)[:size] / len(codes)
        known = np.divide(roots[m + column], np.sqrt(shares), out=np.zeros(size), where=shares > 0)
        lengths.append(np.append(known, 0.0))
    return Scales(mean, roots[:m] / deviation, tuple(lengths))


def scaled(scales: Scales, rows: Placed) -> Scaled:
    """Rows on those scales; modalities that no original has share one code of length 0."""
    last = np.array([len(lengths) - 1 for lengths in scales.lengths], dtype=np.int32)
    return Scaled((rows.completed.numbers - scales.mean) * scales.scale, np.minimum(_codes(rows), last))


def nearest_distances(scales: Scales, rows: Scaled, queries: Scaled, own: Rows | None = None) -> Floats:
    """Distance of each query to the nearest of the rows; `own` names, for each query, the row that does not count.

    The nearest row is chosen from a matrix product in single precision; its distance is then taken exactly.
    """
    asked = _dense(scales, queries)
    best = np.full(len(asked), np.inf, dtype=np.float32)
    chosen = np.zeros(len(asked), dtype=np.int64)
    everyone = np.arange(len(asked))
    for start in range(0, len(rows.numbers), _BLOCK):
        block = _dense(scales, rows.take(slice(start, start + _BLOCK)))
        # |q|² is the same for all rows and left out
        squared = (asked @ block.T) * np.float32(-2.0)
        squared += (block**2).sum(axis=1)
        if own is not None:
            here = np.flatnonzero((own >= start) & (own < start + _BLOCK))
            squared[here, own[here] - start] = np.inf
        at = squared.argmin(axis=1)
        found = squared[everyone, at]
        better = found < best
        best[better], chosen[better] = found[better], at[better] + start
    return _exact(scales, rows.take(chosen), queries)


def count_nearer(scales: Scales, rows: Scaled, queries: Scaled, radius: Floats) -> tuple[Rows, Rows]:
    """How many of the rows are nearer to each query than its radius, and how many are just as far.

    Candidates come from a matrix product in single precision, with room for its errors; each distance is taken exactly.
    """
    asked = _dense(scales, queries)
    norms = (asked**2).sum(axis=1)
    closer, tied = np.zeros(len(asked), dtype=np.int64), np.zeros(len(asked), dtype=np.int64)
    low, high = radius * (1 - _SLACK) - _TINY, radius * (1 + _SLACK) + _TINY
    for start in range(0, len(rows.numbers), _BLOCK):
        part = rows.take(slice(start, start + _BLOCK))
        block = _dense(scales, part)
        lengths = (block**2).sum(axis=1)
        squared = norms[:, None] - np.float32(2.0) * (asked @ block.T) + lengths
        room = _SINGLE * (norms[:, None] + lengths)
        who, whom = np.nonzero(squared <= (high**2).astype(np.float32)[:, None] + room)
        for some in range(0, len(who), _PAIRS):
            one, other = who[some : some + _PAIRS], whom[some : some + _PAIRS]
            distances = _exact(scales, part.take(other), queries.take(one))
            near = distances < low[one]
            closer += np.bincount(one[near], minlength=len(asked))
            tied += np.bincount(one[~near & (distances <= high[one])], minlength=len(asked))
    return closer, tied


def _codes(rows: Placed) -> Codes:
    return np.hstack([rows.completed.codes, rows.indicators])


def _dense(scales: Scales, rows: Scaled) -> Singles:
    n, m = rows.numbers.shape
    matrix = np.zeros((n, scales.dimensions), dtype=np.float32)
    matrix[:, :m] = rows.numbers
    everyone, start = np.arange(n), m
    for column, lengths in enumerate(scales.lengths):
        codes = rows.codes[:, column]
        matrix[everyone, start + codes] = lengths[codes]
        start += len(lengths)
    return matrix


def _exact(scales: Scales, one: Scaled, two: Scaled) -> Floats:
    squared = ((one.numbers - two.numbers) ** 2).sum(axis=1)
    for column, lengths in enumerate(scales.lengths):
        a, b = one.codes[:, column], two.codes[:, column]
        squared += np.where(a != b, lengths[a] ** 2 + lengths[b] ** 2, 0.0)
    return np.asarray(np.sqrt(squared))
