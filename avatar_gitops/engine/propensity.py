"""Can a model tell avatars from originals? The propensity score and what it is when there is nothing to tell.

pMSE of Woo, Reiter, Oganian and Karr (Journal of Privacy and Confidentiality 1(1), 2009): mean squared distance of the
predicted probabilities from the share of avatars, after a logistic regression on all columns. Snoke, Raab, Nowok,
Dibben and Slavkovic (JRSS A 181, 2018, equation 2) give its expectation for a correct synthesis, (k - 1)(1 - c)² c / N
with k coefficients and a share c among N rows. The ratio is 1 for avatars drawn from the law of the originals.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.design import design
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.streams import stream

ROWS: Final = 10_000
_STEPS: Final = 25
_PENALTY: Final = 1e-6


def pmse_ratio(pair: Pair, seed: int) -> float | None:
    """pMSE over its expectation, on at most `ROWS` originals and as many avatars; None with fewer rows than columns."""
    rows = np.sort(stream(seed, "", "propensity").permutation(pair.rows)[:ROWS])
    space = pair.space
    sides = [(space.completed, pair.original), (pair.avatar_completed, pair.avatar)]
    matrices = design(space, tuple((full.take(rows), space.indicator_codes(raw.take(rows))) for full, raw in sides))
    matrix = np.vstack(matrices)
    rank = int(np.linalg.matrix_rank(matrix[:, :-1] - matrix[:, :-1].mean(axis=0))) + 1
    if len(matrix) < 5 * rank or rank < 2:
        return None
    is_avatar = np.repeat([0.0, 1.0], len(rows))
    probability = logistic(matrix, is_avatar)
    expected = (rank - 1) * 0.25 * 0.5 / len(matrix)
    return float(np.mean((probability - 0.5) ** 2) / expected)


def logistic(matrix: Floats, wanted: Floats) -> Floats:
    """Fitted probabilities of a logistic regression, by Newton's method with a negligible penalty."""
    beta = np.zeros(matrix.shape[1])
    penalty = _PENALTY * len(matrix) * np.eye(matrix.shape[1])
    probability = np.full(len(matrix), 0.5)
    for _ in range(_STEPS):
        weight = np.maximum(probability * (1 - probability), 1e-6)
        gradient = matrix.T @ (wanted - probability) - penalty @ beta
        step = np.linalg.solve((matrix * weight[:, None]).T @ matrix + penalty, gradient)
        beta += step
        probability = 1.0 / (1.0 + np.exp(-np.clip(matrix @ beta, -30, 30)))
        if np.abs(step).max() < 1e-8:
            break
    return probability
