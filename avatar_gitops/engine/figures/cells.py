"""Originals as cells of a grid: shares of rows, and nothing of a cell that holds too few of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.figures.model import FEWEST

_FEWEST_PARTS: Final = 4


@dataclass(slots=True, frozen=True)
class Cells:
    """Cells with enough rows: `lower` and `upper` corners (cells x axes), `share` of the rows in percent.

    `hidden` is the share of the rows that lie in cells with too few rows or outside of the grid.
    """

    lower: Floats
    upper: Floats
    share: Floats
    hidden: float


def parts_for(rows: int, axes: int, most: int) -> int:
    """Parts of each axis, so that cells of a small table hold enough rows to be drawn: about 2 FEWEST rows a cell."""
    return int(np.clip((rows / (2 * FEWEST)) ** (1 / axes), _FEWEST_PARTS, most))


def grid_around(points: Floats, parts: int) -> list[Floats]:
    """Edges of a grid that holds these points (avatars: how far originals reach is not shown)."""
    edges = []
    for column in points.T:
        low, high = float(column.min()), float(column.max())
        spread = (high - low) or 1.0
        edges.append(np.linspace(low - spread / (2 * parts), high + spread / (2 * parts), parts + 1))
    return edges


def fill(points: Floats, edges: list[Floats]) -> Cells:
    """Count rows per cell; `points` is rows x axes, one array of edges per axis."""
    counts = np.histogramdd(points, bins=edges)[0]
    shown = np.argwhere(counts >= FEWEST)
    held = counts[tuple(shown.T)]
    lower = np.column_stack([edge[shown[:, axis]] for axis, edge in enumerate(edges)])
    upper = np.column_stack([edge[shown[:, axis] + 1] for axis, edge in enumerate(edges)])
    share = 100.0 * held / max(1, len(points))
    return Cells(lower, upper, share, 100.0 - float(share.sum()))


def hidden_note(hidden: float, what: str = "cells") -> str:
    """A note on what is not drawn."""
    if hidden < 0.05:
        return ""
    return f"{hidden:.1f} % of the originals are in {what} with fewer than {FEWEST} of them and are not drawn."
