"""Association of every pair of columns, whatever their kinds, and what of the originals' range avatars cover.

Two numbers: Pearson's correlation. Two categories: Cramér's V, corrected for bias (Bergsma, Journal of the Korean
Statistical Society 42, 2013). A number and a category: the correlation ratio eta (Fisher 1925). All from rows where
both are known. Coverage is that of SDMetrics: share of a number's range, share of a category's modalities.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.holdout import sample
from avatar_gitops.engine.magnitude import unit
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.streams import stream

_CELLS: Final = 1e8
_FEWEST: Final = 2_000


def association_matrix(frame: Frame, sizes: tuple[int, ...]) -> Floats:
    """Square matrix, numbers first; NaN where a column does not vary."""
    m, width = frame.numbers.shape[1], frame.numbers.shape[1] + frame.codes.shape[1]
    matrix = np.eye(width)
    for a in range(width):
        for b in range(a):
            if a < m:
                value = pearson(frame.numbers[:, a], frame.numbers[:, b])
            elif b < m:
                value = correlation_ratio(frame.numbers[:, b], frame.codes[:, a - m], sizes[a - m] + 1)
            else:
                value = cramers_v(frame.codes[:, a - m], frame.codes[:, b - m], (sizes[a - m] + 1, sizes[b - m] + 1))
            matrix[a, b] = matrix[b, a] = value
    return matrix


def association_difference(pair: Pair, seed: int) -> float | None:
    """Mean absolute difference over pairs of columns in percent; None when no pair varies on both sides.

    In a table with very many columns it is taken of a random part of the people and their avatars.
    """
    sizes, width = pair.space.layout.sizes, len(pair.space.layout.names)
    most = max(_FEWEST, int(_CELLS / max(1, width * (width - 1) // 2)))
    rows = sample(pair.rows, most, stream(seed, "", "associations"))
    one, two = (association_matrix(side.take(rows), sizes) for side in (pair.original, pair.avatar))
    difference = np.abs(one - two)[np.triu_indices(len(one), k=1)]
    known = difference[~np.isnan(difference)]
    return 100.0 * float(known.mean()) if len(known) else None


def pearson(one: Floats, two: Floats) -> float:
    """Pearson's correlation, -1 to 1."""
    known = ~np.isnan(one) & ~np.isnan(two)
    x, y = one[known], two[known]
    if len(x) < 2 or _flat(x) or _flat(y):
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    x, y = x / unit(x), y / unit(y)
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def correlation_ratio(numbers: Floats, codes: Codes, size: int) -> float:
    """eta: root of the variance between categories over the whole variance, 0 to 1."""
    known = ~np.isnan(numbers) & (codes >= 0)
    x, groups = numbers[known], codes[known]
    if len(x) < 2 or _flat(x):
        return float("nan")
    x = x - x.mean()
    counts, sums = np.bincount(groups, minlength=size), np.bincount(groups, weights=x, minlength=size)
    if (counts > 0).sum() < 2:
        return float("nan")
    between = float((sums**2 / np.maximum(counts, 1)).sum())
    return float(np.sqrt(min(1.0, between / float(x @ x))))


def cramers_v(one: Codes, two: Codes, sizes: tuple[int, int]) -> float:
    """Bias-corrected V, 0 to 1: phi² less its expectation, over the least corrected number of modalities less one."""
    known = (one >= 0) & (two >= 0)
    n = int(known.sum())
    ids = one[known].astype(np.int64) * sizes[1] + two[known]
    rows, columns = (np.bincount(side[known]) for side in (one, two))
    r, c = int((rows > 0).sum()), int((columns > 0).sum())
    if n < 2 or r < 2 or c < 2:
        return float("nan")
    cells, counts = np.unique(ids, return_counts=True)
    expected = rows[cells // sizes[1]] * columns[cells % sizes[1]] / n
    phi = max(0.0, float((counts**2 / expected).sum()) / n - 1.0 - (r - 1) * (c - 1) / (n - 1))
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(min(1.0, phi / least))) if least > 0 else float("nan")


def range_coverage(pair: Pair) -> float | None:
    """Mean over numbers of the share of the originals' range between the avatars' ends, 0 to 1."""
    shares = []
    for original, avatar in zip(pair.original.numbers.T, pair.avatar.numbers.T, strict=True):
        (a, b), known = _ends(original), ~np.isnan(avatar)
        if b > a:
            low, high = _ends(avatar) if known.any() else (np.inf, -np.inf)
            shares.append(max(0.0, float((min(b, high) - max(a, low)) / (b - a))))
    return float(np.mean(shares)) if shares else None


def category_coverage(pair: Pair) -> float | None:
    """Mean over categories of the share of the originals' modalities that some avatar has, 0 to 1."""
    shares = []
    for original, avatar in zip(pair.original.codes.T, pair.avatar.codes.T, strict=True):
        held = np.unique(original[original >= 0])
        if len(held):
            shares.append(float(np.isin(held, avatar).mean()))
    return float(np.mean(shares)) if shares else None


def _ends(values: Floats) -> tuple[float, float]:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _flat(values: Floats) -> bool:
    return float(values.std()) <= 1e-12 * float(np.abs(values.mean()))
