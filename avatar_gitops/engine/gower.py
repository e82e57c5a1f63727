"""Nearest rows under Gower's distance: range-scaled differences of numbers, 0 or 1 for categories (Gower 1971)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes
from avatar_gitops.engine.holdout import Placed
from avatar_gitops.engine.space import FittedSpace

_CELLS: Final = 8_000_000

Singles = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Known:
    """The columns that an attacker knows: numbers divided by the range of the originals, and codes."""

    numbers: Singles
    codes: Codes

    def take(self, rows: Rows | slice) -> Known:
        """Some rows."""
        return Known(self.numbers[rows], self.codes[rows])


def known_columns(space: FittedSpace, rows: Placed, names: Collection[str]) -> Known:
    """Some columns of completed rows."""
    layout = space.layout
    numbers = [(i, c.upper - c.lower or np.inf) for i, c in enumerate(layout.numbers) if c.name in names]
    codes = [i for i, column in enumerate(layout.categories) if column.name in names]
    plain = space.plain(rows.completed).numbers
    scaled = [plain[:, i] / width for i, width in numbers]
    columns = np.stack(scaled, axis=1) if scaled else np.empty((rows.rows, 0))
    return Known(columns.astype(np.float32), rows.completed.codes[:, codes])


def nearest_rows(rows: Known, queries: Known, k: int) -> Rows:
    """The k nearest rows of each query, nearest first, shape (queries, k); the first of equally near rows wins."""
    k = min(k, len(rows.numbers))
    found = np.empty((len(queries.numbers), k), dtype=np.int64)
    block = max(1, _CELLS // len(rows.numbers))
    for start in range(0, len(queries.numbers), block):
        asked = queries.take(slice(start, start + block))
        distances = np.zeros((len(asked.numbers), len(rows.numbers)), dtype=np.float32)
        for column in range(asked.numbers.shape[1]):
            distances += np.abs(asked.numbers[:, column, None] - rows.numbers[:, column])
        for column in range(asked.codes.shape[1]):
            distances += asked.codes[:, column, None] != rows.codes[:, column]
        found[start : start + block] = _smallest(distances, k)
    return found


def _smallest(distances: Singles, k: int) -> Rows:
    if k == 1:
        return np.asarray(distances.argmin(axis=1)[:, None], dtype=np.int64)
    some = np.sort(np.argpartition(distances, k - 1, axis=1)[:, :k], axis=1)
    order = np.argsort(np.take_along_axis(distances, some, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(some, order, axis=1), dtype=np.int64)
