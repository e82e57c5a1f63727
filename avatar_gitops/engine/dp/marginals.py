"""The `open_dp` model: noisy counts of single columns and of the pairs on a spanning tree, and rows drawn along it.

Everything after the measurements is post-processing: it sees noisy counts only and costs nothing. The tree is chosen
under noise, as in MST. Private-PGM, which the published method fits the tree with, brings a compiler of several hundred
megabytes for what is a small problem on a tree: counts that agree with each other are found here by projection on the
simplex and raking.

Source: McKenna, Miklau, Sheldon, "Winning the NIST Contest: a scalable and general approach to differentially private
synthetic data" (2021), arXiv 2108.04978.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.dp.accountant import Accountant, Counts
from avatar_gitops.engine.dp.cells import Cells
from avatar_gitops.engine.dp.domains import Rows

ROWS_SHARE: Final = 0.03
_RAKING_ROUNDS: Final = 60
_SURE: Final = 3.0


@dataclass(slots=True, frozen=True)
class Pair:
    """Measured counts of two columns; `table` has a row for each cell of `left`."""

    left: int
    right: int
    table: Floats


@dataclass(slots=True, frozen=True)
class Tree:
    """A model that agrees with itself: expected counts of each column, and of the pairs on a spanning tree."""

    total: float
    singles: tuple[Floats, ...]
    pairs: tuple[Pair, ...]


def measure_tree(
    accountant: Accountant[Rows],
    columns: tuple[Sequence[int], Sequence[int | None], Sequence[str]],
    share: float,
    total: float,
) -> Tree:
    """Measure a tree model for `share`: a third each for columns, for the choice of pairs, and for their counts.

    `columns` gives the number of cells, the cell of missing values and the name of each column; `total` is the noisy or
    public number of rows. The rows must have been placed in cells.
    """
    sizes, missing, names = columns
    p = len(sizes)
    part = share / 3 if p > 1 else share
    singles = [
        accountant.counts(f"counts of {names[i]}", _count_one(i, size), 1, part / p).astype(np.float64)
        for i, size in enumerate(sizes)
    ]
    rough = [project_simplex(counts, total) for counts in singles]
    edges = _choose_tree(accountant, sizes, rough, part) if p > 1 else []
    pairs = [
        Pair(i, j, accountant.counts(
            f"counts of {names[i]} with {names[j]}", _count_two(i, j, sizes), 1, part / (p - 1)
        ).reshape(sizes[i], sizes[j]).astype(np.float64))
        for i, j in edges
    ]  # fmt: skip
    variances = (accountant.deviation(1, part / p) ** 2, accountant.deviation(1, part / max(1, p - 1)) ** 2)
    return _agree((singles, pairs), missing, variances, total)


def draw_cells(tree: Tree, n: int, draws: np.random.Generator) -> Cells:
    """n rows of cells from the model; numbers of rows are as expected up to one, rows are in random order."""
    cells = np.zeros((n, len(tree.singles)), dtype=np.int32, order="F")
    cells[:, 0] = _spread(tree.singles[0], n, draws)
    done, waiting = {0}, list(tree.pairs)
    while waiting:
        pair = next(item for item in waiting if (item.left in done) != (item.right in done))
        waiting.remove(pair)
        parent, child = (pair.left, pair.right) if pair.left in done else (pair.right, pair.left)
        table = pair.table if parent == pair.left else pair.table.T
        for value in np.unique(cells[:, parent]):
            members = np.flatnonzero(cells[:, parent] == value)
            weights = table[value] if table[value].sum() > 0 else tree.singles[child]
            cells[members, child] = _spread(weights, len(members), draws)
        done.add(child)
    return np.asfortranarray(cells[draws.permutation(n)])


def project_simplex(counts: npt.NDArray[np.floating], total: float) -> Floats:
    """The nearest non-negative counts with this sum; small noise is cut off rather than kept where it is positive.

    Source: Duchi et al., "Efficient projections onto the l1-ball" (2008).
    """
    flat = np.asarray(counts, dtype=np.float64).ravel()
    ordered = np.sort(flat)[::-1]
    excess = (np.cumsum(ordered) - total) / np.arange(1, len(flat) + 1)
    last = int(np.flatnonzero(ordered - excess > 0)[-1]) if total > 0 else 0
    return np.asarray(np.maximum(flat - excess[last], 0.0).reshape(counts.shape))


def _count_one(i: int, size: int) -> Callable[[Rows], Counts]:
    def counted(rows: Rows) -> Counts:
        assert rows.codes is not None
        return np.bincount(rows.codes[:, i], minlength=size + 1)[:size]

    return counted


def _count_two(i: int, j: int, sizes: Sequence[int]) -> Callable[[Rows], Counts]:
    return lambda rows: _joint(rows, i, j, sizes).ravel()


def _joint(rows: Rows, i: int, j: int, sizes: Sequence[int]) -> Counts:
    """Counts of the cells of two columns; rows outside a list are left out."""
    assert rows.codes is not None
    width = sizes[j] + 1
    joint = rows.codes[:, i].astype(np.int64) * width + rows.codes[:, j]
    table = np.bincount(joint, minlength=(sizes[i] + 1) * width).reshape(sizes[i] + 1, width)
    return table[: sizes[i], : sizes[j]]


def _choose_tree(
    accountant: Accountant[Rows], sizes: Sequence[int], rough: Sequence[Floats], share: float
) -> list[tuple[int, int]]:
    """Pairs of a spanning tree, one after the other, that depart most from independence (L1, sensitivity 1)."""
    independent = {
        (i, j): np.rint(np.outer(rough[i], rough[j]) / max(1.0, rough[i].sum())).astype(np.int64)
        for i, j in combinations(range(len(sizes)), 2)
    }
    scores: dict[tuple[int, int], int] = {}  # of the private rows: read by questions only
    group = list(range(len(sizes)))
    chosen: list[tuple[int, int]] = []

    def scored(rows: Rows, pairs: Sequence[tuple[int, int]]) -> Counts:
        for pair in pairs:
            if pair not in scores:
                scores[pair] = int(np.abs(_joint(rows, *pair, sizes) - independent[pair]).sum())
        return np.array([scores[pair] for pair in pairs], dtype=np.int64)

    while len(chosen) < len(sizes) - 1:
        open_ = [(i, j) for i, j in independent if group[i] != group[j]]
        best = accountant.choose("choice of pairs", partial(scored, pairs=open_), share / (len(sizes) - 1))
        i, j = open_[best]
        chosen.append((i, j))
        group = [group[i] if item == group[j] else item for item in group]
    return chosen


def _agree(
    measured: tuple[Sequence[Floats], Sequence[Pair]],
    missing: Sequence[int | None],
    variances: tuple[float, float],
    total: float,
) -> Tree:
    """Counts that agree: each column by inverse variance from all that measured it, then each pair raked to both."""
    singles, pairs = measured
    own, joint = variances
    agreed = []
    for i, counts in enumerate(singles):
        weight, summed = 1 / own, counts / own
        for pair in pairs:
            if i in (pair.left, pair.right):
                axis = 1 if i == pair.left else 0
                variance = joint * pair.table.shape[axis]
                weight += 1 / variance
                summed = summed + pair.table.sum(axis=axis) / variance
        estimate = summed / weight
        gap = missing[i]
        if gap is not None and estimate[gap] < _SURE * np.sqrt(1 / weight):
            estimate[gap] = estimate.max() - total - 1  # not to be told from a column without missing values: cut off
        agreed.append(project_simplex(estimate, total))
    raked = tuple(
        Pair(pair.left, pair.right, _rake(project_simplex(pair.table, total), agreed[pair.left], agreed[pair.right]))
        for pair in pairs
    )
    return Tree(total, tuple(agreed), raked)


def _rake(table: Floats, rows: Floats, columns: Floats) -> Floats:
    """Iterative proportional fitting to both margins; a trace of independence keeps every allowed cell reachable."""
    fitted = table + 1e-6 * np.outer(rows, columns) / max(1.0, rows.sum())
    for _ in range(_RAKING_ROUNDS):
        for margin, axis in ((rows, 1), (columns, 0)):
            have = fitted.sum(axis=axis)
            factor = np.divide(margin, have, out=np.zeros_like(margin), where=have > 0)
            fitted *= factor[:, None] if axis == 1 else factor[None, :]
    return np.asarray(fitted)


def _spread(weights: Floats, n: int, draws: np.random.Generator) -> Cells:
    """n cells in random order, each as often as its weight says up to one (systematic sampling)."""
    edges = np.cumsum(weights)
    points = (draws.random() + np.arange(n)) / n * edges[-1] if n else np.empty(0)
    found = np.minimum(np.searchsorted(edges, points, side="right"), len(weights) - 1)
    return np.asarray(draws.permutation(found), dtype=np.int32)
