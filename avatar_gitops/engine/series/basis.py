"""Curves as a few scores: functional principal components, or the points of the grid themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.series.model import ProjectionType, SeriesParams

_EXPLAINED: Final = 0.95
_MOST_SCORES: Final = 10
_ROUNDING: Final = 1e-12


@dataclass(slots=True, frozen=True)
class Basis:
    """curve = `mean` + scores @ `functions`, scores = (curve - `mean`) @ `readers`.

    `mean` has one value per grid point, `functions` one row per score. `weights` are column weights of the scores in
    the space of the people, `explained` is each score's share of the variance of the curves.
    """

    mean: Floats
    functions: Floats
    readers: Floats
    weights: Floats
    explained: Floats

    def scores(self, curves: Floats) -> Floats:
        """Scores of curves (rows, points); NaN for a curve that is NaN."""
        return np.asarray((curves - self.mean) @ self.readers)

    def curves(self, scores: Floats) -> Floats:
        """Curves of scores (rows, scores)."""
        return np.asarray(self.mean + scores @ self.functions)


def fit_basis(curves: Floats, params: SeriesParams) -> Basis:
    """The basis of one variable from the aligned curves of those who have it (rows, points), at least one row.

    Column weights follow multiple factor analysis (Escofier and Pages, Computational Statistics & Data Analysis 18,
    1994): each group of columns is divided by its first eigenvalue, so that a series counts in distances like one
    number, and distances between people see the distance between their curves, not the number of points.
    """
    if params.projection is ProjectionType.FLATTEN:
        return _flatten(curves)
    return _fpca(curves, params.nf)


def trapezoid(points: int) -> Floats:
    """Weights of the trapezoid rule on the grid, which sum to 1."""
    weights = np.ones(points)
    if points > 1:
        weights[[0, -1]] = 0.5
    return np.asarray(weights / weights.sum())


def _fpca(curves: Floats, nf: int | None) -> Basis:
    """Functional principal components (Ramsay and Silverman, Functional Data Analysis, 2005, section 8.4).

    The mean curve is taken away; the singular vectors of the curves, weighted by the trapezoid rule, are the functions.
    """
    mean = curves.mean(axis=0)
    root = np.sqrt(trapezoid(curves.shape[1]))
    _, singular, axes = np.linalg.svd((curves - mean) * root, full_matrices=False)
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    axes *= np.where(largest < 0, -1.0, 1.0)[:, None]
    variance = singular**2
    size = _number_of_scores(variance, nf, float(np.abs(curves).max()))
    kept = axes[:size]
    total = float(variance.sum()) or 1.0
    return Basis(
        mean,
        kept / root,
        (kept * root).T,
        _positive(variance[:size] / (float(variance[0]) or 1.0)),
        variance[:size] / total,
    )


def _number_of_scores(variance: Floats, nf: int | None, scale: float) -> int:
    """As many as asked for; scores without any variance say nothing and are left out."""
    present = int((np.sqrt(variance) > _ROUNDING * scale * np.sqrt(len(variance))).sum())
    if nf is None:
        shares = np.cumsum(variance) / (float(variance.sum()) or 1.0)
        nf = min(_MOST_SCORES, int(np.searchsorted(shares, _EXPLAINED)) + 1)
    return max(1, min(nf, present))


def _flatten(curves: Floats) -> Basis:
    points = curves.shape[1]
    centred = curves - curves.mean(axis=0)
    deviations = centred.std(axis=0)
    scaled = centred / np.where(deviations > 0, deviations, 1.0)
    first = float(np.linalg.norm(scaled, 2)) ** 2 / len(curves)
    variance = deviations**2
    return Basis(
        np.zeros(points),
        np.eye(points),
        np.eye(points),
        np.full(points, 1.0 / first if first > 0 else 1.0),
        variance / (float(variance.sum()) or 1.0),
    )


def _positive(weights: Floats) -> Floats:
    """Weights of columns must be above 0, also for scores that are nothing but rounding."""
    return np.maximum(weights, _ROUNDING)
