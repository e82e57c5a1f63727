"""Standard errors of utility metrics: people are resampled, each original together with its avatar.

The metrics are functions of sums over rows (histograms, cross-products). Rows are dealt at random into groups, the sums
are kept per group, and a resample draws groups with replacement: the bootstrap of Efron and Tibshirani (An Introduction
to the Bootstrap, 1993, chapters 6 and 13) at the cost of one pass over the rows. With at most `GROUPS` rows each row is
its own group, which is the plain bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.intervals import Interval, Z

GROUPS: Final = 200
RESAMPLES: Final = 500
LARGEST_SUMS: Final = 4_000_000

Groups = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Resampling:
    """Group of each row, and how often each resample (row of `weights`) draws each group.

    Avatars beyond the number of people follow: they are in the group of their original.
    """

    groups: Groups
    weights: Floats

    def sums(self, per_group: Floats) -> Floats:
        """Sums of every resample from sums per group (groups, ...), shape (resamples, ...)."""
        flat = per_group.reshape(len(per_group), -1)
        return np.asarray((self.weights @ flat).reshape(len(self.weights), *per_group.shape[1:]))

    def histogram(self, codes: npt.NDArray[np.integer], size: int) -> Floats:
        """Counts of codes 0 to size - 1 per group, shape (groups, size)."""
        count = self.weights.shape[1]
        flat = np.bincount(self.groups[: len(codes)] * size + codes, minlength=count * size)
        return flat.reshape(count, size).astype(np.float64)


def resampling(rows: int, width: int, random: np.random.Generator, origins: Groups | None = None) -> Resampling:
    """Groups for a table of that many rows; `width` numbers are summed per group, which bounds the memory.

    `origins` names the row that each avatar belongs to: first all rows in order, then those with further avatars.
    """
    count = int(min(rows, GROUPS, max(20, LARGEST_SUMS // max(width, 1))))
    groups = random.permutation(np.arange(rows, dtype=np.int64) % count)
    weights = random.multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES).astype(np.float64)
    return Resampling(groups if origins is None else groups[origins], weights)


def interval(value: float, resampled: Floats, lowest: float, largest: float) -> Interval:
    """Normal 95 % interval around a value from its resampled values, kept inside the metric's range."""
    known = resampled[np.isfinite(resampled)]
    half = Z * float(known.std(ddof=1)) if len(known) > 1 else largest - lowest
    return max(lowest, value - half), min(largest, value + half)


def squared_interval(value: float, resampled: Floats, largest: float) -> Interval:
    """95 % interval of a distance or of a spread of distances: the basic bootstrap on the squares, in [0, `largest`].

    Distances of samples are too large, those of resamples by as much again: two equal laws are at a distance of about
    sqrt(c / n), their resamples at sqrt(2 c / n). On squares that bias is added, so that limits mirrored at the square
    of the value take it away: sqrt(2 d^2 - q), q the quantiles of the resampled squares (Davison and Hinkley, Bootstrap
    Methods and their Application, 1997, section 5.2: basic bootstrap limits, after a transformation). A value that is
    mostly bias lies at the upper end, or above it.
    """
    known = resampled[np.isfinite(resampled)]
    if not len(known):
        return 0.0, largest
    ends = 2 * value**2 - np.percentile(known**2, [97.5, 2.5])
    low, high = np.sqrt(np.clip(ends, 0.0, largest**2))
    return float(low), float(high)
