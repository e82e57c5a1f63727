"""Utility (signal) metrics of one table of avatars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import ColumnSpec, Metrics, SignalParams
from avatar_gitops.engine.targets import SIGNAL
from avatar_gitops.engine.threads import single_threaded_algebra

_BINS: Final = 10


@single_threaded_algebra
def measure_signal(
    original: pa.Table, avatars: pa.Table, columns: Sequence[ColumnSpec], params: SignalParams, seed: int
) -> Metrics:
    """Utility metrics of row-aligned avatars, in natural units: 0 is equal.

    Hellinger distances use 10 bins of equal width on the pooled range, modalities as they are, and a bin of their own
    for missing values; the multivariate one is the mean over the compared axes of the originals' space. The correlation
    difference is the mean absolute difference of Pearson correlations over pairs of numbers, in percent. Without bins:
    the mean Kolmogorov-Smirnov distance of numbers and the mean total variation of categories. The meta score is the
    mean of 100 (1 - Hellinger), 100 - correlation difference and 100 (1 - multivariate Hellinger).
    """
    pair = pair_up(original, avatars, columns, params.space, seed)
    values: dict[str, float | None] = {}
    notes: dict[str, str] = {}
    hellinger = column_hellinger(pair)
    values["hellinger_mean"] = float(np.mean(list(hellinger.values())))
    values["hellinger_std"] = float(np.std(list(hellinger.values())))
    notes["hellinger_mean"] = f"Worst column: {max(hellinger, key=lambda name: hellinger[name])}."
    values["correlation_difference_ratio"] = correlation_difference(pair.original.numbers, pair.avatar.numbers)
    if values["correlation_difference_ratio"] is None:
        notes["correlation_difference_ratio"] = "The table has fewer than two numbers that vary."
    values["multivariate_hellinger_mean"] = _multivariate(pair)
    values["kolmogorov_smirnov_mean"] = _kolmogorov_smirnov(pair)
    values["total_variation_mean"] = _total_variation(pair)
    population = {name: pair.rows for name, value in values.items() if value is not None}
    wanted = {name: target for name, target in SIGNAL.items() if name in values}
    return Metrics(values, {}, population, notes, wanted, _meta(values))


def column_hellinger(pair: Pair) -> dict[str, float]:
    """Hellinger distance of each modelled column."""
    layout = pair.space.layout
    distances = {}
    for i, number in enumerate(layout.numbers):
        bins = _binned(pair.original.numbers[:, i], pair.avatar.numbers[:, i])
        distances[number.name] = _hellinger(*bins, _BINS + 1)
    for i, category in enumerate(layout.categories):
        # codes from -1 (missing) to the number of modalities (never seen)
        sides = pair.original.codes[:, i] + 1, pair.avatar.codes[:, i] + 1
        distances[category.name] = _hellinger(*sides, len(category.modalities) + 2)
    return distances


def correlation_difference(original: Floats, avatar: Floats) -> float | None:
    """Mean absolute difference of correlations over pairs of columns in percent, where both are known."""
    upper = np.triu_indices(original.shape[1], k=1)
    difference = np.abs(_correlations(original)[upper] - _correlations(avatar)[upper])
    known = difference[~np.isnan(difference)]
    return 100.0 * float(known.mean()) if len(known) else None


def _correlations(numbers: Floats) -> Floats:
    """Pearson correlations over the rows where both columns are known; NaN where one does not vary."""
    known = (~np.isnan(numbers)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = np.nan_to_num(numbers).sum(axis=0) / known.sum(axis=0)
        z = np.nan_to_num(numbers - centre)
        count = known.T @ known
        sums = z.T @ known
        covariance = z.T @ z - sums * sums.T / count
        spread = (z**2).T @ known - sums**2 / count
        spread[spread <= 1e-12 * np.maximum(1.0, centre[:, None] ** 2) * count] = np.nan
        return np.asarray(covariance / np.sqrt(spread * spread.T))


def _binned(original: Floats, avatar: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Bins 0 to 9 of the pooled range, 10 for missing values."""
    both = np.concatenate([original, avatar])
    known = both[~np.isnan(both)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    width = (high - low) / _BINS or 1.0
    with np.errstate(invalid="ignore"):
        bins = np.clip(np.floor((both - low) / width), 0, _BINS - 1)
    codes = np.where(np.isnan(both), _BINS, np.nan_to_num(bins)).astype(np.int64)
    return codes[: len(original)], codes[len(original) :]


def _shares(codes: npt.NDArray[np.int64] | Codes, size: int) -> Floats:
    return np.bincount(codes, minlength=size) / len(codes)


def _hellinger(original: npt.NDArray[np.int64] | Codes, avatar: npt.NDArray[np.int64] | Codes, size: int) -> float:
    difference = np.sqrt(_shares(original, size)) - np.sqrt(_shares(avatar, size))
    return float(np.sqrt((difference**2).sum() / 2))


def _multivariate(pair: Pair) -> float:
    axes = zip(pair.original_points.T, pair.avatar_points.T, strict=True)
    return float(np.mean([_hellinger(*_binned(original, avatar), _BINS + 1) for original, avatar in axes]))


def _kolmogorov_smirnov(pair: Pair) -> float | None:
    distances = []
    for original, avatar in zip(pair.original.numbers.T, pair.avatar.numbers.T, strict=True):
        a, b = np.sort(original[~np.isnan(original)]), np.sort(avatar[~np.isnan(avatar)])
        if len(a) and len(b):
            grid = np.concatenate([a, b])
            below = [np.searchsorted(side, grid, side="right") / len(side) for side in (a, b)]
            distances.append(float(np.abs(below[0] - below[1]).max()))
    return float(np.mean(distances)) if distances else None


def _total_variation(pair: Pair) -> float | None:
    distances = []
    for i, category in enumerate(pair.space.layout.categories):
        size = len(category.modalities) + 2
        shares = [_shares(side.codes[:, i] + 1, size) for side in (pair.original, pair.avatar)]
        distances.append(float(np.abs(shares[0] - shares[1]).sum() / 2))
    return float(np.mean(distances)) if distances else None


def _meta(values: dict[str, float | None]) -> float:
    hellinger, multivariate = values["hellinger_mean"], values["multivariate_hellinger_mean"]
    correlation = values["correlation_difference_ratio"]
    assert hellinger is not None
    assert multivariate is not None
    scores = [100 * (1 - hellinger), 100 * (1 - multivariate)]
    if correlation is not None:
        scores.append(100 - correlation)
    return max(0.0, float(np.mean(scores)))
