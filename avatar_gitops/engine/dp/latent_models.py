"""What is drawn in the noisy principal axes: one normal, histograms of the axes, or a mixture of normals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.dp.accountant import Accountant, Counts
from avatar_gitops.engine.dp.domains import Domain, Rows
from avatar_gitops.engine.dp.latent import (
    ROWS_AT_ONCE,
    UNIT,
    Moments,
    blocks,
    decode,
    encode,
    fit_space,
    measure_moments,
    positive,
)
from avatar_gitops.engine.dp.params import DpModel, DpParams

Draw = Callable[[int, np.random.Generator], Floats]
"""Points on the axes: so many, from this stream."""

_REACH: Final = 3.0
"""Axes are cut at so many (noisy) standard deviations around the (noisy) mean."""

_STEPS: Final = 5
_PARTS: Final = 256
_GRAIN: Final = 256
_MIXTURE_AXES: Final = 6


_MOMENTS: Final = {DpModel.GAUSSIAN: 1.0, DpModel.HISTOGRAM: 0.6, DpModel.GMM: 0.4}
"""Part of the budget of a model that its moments get."""


@dataclass(slots=True, frozen=True)
class Axes:
    """Principal axes of the noisy covariance (columns of `basis`), their variances, and what they leave over."""

    mean: Floats
    basis: Floats
    variances: Floats
    rest: Floats


def synthesize(
    account: Accountant[Rows],
    rows: Rows,
    what: tuple[Sequence[Domain], DpParams],
    size: tuple[float, float],
    draws: np.random.Generator,
) -> dict[str, pa.Array]:
    """Columns of rows drawn from the model, whose measurements cost the given share."""
    (domains, params), (share, total) = what, size
    space = fit_space(domains)
    rows.points = encode(space, rows)
    part = share * _MOMENTS[params.model]
    moments = measure_moments(account, space, part, total)
    axes = axes_of(moments, params.ncp)
    rest = share - part
    if params.model is DpModel.GAUSSIAN:
        draw = fit_gaussian(axes)
    elif params.model is DpModel.HISTOGRAM:
        draw = fit_histogram(account, axes, params.bins or 10, rest)
    else:
        draw = fit_mixture(account, axes, params.components, rest, draws)
    n, made = round(total), []
    for start in range(0, n, ROWS_AT_ONCE):
        points = leave_axes(axes, draw(min(ROWS_AT_ONCE, n - start), draws), draws)
        made.append([decode(domain, points[:, at], moments.mean[at], draws) for domain, at in space.columns])
    columns = zip(space.domains, zip(*made, strict=True), strict=True)
    return {domain.name: pa.chunked_array(parts).combine_chunks() for domain, parts in columns}


def axes_of(moments: Moments, ncp: int | None) -> Axes:
    """The `ncp` largest axes, all when it is not said; the rest keeps its variance coordinate by coordinate."""
    values, vectors = np.linalg.eigh(moments.covariance)
    kept = min(ncp or len(values), len(values))
    order = np.argsort(values)[::-1][:kept]
    basis, variances = vectors[:, order], np.maximum(values[order], 0.0)
    explained = ((basis * variances) * basis).sum(axis=1)
    return Axes(moments.mean, basis, variances, np.maximum(np.diag(moments.covariance) - explained, 0.0))


def leave_axes(axes: Axes, inner: Floats, draws: np.random.Generator) -> Floats:
    """Coordinates of points given on the axes, with what the axes leave over drawn for each coordinate alone."""
    points = axes.mean + inner @ axes.basis.T
    return np.asarray(points + draws.standard_normal(points.shape) * np.sqrt(axes.rest))


def fit_gaussian(axes: Axes) -> Draw:
    """Points of one normal; its moments have been measured."""
    return lambda n, draws: draws.standard_normal((n, len(axes.variances))) * np.sqrt(axes.variances)


def fit_histogram(account: Accountant[Rows], axes: Axes, bins: int, share: float) -> Draw:
    """Points whose coordinates on the axes are drawn one by one from noisy histograms.

    A row is in one bin of each axis, so the counts of all axes together move by sqrt(axes) in L2.
    """
    q = len(axes.variances)
    reach = _REACH * np.sqrt(axes.variances) + 1e-9

    def histograms(rows: Rows) -> Counts:
        counts = np.zeros((q, bins), dtype=np.int64)
        for part in blocks(rows):
            found = np.clip(((_inner(axes, part) / reach + 1) / 2 * bins).astype(np.int64), 0, bins - 1)
            counts += np.stack([np.bincount(found[:, axis], minlength=bins) for axis in range(q)])
        return counts.ravel()

    counts = account.counts("histograms of the axes", histograms, float(np.sqrt(q)), share).reshape(q, bins)
    weights = np.maximum(counts, 0).astype(np.float64)
    weights[weights.sum(axis=1) == 0] = 1.0

    def draw(n: int, draws: np.random.Generator) -> Floats:
        points = np.empty((n, q))
        for axis, chances in enumerate(weights / weights.sum(axis=1, keepdims=True)):
            cells = draws.choice(bins, size=n, p=chances)
            points[:, axis] = ((cells + draws.random(n)) / bins * 2 - 1) * reach[axis]
        return points

    return draw


def fit_mixture(
    account: Accountant[Rows], axes: Axes, components: int, share: float, draws: np.random.Generator
) -> Draw:
    """Points of a mixture of normals on the largest axes, fitted by few steps of expectation maximization.

    Each step releases noisy weights, sums and second moments. Responsibilities are whole parts of 256 that sum to at
    most 256 for a row, and rows are cut to a length R that the noisy variances give, so that one row moves the three
    by at most 256, 256 R and 256 R².

    Source: Park et al., "DP-EM: differentially private expectation maximization" (2017).
    """
    q = min(len(axes.variances), _MIXTURE_AXES)
    length = max(2.0 * float(np.sqrt(axes.variances[:q].sum())), 1e-6)
    mixture = _Mixture(
        np.full(components, 1 / components),
        draws.standard_normal((components, q)) * np.sqrt(axes.variances[:q]),
        np.tile(np.diag(axes.variances[:q] + 1e-6), (components, 1, 1)),
    )
    for step in range(_STEPS):
        mixture = _maximize(account, axes, (mixture, length), (share / _STEPS, step))
    roots = np.stack([_root(covariance) for covariance in mixture.covariances])

    def draw(n: int, draws: np.random.Generator) -> Floats:
        chosen = draws.choice(components, size=n, p=mixture.weights)
        points = np.empty((n, len(axes.variances)))
        points[:, q:] = draws.standard_normal((n, len(axes.variances) - q)) * np.sqrt(axes.variances[q:])
        normal = draws.standard_normal((n, q))
        points[:, :q] = mixture.means[chosen] + np.einsum("nij,nj->ni", roots[chosen], normal)
        return points

    return draw


@dataclass(slots=True, frozen=True)
class _Mixture:
    weights: Floats
    means: Floats
    covariances: Floats


def _maximize(
    account: Accountant[Rows], axes: Axes, state: tuple[_Mixture, float], budget: tuple[float, int]
) -> _Mixture:
    (mixture, length), (share, step) = state, budget
    k, q = mixture.means.shape
    upper = np.triu_indices(q)
    longest = _PARTS * length * _GRAIN
    kept: list[tuple[Floats, Floats]] = []  # of the private rows: read by the three questions only

    def parts(rows: Rows) -> tuple[Floats, Floats]:
        if not kept:
            points = _shortened(np.concatenate([_inner(axes, part)[:, :q] for part in blocks(rows)]), length)
            kept.append((np.floor(_responsibilities(mixture, points) * _PARTS), np.trunc(points * _GRAIN)))
        return kept[0]

    def weights(rows: Rows) -> Counts:
        return np.asarray(parts(rows)[0].sum(axis=0), dtype=np.int64)

    def sums(rows: Rows) -> Counts:
        responsible, points = parts(rows)
        return np.rint(responsible.T @ points).astype(np.int64).ravel()

    def seconds(rows: Rows) -> Counts:
        responsible, points = parts(rows)
        products = points[:, upper[0]] * points[:, upper[1]]
        return np.rint(responsible.T @ products).astype(np.int64).ravel()

    name = f"step {step + 1} of the mixture"
    mass = account.counts(f"{name}: weights", weights, _PARTS, share * 0.2) / _PARTS
    total = account.counts(f"{name}: sums", sums, longest, share * 0.4).reshape(k, q) / (_PARTS * _GRAIN)
    second = account.counts(f"{name}: second moments", seconds, longest * length * _GRAIN, share * 0.4)
    mass = np.maximum(mass, 1.0)
    means = np.clip(total / mass[:, None], -length, length)
    covariances = np.empty((k, q, q))
    for i, triangle in enumerate(second.reshape(k, -1) / (_PARTS * float(_GRAIN) ** 2)):
        moment = np.zeros((q, q))
        moment[upper] = triangle / mass[i]
        moment += np.triu(moment, 1).T
        floor = 1e-4 * float(axes.variances[:q].max(initial=1e-6)) + 1e-9
        covariances[i] = positive(moment - np.outer(means[i], means[i])) + floor * np.eye(q)
    return _Mixture(mass / mass.sum(), means, covariances)


def _responsibilities(mixture: _Mixture, points: Floats) -> Floats:
    logs = np.empty((len(points), len(mixture.weights)))
    for i, (mean, covariance) in enumerate(zip(mixture.means, mixture.covariances, strict=True)):
        root = np.linalg.cholesky(covariance)
        scaled = np.linalg.solve(root, (points - mean).T)
        logs[:, i] = np.log(mixture.weights[i] + 1e-12) - 0.5 * (scaled**2).sum(axis=0) - np.log(np.diag(root)).sum()
    chances = np.exp(logs - logs.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def _shortened(points: Floats, length: float) -> Floats:
    norms = np.sqrt((points**2).sum(axis=1, keepdims=True))
    return np.asarray(points * np.minimum(1.0, length * (1 - 1e-9) / np.maximum(norms, 1e-300)))


def _inner(axes: Axes, points: npt.NDArray[np.int16]) -> Floats:
    return np.asarray((points / UNIT - axes.mean) @ axes.basis)


def _root(covariance: Floats) -> Floats:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))
