"""Avatars of rows: random weights over neighbours, barycentres of numbers, draws of modalities.

The barycentre is taken on all axes of the projection, which can be inverted, so that the avatar of a number is the
weighted mean of the neighbours' numbers and the scores of modalities are the neighbours' weights (Guillaudeux et al.
2023; the modality is drawn in proportion to its score).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.neighbours import Rows, build_neighbourhood, nearest_others
from avatar_gitops.engine.params import AvatarParams, Generation
from avatar_gitops.engine.streams import stream

BLOCK: Final = 4_096  # rows that share one random stream; a constant of the method, not a matter of tuning
_CLOSEST: Final = 1e-8  # added to distances: a neighbour at distance 0 takes all the weight


@dataclass(slots=True, frozen=True)
class Donors:
    """What avatars are made of: completed originals and the missing indicators as further categories."""

    frame: Frame
    indicators: Codes

    @property
    def codes(self) -> Codes:
        """Categories, then indicators."""
        return np.hstack([self.frame.codes, self.indicators])


def draw_avatars(
    donors: Donors, points: Floats, params: AvatarParams, seed: int, label: str, origins: Rows | None = None
) -> tuple[Floats, Codes]:
    """Numbers and codes (indicators last) of one avatar around each row of `origins` (all rows once by default).

    A row may be an origin several times: each time it gets an avatar of its own. `k` is below the number of rows.
    """
    codes = donors.codes
    origins = np.arange(len(points)) if origins is None else origins
    hood = build_neighbourhood(points, stream(seed, label, "candidate order"), params.k)
    new_numbers = np.empty((len(origins), donors.frame.numbers.shape[1]), order="F")
    new_codes = np.empty((len(origins), codes.shape[1]), dtype=np.int32)
    for chunk, start in enumerate(range(0, len(origins), BLOCK)):
        rows = slice(start, start + BLOCK)
        random = stream(seed, label, "avatars", chunk)
        distances, neighbours = nearest_others(hood, origins[rows], params.k)
        if params.generation is Generation.BARYCENTRE:
            weights = draw_weights(distances, random)
            new_numbers[rows] = _barycentres(donors.frame.numbers, neighbours, weights)
        else:
            weights = np.full(distances.shape, 1.0 / params.k)
            new_numbers[rows] = _local_normal(donors.frame.numbers, neighbours, random)
        new_codes[rows] = _modalities(codes, neighbours, weights, random)
    return new_numbers, new_codes


def draw_weights(distances: Floats, random: np.random.Generator) -> Floats:
    """Weights of neighbours (rows x k), each row summing to one.

    Inverse distance times Exp(1) times a random permutation of 1/2, 1/4, ..., 1/2^k.
    """
    k = distances.shape[1]
    halves = 0.5 ** np.arange(1, k + 1)
    contributions = halves[random.random(distances.shape).argsort(axis=1)]
    weights = random.standard_exponential(distances.shape) * contributions / (distances + _CLOSEST)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _barycentres(numbers: Floats, neighbours: Rows, weights: Floats) -> Floats:
    """Weighted means, as differences to the heaviest neighbour: neighbours that agree give exactly their number."""
    heaviest = neighbours[np.arange(len(neighbours)), weights.argmax(axis=1)]
    means = np.empty((len(neighbours), numbers.shape[1]))
    for column in range(numbers.shape[1]):
        base = numbers[heaviest, column]
        means[:, column] = base + (weights * (numbers[neighbours, column] - base[:, None])).sum(axis=1)
    return means


def _local_normal(numbers: Floats, neighbours: Rows, random: np.random.Generator) -> Floats:
    """Draws from the normal law with the neighbours' mean and covariance; one draw serves all columns of a row."""
    k = neighbours.shape[1]
    draws = random.standard_normal(neighbours.shape) / np.sqrt(k - 1)
    drawn = np.empty((len(neighbours), numbers.shape[1]))
    for column in range(numbers.shape[1]):
        values = numbers[neighbours, column]
        base = values[:, :1]
        mean = base[:, 0] + (values - base).mean(axis=1)
        drawn[:, column] = mean + (draws * (values - mean[:, None])).sum(axis=1)
    return drawn


def _modalities(codes: Codes, neighbours: Rows, weights: Floats, random: np.random.Generator) -> Codes:
    """For each column, independently, the modality of a neighbour drawn by weight."""
    summed = weights.cumsum(axis=1)
    drawn = np.empty((len(neighbours), codes.shape[1]), dtype=np.int32)
    each = np.arange(len(neighbours))
    for column in range(codes.shape[1]):
        at = random.random(len(neighbours)) * summed[:, -1]
        chosen = np.minimum((summed <= at[:, None]).sum(axis=1), neighbours.shape[1] - 1)
        drawn[:, column] = codes[neighbours[each, chosen], column]
    return drawn
