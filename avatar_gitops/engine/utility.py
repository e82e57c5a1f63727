"""Is a model learnt on avatars as good for real people as one learnt on originals?

Train on synthetic, test on real (Esteban, Hyland and Rätsch, arXiv 1706.02633): the original people are dealt into
`FOLDS` parts; a model learnt on the originals of the other parts and one learnt on the avatars of the same people both
judge the part. The model is ridge regression, for a category on indicators of its classes, the largest wins (Hastie,
Tibshirani and Friedman, The Elements of Statistical Learning, 2009, sections 3.4.1 and 4.2). A person's avatar is also
made of neighbours in the judged part, which favours the avatars slightly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.design import design
from avatar_gitops.engine.intervals import Interval
from avatar_gitops.engine.magnitude import unit
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.streams import stream

FOLDS: Final = 5
ROWS: Final = 20_000
CLASSES: Final = 50
_FEWEST: Final = 50
_PENALTY: Final = 1e-3
_RESAMPLES: Final = 500


@dataclass(slots=True, frozen=True)
class Utility:
    """Scores in percent: share of right classes, or explained variance (R²) of numbers, floored at 0.

    `loss` is the score on originals minus that on avatars, in points, with a bootstrap interval over people.
    """

    originals: float
    avatars: float
    loss: float
    interval: Interval
    judged: int


def predict_target(pair: Pair, target: str, seed: int) -> Utility | None:
    """Predict a column from all others; at most `ROWS` people. None when too few have it or it has too many classes."""
    random = stream(seed, "", "utility")
    truth, learnt, classes = _targets(pair, target)
    usable = np.flatnonzero(~np.isnan(truth))
    if len(usable) < _FEWEST or classes == 1 or classes > CLASSES or np.ptp(truth[usable]) == 0:
        return None
    rows = np.sort(random.permutation(usable)[:ROWS])
    space = pair.space
    sides = [(space.completed, pair.original), (pair.avatar_completed, pair.avatar)]
    real, fake = design(
        space, tuple((full.take(rows), space.indicator_codes(raw.take(rows))) for full, raw in sides), (target,)
    )
    truth, learnt = truth[rows], learnt[rows]
    fold = random.permutation(np.arange(len(rows)) % FOLDS)
    guesses = np.full((2, len(rows)), np.nan)
    for part in range(FOLDS):
        judged, other = fold == part, fold != part
        for at, (matrix, values) in enumerate(((real, truth), (fake, learnt))):
            known = other & ~np.isnan(values)
            if known.any():
                guesses[at, judged] = _fit_predict(matrix[known], values[known], real[judged], classes)
    return _judge(truth, guesses, classes, random)


def _targets(pair: Pair, target: str) -> tuple[Floats, Floats, int]:
    """The column of both sides, NaN where missing, and its number of classes (0 for a number, which is scaled)."""
    layout = pair.space.layout
    at, m = layout.names.index(target), len(layout.numbers)
    if at < m:
        original, avatar = pair.original.numbers[:, at], pair.avatar.numbers[:, at]
        size = unit(original)
        return original / size, avatar / size, 0
    sides = [side.codes[:, at - m].astype(np.float64) for side in (pair.original, pair.avatar)]
    one, two = (np.where(side < 0, np.nan, side) for side in sides)
    return one, two, layout.sizes[at - m]


def _fit_predict(matrix: Floats, values: Floats, asked: Floats, classes: int) -> Floats:
    wanted = (values[:, None] == np.arange(classes)).astype(np.float64) if classes else values[:, None]
    centre = wanted.mean(axis=0)
    gram = matrix.T @ matrix + _PENALTY * len(matrix) * np.eye(matrix.shape[1])
    fitted = asked @ np.linalg.solve(gram, matrix.T @ (wanted - centre)) + centre
    return fitted.argmax(axis=1).astype(np.float64) if classes else np.asarray(fitted[:, 0])


def _judge(truth: Floats, guesses: Floats, classes: int, random: np.random.Generator) -> Utility:
    if classes:
        gains = (guesses == truth).astype(np.float64)
    else:
        # each person's part of R² = 1 - mean squared error / variance
        gains = 1.0 - np.nan_to_num((guesses - truth) ** 2, nan=float(truth.var())) / truth.var()
    scores = np.maximum(0.0, 100.0 * gains.mean(axis=1))
    n = gains.shape[1]
    difference = 100.0 * (gains[0] - gains[1])
    drawn = np.array([difference[random.integers(0, n, n)].mean() for _ in range(_RESAMPLES)])
    loss = float(scores[0] - scores[1])
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Utility(float(scores[0]), float(scores[1]), loss, (min(float(low), loss), max(float(high), loss)), n)
