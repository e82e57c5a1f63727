"""Rows as the columns of a linear model: standardised numbers, one-hot categories, an intercept."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.space import FittedSpace

LARGEST_CATEGORY: Final = 50
WIDEST: Final = 200


def design(space: FittedSpace, sides: tuple[tuple[Frame, Codes], ...], without: Collection[str] = ()) -> list[Floats]:
    """One matrix per side (completed frame, missing indicators), on the scale of the originals; the last column is 1.

    A category is represented by its `LARGEST_CATEGORY` most frequent modalities, fewer in a table with so many of them
    that there would be more than `WIDEST` columns; columns in `without` are left out.
    """
    layout = space.layout
    numbers = [i for i, column in enumerate(layout.numbers) if column.name not in without]
    categories = [i for i, column in enumerate(layout.categories) if column.name not in without]
    indicators = [i for i, at in enumerate(space.indicators) if layout.names[at] not in without]
    known = space.completed
    mean, deviation = known.numbers[:, numbers].mean(axis=0), known.numbers[:, numbers].std(axis=0)
    deviation[deviation <= 1e-12 * np.maximum(1.0, np.abs(mean))] = np.inf
    most = min(LARGEST_CATEGORY, max(2, (WIDEST - len(numbers)) // max(1, len(categories))))
    frequent = [_frequent(known.codes[:, i], layout.sizes[i], most) for i in categories]
    matrices = []
    for frame, missing in sides:
        parts = [(frame.numbers[:, numbers] - mean) / deviation]
        parts += [
            (frame.codes[:, i, None] == kept).astype(np.float64) for i, kept in zip(categories, frequent, strict=True)
        ]
        parts += [missing[:, indicators].astype(np.float64), np.ones((frame.rows, 1))]
        matrices.append(np.hstack(parts))
    return matrices


def _frequent(codes: Codes, size: int, most: int) -> Codes:
    counts = np.bincount(codes, minlength=size)[:size]
    return np.sort(np.argsort(-counts, kind="stable")[:most]).astype(np.int32)
