"""The space in which rows are compared: layout, imputer, missing indicators and projection, fitted on the originals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.imputation import Imputer, fill, fit_imputer
from avatar_gitops.engine.params import Space
from avatar_gitops.engine.projection import Projection, fit_projection, project
from avatar_gitops.errors import EngineError

_DEFAULT_NCP: Final = 5


@dataclass(slots=True, frozen=True)
class FittedSpace:
    """A space fitted on originals, with their completed frame and their coordinates (`points`).

    `indicators` are the columns (of `Layout.names`) whose missingness is a variable.
    """

    layout: Layout
    imputer: Imputer
    indicators: npt.NDArray[np.int64]
    projection: Projection
    weights: Floats
    ncp: int
    completed: Frame
    points: Floats

    def indicator_codes(self, frame: Frame) -> Codes:
        """1 where a value is missing, 0 where not; one column per indicator."""
        return frame.missing[:, self.indicators].astype(np.int32)

    def complete(self, frame: Frame) -> Frame:
        """The frame with its missing values filled."""
        return fill(self.imputer, frame)

    def project(self, frame: Frame) -> Floats:
        """Coordinates of rows that may have missing values."""
        filled = self.complete(frame)
        return project(self.projection, filled.numbers, np.hstack([filled.codes, self.indicator_codes(frame)]))


def fit_space(layout: Layout, frame: Frame, options: Space, seed: int, label: str = "") -> FittedSpace:
    """Fit imputation, indicators and axes on the originals; raises EngineError when there is nothing to compare."""
    if not layout.names:
        raise EngineError(
            "The table has no column to model: all are dropped, keys or empty.",
            hint="Keep at least one column that is not a key.",
        )
    if frame.rows == 0:
        raise EngineError("The table has no rows.")
    weights = _weights(layout, options.column_weights)
    imputer = fit_imputer(frame, layout.sizes, options.imputation, seed, label)
    indicators = np.flatnonzero(frame.missing.any(axis=0))
    filled = fill(imputer, frame)
    codes = np.hstack([filled.codes, frame.missing[:, indicators].astype(np.int32)])
    sizes = (*layout.sizes, *[2] * len(indicators))
    if options.ncp is not None and options.ncp < 1:
        raise EngineError("ncp must be at least 1.")
    ncp = options.ncp or _DEFAULT_NCP
    projection = fit_projection(filled.numbers, codes, sizes, np.concatenate([weights, weights[indicators]]), ncp)
    points = project(projection, filled.numbers, codes)
    return FittedSpace(layout, imputer, indicators, projection, weights, ncp, filled, points)


def project_columns(
    space: FittedSpace, sides: tuple[tuple[Frame, Codes], tuple[Frame, Codes]], names: Collection[str]
) -> tuple[Floats, Floats]:
    """Coordinates of originals and avatars in a space made of some columns only, fitted on the originals.

    Each side is a completed frame with its missing indicators.
    """
    layout, m = space.layout, len(space.layout.numbers)
    numbers = [i for i, column in enumerate(layout.numbers) if column.name in names]
    categories = [i for i, column in enumerate(layout.categories) if column.name in names]
    indicators = [i for i, column in enumerate(space.indicators) if layout.names[column] in names]
    sizes = (*(layout.sizes[i] for i in categories), *[2] * len(indicators))
    weights = space.weights[[*numbers, *(m + i for i in categories), *space.indicators[indicators]]]
    parts = [
        (frame.numbers[:, numbers], np.hstack([frame.codes[:, categories], codes[:, indicators]]))
        for frame, codes in sides
    ]
    fitted = fit_projection(*parts[0], sizes, weights, min(space.ncp, len(numbers) + sum(sizes)))
    return project(fitted, *parts[0]), project(fitted, *parts[1])


def _weights(layout: Layout, wanted: Mapping[str, float]) -> Floats:
    known = layout.names
    outside = {*(c.name for c in layout.empty), *(s.name for s in layout.keys), *layout.dropped}
    for name, weight in wanted.items():
        if name not in known and name not in outside:
            raise EngineError(f"A column weight names {name!r}, which is not a column of the table.")
        if not (weight > 0 and np.isfinite(weight)):
            raise EngineError(f"The weight of column {name!r} must be a positive number.")
    return np.array([float(wanted.get(name, 1.0)) for name in known])
