"""Utility (signal) metrics of one table of avatars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.associations import association_difference, category_coverage, range_coverage
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.correlations import correlations, mean_difference, moments
from avatar_gitops.engine.intervals import Interval, holding
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import ColumnSpec, Metrics, SignalParams
from avatar_gitops.engine.propensity import pmse_ratio
from avatar_gitops.engine.resampling import Resampling, interval, resampling, squared_interval
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.targets import SIGNAL
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.engine.utility import predict_target
from avatar_gitops.errors import EngineError

_BINS: Final = 10

Indices = npt.NDArray[np.int64]


@single_threaded_algebra
def measure_signal(
    original: pa.Table,
    avatars: pa.Table,
    columns: Sequence[ColumnSpec],
    params: SignalParams,
    seed: int,
    origins: Indices | None = None,
) -> Metrics:
    """Utility metrics of row-aligned avatars, in natural units: 0 is equal. `origins` are those of augmented avatars.

    Hellinger distances use 10 bins of equal width on the pooled range, modalities as they are, and a bin of their own
    for missing values; the multivariate one is the mean over the compared axes of the originals' space. The correlation
    difference is the mean absolute difference of Pearson correlations over pairs of numbers, in percent. Without bins:
    the mean Kolmogorov-Smirnov distance of numbers and the mean total variation of categories. The meta score is the
    mean of 100 (1 - Hellinger), 100 - correlation difference and 100 (1 - multivariate Hellinger). Intervals come from
    resampled people (`engine.resampling`), bins held fixed; those of Hellinger distances take away what a small sample
    adds to a distance. The Kolmogorov-Smirnov distance has none. Further figures and their sources:
    `engine.associations`, `engine.propensity`, `engine.utility` (for a chosen target).
    """
    pair = pair_up(original, avatars, columns, params.space, seed, origins)
    width = 4 * len(pair.space.layout.numbers) ** 2
    draw = resampling(pair.rows, width, stream(seed, "", "signal resampling"), pair.origins)
    ledger = _Ledger()
    histograms = _column_histograms(pair)
    distances = {name: hellinger(*sides) for name, sides in histograms.items()}
    resampled = np.stack([_resampled(draw, *sides) for sides in histograms.values()])
    ledger.distance("hellinger_mean", float(np.mean(list(distances.values()))), resampled.mean(axis=0))
    ledger.distance("hellinger_std", float(np.std(list(distances.values()))), resampled.std(axis=0))
    ledger.notes["hellinger_mean"] = f"Worst column: {max(distances, key=lambda name: distances[name])}."
    _correlation(pair, draw, ledger)
    axes = [
        binned(original, avatar) for original, avatar in zip(pair.original_points.T, pair.avatar_points.T, strict=True)
    ]
    ledger.distance(
        "multivariate_hellinger_mean",
        float(np.mean([hellinger(*sides) for sides in axes])),
        np.stack([_resampled(draw, *sides) for sides in axes]).mean(axis=0),
    )
    ledger.values["kolmogorov_smirnov_mean"] = _kolmogorov_smirnov(pair)
    _variation([histograms[category.name] for category in pair.space.layout.categories], draw, ledger)
    _more(pair, params.target, seed, ledger)
    population = {name: pair.rows for name, value in ledger.values.items() if value is not None}
    wanted = {name: target for name, target in SIGNAL.items() if name in ledger.values}
    meta = _meta(ledger.values)
    return Metrics(ledger.values, ledger.intervals, population, ledger.notes, wanted, meta, distances=distances)


@dataclass(slots=True)
class _Ledger:
    """Metrics while they are being collected."""

    values: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float, resampled: Floats, largest: float = 1.0) -> None:
        """A metric with its interval."""
        self.values[name] = value
        self.intervals[name] = interval(value, resampled, 0.0, largest)

    def distance(self, name: str, value: float, resampled: Floats) -> None:
        """A Hellinger distance or a spread of such, with its interval."""
        self.values[name] = value
        self.intervals[name] = holding(value, squared_interval(value, resampled, 1.0))


Histogram = tuple[Indices, Indices, int]
"""Codes of originals, codes of avatars, number of codes."""


def column_hellinger(pair: Pair) -> dict[str, float]:
    """Hellinger distance of each modelled column."""
    return {name: hellinger(*sides) for name, sides in _column_histograms(pair).items()}


def hellinger(original: Indices, avatar: Indices, size: int) -> float:
    """Hellinger distance of two samples of codes, sqrt(1 - sum sqrt(p q)), in [0, 1]."""
    return float(
        hellinger_of_counts(*(np.bincount(side, minlength=size).astype(np.float64) for side in (original, avatar)))
    )


def hellinger_of_counts(original: Floats, avatar: Floats) -> Floats:
    """Hellinger distances of samples from their counts (..., codes)."""
    shares = [np.sqrt(side / side.sum(axis=-1, keepdims=True)) for side in (original, avatar)]
    return np.asarray(np.sqrt(((shares[0] - shares[1]) ** 2).sum(axis=-1) / 2))


def _resampled(draw: Resampling, original: Indices, avatar: Indices, size: int) -> Floats:
    return hellinger_of_counts(*(draw.sums(draw.histogram(side, size)) for side in (original, avatar)))


def _column_histograms(pair: Pair) -> dict[str, Histogram]:
    layout = pair.space.layout
    sides: dict[str, Histogram] = {}
    for i, number in enumerate(layout.numbers):
        sides[number.name] = binned(pair.original.numbers[:, i], pair.avatar.numbers[:, i])
    for i, category in enumerate(layout.categories):
        # codes from -1 (missing) to the number of modalities (never seen)
        original, avatar = (side.codes[:, i].astype(np.int64) + 1 for side in (pair.original, pair.avatar))
        sides[category.name] = original, avatar, len(category.modalities) + 2
    return sides


def binned(original: Floats, avatar: Floats) -> Histogram:
    """Bins 0 to 9 of the pooled range, 10 for missing values."""
    both = np.concatenate([original, avatar])
    known = both[~np.isnan(both)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    width = (high - low) / _BINS or 1.0
    with np.errstate(invalid="ignore"):
        bins = np.clip(np.floor((both - low) / width), 0, _BINS - 1)
    codes = np.where(np.isnan(both), _BINS, np.nan_to_num(bins)).astype(np.int64)
    return codes[: len(original)], codes[len(original) :], _BINS + 1


def correlation_difference(original: Floats, avatar: Floats) -> float | None:
    """Mean absolute difference of correlations over pairs of columns in percent, where both are known."""
    one_group = np.zeros(len(original), dtype=np.int64)
    sides = (moments(side, one_group, 1) for side in (original, avatar))
    difference = float(mean_difference(*(correlations(sums.sum(axis=0), flat) for sums, flat in sides)))
    return None if np.isnan(difference) else difference


def _correlation(pair: Pair, draw: Resampling, ledger: _Ledger) -> None:
    name = "correlation_difference_ratio"
    value = correlation_difference(pair.original.numbers, pair.avatar.numbers)
    if value is None:
        ledger.values[name] = None
        ledger.notes[name] = "The table has fewer than two numbers that vary."
        return
    count = draw.weights.shape[1]
    sides = (moments(side.numbers, draw.groups[: side.rows], count) for side in (pair.original, pair.avatar))
    resampled = mean_difference(*(correlations(draw.sums(sums), flat) for sums, flat in sides))
    ledger.add(name, value, resampled, largest=200.0)


def _kolmogorov_smirnov(pair: Pair) -> float | None:
    distances = []
    for original, avatar in zip(pair.original.numbers.T, pair.avatar.numbers.T, strict=True):
        a, b = np.sort(original[~np.isnan(original)]), np.sort(avatar[~np.isnan(avatar)])
        if len(a) and len(b):
            grid = np.concatenate([a, b])
            below = [np.searchsorted(side, grid, side="right") / len(side) for side in (a, b)]
            distances.append(float(np.abs(below[0] - below[1]).max()))
    return float(np.mean(distances)) if distances else None


def _variation(sides: Sequence[Histogram], draw: Resampling, ledger: _Ledger) -> None:
    """Mean total variation of the categories, half the sum of |p - q|."""
    name = "total_variation_mean"
    if not sides:
        ledger.values[name] = None
        return
    plain = [[np.bincount(codes, minlength=size) / len(codes) for codes in (a, b)] for a, b, size in sides]
    drawn = [[draw.sums(draw.histogram(codes, size)) for codes in (a, b)] for a, b, size in sides]
    shares = [[counts / counts.sum(axis=-1, keepdims=True) for counts in pairs] for pairs in drawn]
    ledger.add(
        name,
        float(np.mean([np.abs(p - q).sum() / 2 for p, q in plain])),
        np.mean([np.abs(p - q).sum(axis=-1) / 2 for p, q in shares], axis=0),
    )


def _more(pair: Pair, target: str | None, seed: int, ledger: _Ledger) -> None:
    figures = {
        "association_difference_mean": (association_difference(pair, seed), "Fewer than two columns vary."),
        "range_coverage_mean": (range_coverage(pair), "No number varies."),
        "category_coverage_mean": (category_coverage(pair), "The table has no categorical column."),
        "pmse_ratio": (pmse_ratio(pair, seed), "Too few rows for so many columns."),
    }
    for name, (value, otherwise) in figures.items():
        ledger.values[name] = value
        if value is None:
            ledger.notes[name] = otherwise
    names = ("utility_originals", "utility_avatars", "utility_loss")
    if target is not None and target not in pair.space.layout.names:
        raise EngineError(
            f"The signal metrics name the target {target!r}, which is not a modelled column of the table.",
            hint="Name a column that is neither dropped, nor a key, nor empty.",
        )
    found = None if target is None else predict_target(pair, target, seed)
    if found is None:
        why = "No target is given." if target is None else "Too few rows have the target, or it has too many classes."
        ledger.values.update(dict.fromkeys(names))
        ledger.notes.update(dict.fromkeys(names, why))
        return
    ledger.values.update(zip(names, (found.originals, found.avatars, found.loss), strict=True))
    ledger.intervals["utility_loss"] = found.interval


def _meta(values: dict[str, float | None]) -> float:
    hellinger, multivariate = values["hellinger_mean"], values["multivariate_hellinger_mean"]
    correlation = values["correlation_difference_ratio"]
    assert hellinger is not None
    assert multivariate is not None
    scores = [100 * (1 - hellinger), 100 * (1 - multivariate)]
    if correlation is not None:
        scores.append(100 - correlation)
    return max(0.0, float(np.mean(scores)))
