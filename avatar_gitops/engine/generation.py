"""Avatars of rows: random weights over neighbours, barycentres of numbers, draws of modalities.

The barycentre is taken on all axes of the projection, which can be inverted, so that the avatar of a number is the
weighted mean of the neighbours' numbers and the scores of modalities are the neighbours' weights (Guillaudeux et al.
2023; the modality is drawn in proportion to its score).

Compiled kernels do search and draw in one pass where they are installed. They and the portable code below draw the same
random words and do the same operations in the same order, so that both give the same bytes: which of them ran is no
part of the evidence of a run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.kernels.draw import draw_rows
from avatar_gitops.engine.kernels.tree import Tree, ask
from avatar_gitops.engine.neighbours import Neighbourhood, build_neighbourhood, nearest_others, on_grid
from avatar_gitops.engine.params import AvatarParams, Generation
from avatar_gitops.engine.randomness import (
    Words,
    exponentials,
    normals,
    shuffled_halves,
    uniform_high,
    uniform_low,
    words_of,
)
from avatar_gitops.engine.search import Rows
from avatar_gitops.engine.streams import stream, stream_key

_BLOCK: Final = 4_096
_CLOSEST: Final = 1e-8  # added to distances: a neighbour at distance 0 takes all the weight


@dataclass(slots=True, frozen=True)
class Donors:
    """What avatars are made of: completed originals and the missing indicators as further categories."""

    frame: Frame
    indicators: Codes

    @property
    def columns(self) -> list[Codes]:
        """Categories, then indicators, each contiguous."""
        return [np.ascontiguousarray(column) for part in (self.frame.codes, self.indicators) for column in part.T]


def draw_avatars(
    donors: Donors, points: Floats, params: AvatarParams, seed: int, label: str, origins: Rows | None = None
) -> tuple[Floats, Codes]:
    """Numbers and codes (indicators last) of one avatar around each row of `origins` (all rows once by default).

    A row may be an origin several times: each time it gets an avatar of its own. `k` is below the number of rows.
    """
    origins = np.arange(len(points)) if origins is None else origins
    hood = build_neighbourhood(on_grid(points), stream(seed, label, "candidate order"), params.k)
    key = stream_key(seed, label, "avatars")
    tree = hood.index.compiled
    if tree is None:
        return _draw_portable(donors, hood, params, key, origins)
    return _draw_compiled(donors, hood, tree, (params.k, params.generation is Generation.LOCAL_GAUSSIAN, key), origins)


def draw_weights(distances: Floats, words: Words) -> Floats:
    """Weights of neighbours (rows x k), each row summing to one.

    Inverse distance times Exp(1) times a random permutation of 1/2, 1/4, ..., 1/2^k; one random word for each.
    """
    weights = exponentials(uniform_high(words)) * shuffled_halves(words) / (distances + _CLOSEST)
    total = np.zeros(len(weights))
    for column in weights.T:
        total += column
    return weights / total[:, None]


def _draw_compiled(
    donors: Donors, hood: Neighbourhood, tree: Tree, law: tuple[int, bool, int], origins: Rows
) -> tuple[Floats, Codes]:
    own, home, queries = hood.own, hood.home, hood.points
    if len(origins) != len(queries) or (origins != np.arange(len(queries))).any():
        own, home, queries = own[origins], home[origins], queries[origins]
    leaves = tree.leaves_of(home)
    asked = ask(tree, queries, leaves, np.where(own < 0, np.int32(-1), tree.position[own]))
    numbers = [np.ascontiguousarray(column) for column in donors.frame.numbers.T]
    return draw_rows(tree, asked, numbers, donors.columns, law, hood.order)


def _draw_portable(
    donors: Donors, hood: Neighbourhood, params: AvatarParams, key: int, origins: Rows
) -> tuple[Floats, Codes]:
    columns, k = donors.columns, params.k
    numbers = np.empty((len(origins), donors.frame.numbers.shape[1]), order="F")
    codes = np.empty((len(origins), len(columns)), dtype=np.int32, order="F")
    for start in range(0, len(origins), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(origins)))
        words = words_of(key, rows.start, rows.stop, k + (len(columns) + 1) // 2)
        distances, neighbours = nearest_others(hood, origins[rows], k)
        if params.generation is Generation.BARYCENTRE:
            weights = draw_weights(distances, words[:, :k])
            numbers[rows] = _barycentres(donors.frame.numbers, neighbours, weights)
        else:
            weights = np.full(distances.shape, 1.0 / k)
            numbers[rows] = _local_normal(donors.frame.numbers, neighbours, normals(uniform_high(words[:, :k])))
        codes[rows] = _modalities(columns, neighbours, weights, words[:, k:])
    return numbers, codes


def _barycentres(numbers: Floats, neighbours: Rows, weights: Floats) -> Floats:
    """Weighted means, as differences to the heaviest neighbour: neighbours that agree give exactly their number."""
    heaviest = neighbours[np.arange(len(neighbours)), weights.argmax(axis=1)]
    means = np.empty((len(neighbours), numbers.shape[1]))
    for column in range(numbers.shape[1]):
        base, total = numbers[heaviest, column], np.zeros(len(neighbours))
        for neighbour, weight in zip(neighbours.T, weights.T, strict=True):
            total += weight * (numbers[neighbour, column] - base)
        means[:, column] = base + total
    return means


def _local_normal(numbers: Floats, neighbours: Rows, draws: Floats) -> Floats:
    """Draws from the normal law with the neighbours' mean and covariance; one draw serves all columns of a row."""
    k = neighbours.shape[1]
    draws = draws / np.sqrt(float(k - 1))
    drawn = np.empty((len(neighbours), numbers.shape[1]))
    for column in range(numbers.shape[1]):
        base, total = numbers[neighbours[:, 0], column], np.zeros(len(neighbours))
        for neighbour in neighbours.T:
            total += numbers[neighbour, column] - base
        mean, total = base + total / k, np.zeros(len(neighbours))
        for neighbour, draw in zip(neighbours.T, draws.T, strict=True):
            total += draw * (numbers[neighbour, column] - mean)
        drawn[:, column] = mean + total
    return drawn


def _modalities(columns: list[Codes], neighbours: Rows, weights: Floats, words: Words) -> Codes:
    """For each column, independently, the modality of a neighbour drawn by weight; half a random word for each."""
    summed = weights.cumsum(axis=1)
    drawn = np.empty((len(neighbours), len(columns)), dtype=np.int32)
    each = np.arange(len(neighbours))
    for place, column in enumerate(columns):
        uniform = uniform_low if place % 2 else uniform_high
        at = uniform(words[:, place // 2]) * summed[:, -1]
        chosen = np.minimum((summed <= at[:, None]).sum(axis=1), neighbours.shape[1] - 1)
        drawn[:, place] = column[neighbours[each, chosen]]
    return drawn
