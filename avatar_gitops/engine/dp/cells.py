"""Domains cut into cells: which cell a row falls into, and values drawn from cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import MISSING, Floats
from avatar_gitops.engine.dp.domains import CategoryDomain, Domain, NumberDomain, Rows, category_codes
from avatar_gitops.engine.params import ColumnType

Cells = npt.NDArray[np.int32]

DEFAULT_BINS: Final = 16
FEW_NUMBERS: Final = 24


@dataclass(slots=True, frozen=True)
class Cut:
    """One column in cells 0 … `size`-1; the last is "missing" unless the column is complete.

    A row that fits into no cell has the code `size` and is counted nowhere. `edges` bound the bins of numbers.
    """

    domain: Domain
    size: int
    edges: Floats | None

    @property
    def missing(self) -> int | None:
        """The cell of missing values."""
        return None if self.domain.complete else self.size - 1


def cut(domain: Domain, bins: int | None) -> Cut:
    """Equal bins between the bounds (one for each whole number where those are few), or one cell for each category."""
    extra = 0 if domain.complete else 1
    if isinstance(domain, CategoryDomain):
        return Cut(domain, len(domain.values or ()) + extra, None)
    column, wanted = domain.column, bins or DEFAULT_BINS
    if column.type is ColumnType.INT and column.upper - column.lower < (bins or FEW_NUMBERS):
        edges = np.arange(column.lower, column.upper + 2) - 0.5
    else:
        edges = np.linspace(column.lower, column.upper, wanted + 1)
    return Cut(domain, len(edges) - 1 + extra, edges)


def place(cuts: Sequence[Cut], rows: Rows) -> Cells:
    """Cell of each row in each column; each row alone decides."""
    cells = np.empty((rows.size, len(cuts)), dtype=np.int32, order="F")
    for i, item in enumerate(cuts):
        cells[:, i] = _place(item, rows)
    return cells


def _place(item: Cut, rows: Rows) -> Cells:
    nowhere = item.size
    missing = nowhere if item.missing is None else item.missing
    if isinstance(item.domain, CategoryDomain):
        codes = category_codes(item.domain, rows.categories[item.domain.name])
        unseen = codes == len(item.domain.values or ())
        return np.where(codes == MISSING, missing, np.where(unseen, nowhere, codes)).astype(np.int32)
    assert item.edges is not None
    values = rows.numbers[item.domain.name]
    inside = np.clip(values, item.edges[0], item.edges[-1])
    found = np.clip(np.searchsorted(item.edges, inside, side="right") - 1, 0, len(item.edges) - 2)
    return np.where(np.isnan(values), missing, found).astype(np.int32)


def draw_values(item: Cut, cells: Cells, draws: np.random.Generator) -> pa.Array:
    """A column of values for drawn cells: categories as they are, numbers anywhere in their bin."""
    absent = np.zeros(len(cells), dtype=bool) if item.missing is None else cells == item.missing
    if isinstance(item.domain, NumberDomain):
        assert item.edges is not None
        at = np.where(absent, 0, cells)
        values = item.edges[at] + draws.random(len(cells)) * (item.edges[at + 1] - item.edges[at])
        if item.domain.column.type is ColumnType.INT and np.all(np.diff(item.edges) == 1.0):
            values = item.edges[at] + 0.5
        return item.domain.decode(np.where(absent, np.nan, values))
    return item.domain.decode(np.where(absent, MISSING, cells).astype(np.int32))
