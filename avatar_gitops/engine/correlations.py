"""Pearson correlations with missing values, from sums that can be added and resampled."""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.magnitude import unit
from avatar_gitops.engine.resampling import Groups

_FLAT: Final = 1e-24  # of the square of the mean
_ROUNDING: Final = 1e-12  # of the sum of squares


def moments(numbers: Floats, groups: Groups, count: int) -> tuple[Floats, Floats]:
    """Sums over pairs of columns per group, shape (groups, 4, columns, columns), and each column's smallest spread.

    The four are: rows where both are known, sum of the first, sum of its squares, sum of products. Columns are centred
    first and divided by a power of two; a spread per row below the smallest one is rounding, not variation.
    """
    known = (~np.isnan(numbers)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.nan_to_num(numbers).sum(axis=0) / known.sum(axis=0)
    z = np.nan_to_num(numbers - centre)
    size = unit(z)
    z /= size
    order = np.argsort(groups, kind="stable")
    bounds = np.searchsorted(groups[order], np.arange(count + 1))
    width = numbers.shape[1]
    sums = np.empty((count, 4, width, width))
    for group in range(count):
        rows = order[bounds[group] : bounds[group + 1]]
        k, x = known[rows], z[rows]
        sums[group] = k.T @ k, x.T @ k, (x**2).T @ k, x.T @ x
    return sums, _FLAT * (np.nan_to_num(centre) / size) ** 2


def correlations(sums: Floats, flat: Floats) -> Floats:
    """Correlations from summed moments (..., 4, columns, columns); NaN where one of the two does not vary."""
    count, first, squares, products = np.moveaxis(sums, -3, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - first * np.swapaxes(first, -1, -2) / count
        spread = squares - first**2 / count
        spread = np.where(spread <= np.maximum(flat[:, None] * count, _ROUNDING * squares), np.nan, spread)
        return np.asarray(covariance / np.sqrt(spread * np.swapaxes(spread, -1, -2)))


def mean_difference(one: Floats, two: Floats) -> Floats:
    """Mean absolute difference over pairs of columns where both are known, in percent; NaN when there is no pair."""
    upper = np.triu_indices(one.shape[-1], k=1)
    difference = np.abs(one[..., *upper] - two[..., *upper])
    known = ~np.isnan(difference)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(100.0 * np.where(known, difference, 0.0).sum(axis=-1) / known.sum(axis=-1))
