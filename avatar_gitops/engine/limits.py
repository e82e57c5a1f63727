"""Limits that are checked before the expensive work starts."""

from __future__ import annotations

from avatar_gitops.engine.frame import Layout
from avatar_gitops.engine.params import Limits, Space
from avatar_gitops.engine.reduction import DIMENSIONS
from avatar_gitops.errors import EngineError


def count_dimensions(layout: Layout, incomplete: int, options: Space) -> int:
    """Numeric columns, modalities of categorical ones (or the coordinates that stand for them), missing indicators.

    `incomplete` is the number of columns with missing values.
    """
    modalities = sum(layout.sizes)
    if options.use_categorical_reduction:
        modalities = min(modalities, DIMENSIONS)
    return len(layout.numbers) + modalities + 2 * incomplete


def check_dimensions(layout: Layout, incomplete: int, options: Space, limits: Limits) -> None:
    """Raises EngineError, with the way out, when a table has more dimensions than allowed."""
    dimensions = count_dimensions(layout, incomplete, options)
    if limits.dimensions is None or dimensions <= limits.dimensions:
        return
    widest = max(layout.categories, key=lambda column: len(column.modalities), default=None)
    where = f", most of them in column {widest.name!r} ({len(widest.modalities)})" if widest else ""
    raise EngineError(
        f"The table has {dimensions} dimensions (numeric columns plus categories){where}; the limit here is"
        f" {limits.dimensions}.",
        hint="Encode columns with many categories as numbers, group their categories with GroupModalities,"
        " set use_categorical_reduction, or drop them.",
    )
