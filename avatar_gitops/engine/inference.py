"""Attackers that infer a target variable from known ones with a model learnt on avatars.

The model is the 5 nearest neighbours under Gower's distance (range-scaled differences of numbers, 0 or 1 for
categories), mean or most frequent class. It is learnt on at most `TRAINING` random rows and judged on at most `JUDGED`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.imputation import most_frequent
from avatar_gitops.engine.intervals import RESAMPLES, Interval
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.streams import stream

TRAINING: Final = 5_000
JUDGED: Final = 1_000
_NEIGHBOURS: Final = 5
_SPLITS: Final = 5
_LARGEST_RATIO: Final = 1_000.0

Rows = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Inference:
    """`error` in percent is the legacy metric of the target's kind; `ratio` the accuracy ratio, with its interval."""

    continuous: bool
    error: float
    ratio: float
    interval: Interval
    judged: int


@dataclass(slots=True, frozen=True)
class _Side:
    """Known variables, scaled, with the target (NaN where missing) of one table."""

    numbers: npt.NDArray[np.float32]
    codes: Codes
    target: Floats

    def take(self, rows: Rows) -> _Side:
        return _Side(self.numbers[rows], self.codes[rows], self.target[rows])


def infer(pair: Pair, known: tuple[str, ...], target: str, seed: int) -> Inference | None:
    """Attack `target` from `known` (all other columns when empty); `None` when too few rows have the target.

    Error: mean |error| / max(|value|, IQR/10), or the share of wrong classes, of a model learnt on all avatars.
    Ratio: over random halves T1 and T2 of the originals, accuracy on T2 of a model learnt on T1 over that of one learnt
    on the avatars of T2 (for numbers, their root mean squared errors the other way round); 100 means that avatars tell
    no more than other people's data. Dates are judged from the first date of the column on.
    """
    names = known or tuple(name for name in pair.space.layout.names if name != target)
    continuous = target in {column.name for column in pair.space.layout.numbers}
    originals = _side(pair, pair.original, pair.space.completed, names, target)
    avatars = _side(pair, pair.avatar, pair.avatar_completed, names, target)
    usable = np.flatnonzero(~np.isnan(originals.target))
    if len(usable) < 4 * _NEIGHBOURS or (~np.isnan(avatars.target)).sum() < 4 * _NEIGHBOURS:
        return None
    random = stream(seed, "", "inference")
    judged = np.sort(random.permutation(usable)[:JUDGED])
    predicted = _predict(_training(avatars, np.arange(len(avatars.target)), random), originals.take(judged), continuous)
    error = _legacy_error(originals.target, originals.target[judged], predicted, continuous)
    ratios, draws = [], []
    for _ in range(_SPLITS):
        shuffled = random.permutation(usable)
        learn, attacked = shuffled[: len(usable) // 2], shuffled[len(usable) // 2 :]
        seen = attacked[:JUDGED]
        real = _losses(_training(originals, learn, random), originals.take(seen), continuous)
        fake = _losses(_training(avatars, attacked, random), originals.take(seen), continuous)
        ratios.append(float(_ratio(real.mean(), fake.mean(), continuous)))
        resampled = random.integers(0, len(seen), (RESAMPLES // _SPLITS, len(seen)))
        draws.append(_ratio(real[resampled].mean(axis=1), fake[resampled].mean(axis=1), continuous))
    low, high = np.percentile(np.concatenate(draws), [2.5, 97.5])
    return Inference(continuous, error, float(np.mean(ratios)), (float(low), float(high)), len(judged))


def _side(pair: Pair, raw: Frame, completed: Frame, names: tuple[str, ...], target: str) -> _Side:
    layout = pair.space.layout
    numbers = [i for i, column in enumerate(layout.numbers) if column.name in names]
    codes = [i for i, column in enumerate(layout.categories) if column.name in names]
    lower = np.array([layout.numbers[i].lower for i in numbers])
    ranges = np.array([(layout.numbers[i].upper - layout.numbers[i].lower) or np.inf for i in numbers])
    scaled = ((pair.space.plain(completed).numbers[:, numbers] - lower) / ranges).astype(np.float32)
    at = layout.names.index(target)
    m = len(layout.numbers)
    if at < m:
        column = layout.numbers[at]
        wanted = raw.numbers[:, at] + (column.origin if column.type is ColumnType.INT else 0)
    else:
        wanted = raw.codes[:, at - m].astype(np.float64)
    return _Side(scaled, completed.codes[:, codes], np.where(raw.missing[:, at], np.nan, wanted))


def _training(side: _Side, rows: Rows, random: np.random.Generator) -> _Side:
    rows = rows[~np.isnan(side.target[rows])]
    return side.take(random.permutation(rows)[:TRAINING])


def _predict(learnt: _Side, asked: _Side, continuous: bool) -> Floats:
    distances = np.zeros((len(asked.target), len(learnt.target)), dtype=np.float32)
    for column in range(asked.numbers.shape[1]):
        distances += np.abs(asked.numbers[:, column, None] - learnt.numbers[:, column])
    for column in range(asked.codes.shape[1]):
        distances += asked.codes[:, column, None] != learnt.codes[:, column]
    k = min(_NEIGHBOURS, distances.shape[1])
    values = learnt.target[np.argpartition(distances, k - 1, axis=1)[:, :k]]
    if continuous:
        return np.asarray(values.mean(axis=1))
    return most_frequent(values.astype(np.int32)).astype(np.float64)


def _losses(learnt: _Side, asked: _Side, continuous: bool) -> Floats:
    """Squared errors of numbers, 1 for each right class."""
    if len(learnt.target) == 0:
        return np.full(len(asked.target), np.var(asked.target) if continuous else 0.0)
    predicted = _predict(learnt, asked, continuous)
    return np.asarray((predicted - asked.target) ** 2 if continuous else (predicted == asked.target) * 1.0)


def _ratio(real: Floats | float, fake: Floats | float, continuous: bool) -> Floats:
    above, below = (np.sqrt(fake), np.sqrt(real)) if continuous else (np.asarray(real), np.asarray(fake))
    smallest = 1e-12
    result = np.where((above < smallest) & (below < smallest), 1.0, above / np.maximum(below, smallest))
    return np.minimum(100.0 * result, _LARGEST_RATIO)


def _legacy_error(everyone: Floats, truth: Floats, predicted: Floats, continuous: bool) -> float:
    if not continuous:
        return 100.0 * float((predicted != truth).mean())
    quarter, three_quarters = np.nanpercentile(everyone, [25, 75])
    floor = max((three_quarters - quarter) / 10, 1e-12)
    return 100.0 * float((np.abs(predicted - truth) / np.maximum(np.abs(truth), floor)).mean())
