"""Scores of curves: the values at the points of the grid, or the scores of a functional principal component analysis.

For the latter a curve x is centred by the mean curve and described by its inner products with the first `nf`
eigenfunctions of the covariance of the curves (Ramsay and Silverman 2005, chapter 8); integrals are trapezoid sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.model import SeriesParams, SeriesProjection

_SHARE: Final = 0.95
_MOST_SCORES: Final = 10


@dataclass(slots=True, frozen=True)
class Basis:
    """Mean curve and functions (points x scores) of one variable, and the weights of the points in integrals.

    The curve of scores s is mean + functions @ s.
    """

    mean: Floats
    functions: Floats
    duals: Floats


def fit_bases(curves: Curves, params: SeriesParams) -> tuple[Basis, ...]:
    """One basis for each variable, fitted on the curves that are there."""
    return tuple(_fit(curves.values[:, :, at], params) for at in range(curves.values.shape[2]))


def scores_of(basis: Basis, values: Floats) -> Floats:
    """Scores (people x scores) of the curves of one variable (people x points); NaN for people without one."""
    return np.asarray((values - basis.mean) @ basis.duals)


def curves_of(basis: Basis, scores: Floats) -> Floats:
    """Curves (people x points) from scores (people x scores)."""
    return np.asarray(basis.mean + scores @ basis.functions.T)


def _fit(values: Floats, params: SeriesParams) -> Basis:
    known = values[~np.isnan(values).any(axis=1)]
    points = values.shape[1]
    if params.projection is SeriesProjection.FLATTEN or len(known) == 0:
        return Basis(np.zeros(points), np.eye(points), np.eye(points))
    mean = known.mean(axis=0)
    roots = np.sqrt(_trapezoid(points))
    _, singular, functions = np.linalg.svd((known - mean) * roots, full_matrices=False)
    kept = functions[: _how_many(singular, params.nf)]
    signs = np.where(kept[np.arange(len(kept)), np.abs(kept).argmax(axis=1)] < 0, -1.0, 1.0)
    kept = kept * signs[:, None]
    return Basis(mean, (kept / roots).T, (kept * roots).T)


def _trapezoid(points: int) -> Floats:
    weights = np.full(points, 1.0 / (points - 1))
    weights[[0, -1]] /= 2
    return weights


def _how_many(singular: Floats, wanted: int | None) -> int:
    if wanted is not None:
        return min(wanted, len(singular))
    shares = singular**2
    if shares.sum() == 0:
        return 1
    needed = int(np.searchsorted(shares.cumsum() / shares.sum(), _SHARE - 1e-12)) + 1
    return min(needed, _MOST_SCORES, len(singular))
