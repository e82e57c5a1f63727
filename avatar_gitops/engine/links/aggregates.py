"""What the children of each row say together: numbers of them, means, shares, first and last days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import CategoryColumn, Codes, Floats
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.params import ColumnType

_MOST_SHARES: Final = 20
_TEMPORAL: Final = frozenset({ColumnType.DATETIME, ColumnType.DATETIME_TZ})


def aggregate(layout: Layout, children: Frame, owners: Ids, rows: int) -> Mapping[str, pa.Array]:
    """One value per row of the parent for each aggregate; `owners` is the row that each child belongs to, -1 for none.

    The number of children; mean and standard deviation of numbers; first and last day of datetimes, in units of the
    column since its first day; the share of each modality, or, for columns of more than 20 modalities, the most
    frequent one. Missing where no child has a value.
    """
    tied = owners >= 0
    owners, frame = owners[tied], children.take(np.flatnonzero(tied))
    found: dict[str, pa.Array] = {"count": pa.array(np.bincount(owners, minlength=rows).astype(np.float64))}
    for i, number in enumerate(layout.numbers):
        values = frame.numbers[:, i]
        if number.type in _TEMPORAL:
            found[f"first {number.name}"], found[f"last {number.name}"] = _ends(values, owners, rows)
        else:
            found[f"mean of {number.name}"], found[f"spread of {number.name}"] = _moments(values, owners, rows)
    for i, category in enumerate(layout.categories):
        found.update(_shares(category, frame.codes[:, i], owners, rows))
    return found


def _moments(values: Floats, owners: Ids, rows: int) -> tuple[pa.Array, pa.Array]:
    known = ~np.isnan(values)
    values, owners = values[known], owners[known]
    count = np.bincount(owners, minlength=rows)
    mean = np.bincount(owners, weights=values, minlength=rows) / np.maximum(count, 1)
    squares = np.bincount(owners, weights=(values - mean[owners]) ** 2, minlength=rows)
    return pa.array(mean, mask=count == 0), pa.array(np.sqrt(squares / np.maximum(count, 1)), mask=count == 0)


def _ends(values: Floats, owners: Ids, rows: int) -> tuple[pa.Array, pa.Array]:
    known = ~np.isnan(values)
    first, last = np.full(rows, np.inf), np.full(rows, -np.inf)
    np.minimum.at(first, owners[known], values[known])
    np.maximum.at(last, owners[known], values[known])
    empty = np.isinf(first)
    first[empty] = last[empty] = 0.0
    return pa.array(first, mask=empty), pa.array(last, mask=empty)


def _shares(category: CategoryColumn, codes: Codes, owners: Ids, rows: int) -> Iterator[tuple[str, pa.Array]]:
    known = codes >= 0
    codes, owners = codes[known], owners[known]
    count = np.bincount(owners, minlength=rows)
    size = len(category.modalities)
    if size > _MOST_SHARES:
        yield f"mode of {category.name}", _modes(codes, owners, rows, size)
        return
    for code in range(size):
        held = np.bincount(owners[codes == code], minlength=rows)
        yield f"share {code + 1} of {category.name}", pa.array(held / np.maximum(count, 1), mask=count == 0)


def _modes(codes: Codes, owners: Ids, rows: int, size: int) -> pa.Array:
    """The most frequent code of each row as text, the first of equally frequent ones."""
    pairs, counts = np.unique(owners * (size + 1) + codes, return_counts=True)
    best = np.full(rows, -1, dtype=np.int64)
    order = np.lexsort((pairs, -counts))[::-1]  # the last write wins: the most frequent, of equals the first code
    best[pairs[order] // (size + 1)] = pairs[order] % (size + 1)
    return pa.array([None if code < 0 else f"modality {code + 1}" for code in best])
