"""Projection of mixed tables: PCA, MCA and FAMD as one generalised singular value decomposition.

Numbers are standardised, the indicator of a modality with share q becomes (1 - q)/sqrt(q) or (0 - q)/sqrt(q), and each
column is multiplied by the square root of its weight, so that a weight multiplies its column's share of every squared
distance (Pagès 2004). Without numbers all is divided by the square root of the number of columns, which is MCA. The
axes are eigenvectors of the cross-product, which is built from codes without a one-hot table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.kernels.library import kernels
from avatar_gitops.engine.kernels.moments import CHUNK, meet, place
from avatar_gitops.errors import EngineError

DENSE_DIMENSIONS: Final = 1_200
_SMALLEST_SHARE: Final = 1e-10


@dataclass(slots=True, frozen=True)
class Projection:
    """Axes of a fitted space. `tables[v][code]` is what a modality of column v adds to the coordinates."""

    mean: Floats
    scale: Floats
    axes: Floats
    tables: tuple[Floats, ...]
    explained: Floats
    contributions: Floats
    dimensions: int

    @property
    def ncp(self) -> int:
        """Number of axes."""
        return int(self.axes.shape[1])


def fit_projection(numbers: Floats, codes: Codes, sizes: tuple[int, ...], weights: Floats, ncp: int) -> Projection:
    """Fit the first `ncp` axes (fewer when the rank is lower); weights are per column, numbers first.

    `explained` are shares of the total inertia, `contributions` (columns x axes) percentages of an axis. The sign of an
    axis makes its largest loading positive.
    """
    counts = [np.bincount(codes[:, v], minlength=size) for v, size in enumerate(sizes)]
    if any(len(held) != size for held, size in zip(counts, sizes, strict=True)):
        raise ValueError("A code is not below the number of modalities of its column.")
    standard = standardise(numbers.mean(axis=0), numbers.std(axis=0), counts, weights)
    z = (numbers - standard.mean) * standard.scale
    wide = numbers.shape[1] + sum(sizes)
    total = float((z**2).mean(axis=0).sum()) + standard.inertia_of_categories
    if wide <= DENSE_DIMENSIONS:
        met, sums = moments(z, codes, sizes)
        return solve(standard, total, cross_product(standard, z.T @ z / len(z), met, sums), ncp)
    found = _iterative(z, codes, list(standard.shares), list(standard.roots), min(ncp, wide - 1))
    return _assemble(standard, total, *found)


@dataclass(slots=True, frozen=True)
class Standard:
    """How columns are scaled: mean and factor of each number, share and factor of each modality, over `rows` rows."""

    rows: int
    mean: Floats
    scale: Floats
    shares: tuple[Floats, ...]
    roots: tuple[Floats, ...]

    @property
    def inertia_of_categories(self) -> float:
        """Total inertia that the modalities bring."""
        return sum(float((r**2 * q * (1 - q)).sum()) for q, r in zip(self.shares, self.roots, strict=True))


def standardise(mean: Floats, deviation: Floats, counts: Sequence[npt.NDArray[np.int64]], weights: Floats) -> Standard:
    """Scales from the mean and standard deviation of each number and the rows of each modality."""
    m = len(mean)
    # a constant is constant up to rounding: its deviation is noise of its own size, not a scale
    deviation = np.where(deviation <= 1e-12 * np.maximum(1.0, np.abs(mean)), np.inf, deviation)
    factor = 1.0 if m else 1.0 / np.sqrt(max(1, len(counts)))
    shares = [held / held.sum() for held in counts]
    roots = [np.sqrt(weights[m + v]) * factor / np.sqrt(np.where(q > 0, q, np.inf)) for v, q in enumerate(shares)]
    rows = int(counts[0].sum()) if counts else 0
    return Standard(rows, mean, np.sqrt(weights[:m]) / deviation, tuple(shares), tuple(roots))


def solve(standard: Standard, total: float, gram: Floats, ncp: int) -> Projection:
    """The axes of a cross-product; `total` is the inertia of all columns."""
    wide = len(gram)
    values, vectors = np.linalg.eigh(gram)
    wanted = min(ncp, wide)
    return _assemble(standard, total, values[wide - wanted :], vectors[:, wide - wanted :])


def project(projection: Projection, numbers: Floats, codes: Codes) -> Floats:
    """Coordinates of rows, one column per axis; equal rows get equal coordinates bit for bit."""
    library = kernels()
    if library is not None:
        standard = projection.mean, projection.scale, projection.axes
        return place(library, numbers, _columns(codes), standard, projection.tables)
    coordinates = np.zeros((len(numbers), projection.ncp))
    for column in range(numbers.shape[1]):
        z = (numbers[:, column] - projection.mean[column]) * projection.scale[column]
        coordinates += z[:, None] * projection.axes[column]
    for column, table in enumerate(projection.tables):
        coordinates += table[np.minimum(codes[:, column], len(table) - 1)]
    return coordinates


def _assemble(standard: Standard, total: float, values: Floats, vectors: Floats) -> Projection:
    """A projection from the leading eigenpairs, ascending."""
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = max(1, int((values > _SMALLEST_SHARE * max(values[0], 1e-300)).sum()))
    values, vectors = np.maximum(values[:kept], 0.0), vectors[:, :kept]
    vectors = vectors * np.where(vectors[np.abs(vectors).argmax(axis=0), np.arange(kept)] < 0, -1.0, 1.0)
    m = len(standard.mean)
    tables, contributions = [], list(100.0 * vectors[:m] ** 2)
    start = m
    for q, root in zip(standard.shares, standard.roots, strict=True):
        loadings = vectors[start : start + len(q)]
        scaled = root[:, None] * loadings
        base = -(q @ scaled)
        tables.append(np.vstack([scaled + base, base[None, :]]))
        contributions.append(100.0 * (loadings**2).sum(axis=0))
        start += len(q)
    dimensions = m + sum(map(len, standard.shares))
    explained = values / total if total > 0 else values
    return Projection(
        standard.mean, standard.scale, vectors[:m], tuple(tables), explained, np.array(contributions), dimensions
    )


def cross_product(standard: Standard, crossed: Floats, met: npt.NDArray[np.int64], sums: Floats) -> Floats:
    """Cross-product of the scaled columns divided by the number of rows.

    `crossed` is that of the numbers, `met` and `sums` are their `moments` with the modalities.
    """
    shares, roots, n, m = standard.shares, standard.roots, standard.rows, len(crossed)
    starts = np.concatenate([[m], m + np.cumsum([len(q) for q in shares])]).astype(int)
    gram = np.empty((starts[-1], starts[-1]))
    gram[:m, :m] = crossed
    for a, (qa, ra) in enumerate(zip(shares, roots, strict=True)):
        rows = slice(starts[a], starts[a + 1])
        own = slice(starts[a] - m, starts[a + 1] - m)
        for j in range(m):
            gram[rows, j] = gram[j, rows] = sums[own, j] / n * ra  # z is centred: the share of the mean is zero
        for b in range(a + 1):
            qb, rb = shares[b], roots[b]
            columns = slice(starts[b], starts[b + 1])
            joint = met[own, starts[b] - m : starts[b + 1] - m] / n
            gram[rows, columns] = (joint - np.outer(qa, qb)) * np.outer(ra, rb)
            gram[columns, rows] = gram[rows, columns].T
    return gram


def moments(z: Floats, codes: Codes, sizes: Sequence[int]) -> tuple[npt.NDArray[np.int64], Floats]:
    """How often modalities meet (lower blocks) and sums of `z` by modality; codes are below their `sizes`.

    Sums over rows are taken chunk by chunk, so that the compiled and the portable path add in the same order.
    """
    library = kernels()
    if library is not None and sizes:
        return meet(library, _columns(codes), sizes, z)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
    met = np.zeros((starts[-1], starts[-1]), dtype=np.int64)
    sums = np.zeros((starts[-1], z.shape[1]))
    for a, size in enumerate(sizes):
        own = slice(starts[a], starts[a + 1])
        for start in range(0, len(z), CHUNK):
            some = slice(start, start + CHUNK)
            for j in range(z.shape[1]):
                sums[own, j] += np.bincount(codes[some, a], weights=z[some, j], minlength=size)
        for b in range(a + 1):
            pairs = codes[:, a].astype(np.int64) * sizes[b] + codes[:, b]
            counts = np.bincount(pairs, minlength=size * sizes[b])
            met[own, starts[b] : starts[b + 1]] = counts.reshape(size, sizes[b])
    return met, sums


def _columns(codes: Codes) -> list[Codes]:
    return [np.ascontiguousarray(column, dtype=np.int32) for column in codes.T]


def _iterative(
    z: Floats, codes: Codes, shares: list[Floats], roots: list[Floats], wanted: int
) -> tuple[Floats, Floats]:
    """Leading eigenpairs, ascending, without the cross-product: for tables with thousands of modalities."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    n, m = z.shape
    starts = np.concatenate([[m], m + np.cumsum([len(q) for q in shares])]).astype(int)
    wide = int(starts[-1])

    def multiply(vector: Floats) -> Floats:
        vector = vector.ravel()
        rows = z @ vector[:m]
        for v, (q, root) in enumerate(zip(shares, roots, strict=True)):
            part = root * vector[starts[v] : starts[v + 1]]
            rows += part[codes[:, v]] - q @ part
        result = np.empty(wide)
        result[:m] = z.T @ rows
        for v, (q, root) in enumerate(zip(shares, roots, strict=True)):
            sums = np.bincount(codes[:, v], weights=rows, minlength=len(q))
            result[starts[v] : starts[v + 1]] = root * (sums - q * rows.sum())
        result /= n
        return result

    operator = LinearOperator((wide, wide), matvec=multiply, dtype=np.float64)
    begin = np.cos(np.arange(1.0, wide + 1.0))
    try:
        values, vectors = eigsh(operator, k=wanted, which="LA", v0=begin, tol=1e-9, maxiter=5_000)
    except ArpackNoConvergence:
        raise EngineError(
            "The table has so many modalities that its axes cannot be told apart.",
            hint="Group rare modalities, or drop the columns with most of them.",
        ) from None
    order: npt.NDArray[np.intp] = np.argsort(values)
    return np.asarray(values[order]), np.asarray(vectors[:, order])
