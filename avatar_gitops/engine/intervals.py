"""95 % intervals: Wilson for shares, the percentile bootstrap for medians."""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats

Z: Final = 1.959963984540054
RESAMPLES: Final = 1_000
Interval = tuple[float, float]


def wilson(successes: float, trials: int, z: float = Z) -> Interval:
    """Bounds of a share (0 to 1) from its number of successes."""
    centre = (successes + z * z / 2) / (trials + z * z)
    half = z / (trials + z * z) * np.sqrt(max(0.0, successes * (trials - successes) / trials) + z * z / 4)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def wilson_percent(rate: float, trials: int) -> Interval:
    """Bounds of a rate given in percent."""
    low, high = wilson(rate / 100 * trials, trials)
    return 100 * low, 100 * high


def median_interval(values: Floats, random: np.random.Generator) -> Interval:
    """Bounds of a median from `RESAMPLES` bootstrap medians.

    The median of a resample is the value at a rank that is an order statistic of uniform draws, which has a beta law:
    the bootstrap needs two draws for each resample instead of one for each row.
    """
    n = len(values)
    ordered = np.sort(values)
    middle = (n + 1) // 2
    low = random.beta(middle, n - middle + 1, RESAMPLES)
    high = low if n % 2 else low + (1 - low) * random.beta(1, n - middle, RESAMPLES)
    ranks = [np.minimum((u * n).astype(np.int64), n - 1) for u in (low, high)]
    medians = (ordered[ranks[0]] + ordered[ranks[1]]) / 2
    return _percentiles(medians)


def mean_interval(values: Floats) -> Interval:
    """Normal bounds of a mean."""
    half = Z * float(values.std()) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def holding(value: float, interval: Interval) -> Interval:
    """The interval, widened where rounding or resampling left the value itself outside."""
    low, high = interval
    return min(low, value), max(high, value)


def _percentiles(draws: Floats) -> Interval:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
