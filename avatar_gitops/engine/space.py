"""The space in which rows are compared, fitted on the originals.

Skewed numbers go on their power scale, missing values are filled, categories may be reduced to a few coordinates, and
all that is projected together with the missing indicators.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.imputation import Imputer, fill, fit_imputer
from avatar_gitops.engine.params import Space
from avatar_gitops.engine.projection import Projection, fit_projection, project
from avatar_gitops.engine.reduction import Reduction, fit_reduction
from avatar_gitops.engine.transforms import Transforms, fit_transforms
from avatar_gitops.errors import EngineError

DEFAULT_NCP: Final = 5
LARGEST_WEIGHT: Final = 1e6
_FARTHEST: Final = 1e12  # standard deviations, beyond which squares of coordinates lose what all other columns say


@dataclass(slots=True, frozen=True)
class FittedSpace:
    """A space fitted on originals, with their completed frame and their coordinates (`points`).

    `indicators` are the columns (of `Layout.names`) whose missingness is a variable. Completed frames have their skewed
    numbers on the scales of `transforms`; `plain` takes them back.
    """

    layout: Layout
    imputer: Imputer
    indicators: npt.NDArray[np.int64]
    projection: Projection
    weights: Floats
    ncp: int
    completed: Frame
    points: Floats
    transforms: Transforms = field(default_factory=Transforms)
    reduction: Reduction | None = None

    def indicator_codes(self, frame: Frame) -> Codes:
        """1 where a value is missing, 0 where not; one column per indicator."""
        return frame.missing[:, self.indicators].astype(np.int32)

    def complete(self, frame: Frame) -> Frame:
        """The frame with its missing values filled, skewed numbers on their scales."""
        return fill(self.imputer, self.transforms.apply(frame))

    def plain(self, frame: Frame) -> Frame:
        """A completed frame with all numbers as they are in the table."""
        return self.transforms.invert(frame)

    def project(self, frame: Frame) -> Floats:
        """Coordinates of rows that may have missing values; raises EngineError for numbers far out of proportion."""
        completed = self.complete(frame)
        self._check_reach(completed)
        return project(self.projection, *variables(self.reduction, completed, self.indicator_codes(frame)))

    def _check_reach(self, completed: Frame) -> None:
        for column, values, mean, scale in zip(
            self.layout.numbers, completed.numbers.T, self.projection.mean, self.projection.scale, strict=False
        ):
            ends = np.array([values.min(initial=mean), values.max(initial=mean)])
            if not (np.abs(ends - mean) * scale <= _FARTHEST).all():
                raise EngineError(
                    f"Column {column.name!r} has numbers so far from those of the originals that they cannot be"
                    " compared.",
                    hint="Correct the avatars or the holdout, or replace these numbers by empty values.",
                )


def fit_space(layout: Layout, frame: Frame, options: Space, seed: int, label: str = "") -> FittedSpace:
    """Fit scales, imputation, indicators and axes; raises EngineError when there is nothing to compare."""
    check_comparable(layout, frame.rows, options)
    weights = weights_of(layout, options.column_weights)
    transforms = fit_transforms(layout, frame) if options.transform_skewed else Transforms()
    scaled = transforms.apply(frame)
    imputer = fit_imputer(scaled, layout.sizes, options.imputation, seed, label)
    indicators = np.flatnonzero(frame.missing.any(axis=0))
    filled = fill(imputer, scaled)
    m, sizes = len(layout.numbers), layout.sizes
    reduction = fit_reduction(filled.codes, sizes, weights[m:]) if options.use_categorical_reduction else None
    compared = variables(reduction, filled, frame.missing[:, indicators].astype(np.int32))
    own = weights if reduction is None else np.concatenate([weights[:m], np.ones(reduction.dimensions)])
    levels = (*(sizes if reduction is None else ()), *[2] * len(indicators))
    ncp = options.ncp or DEFAULT_NCP
    projection = fit_projection(*compared, levels, np.concatenate([own, weights[indicators]]), ncp)
    points = project(projection, *compared)
    return FittedSpace(layout, imputer, indicators, projection, weights, ncp, filled, points, transforms, reduction)


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
    reduced = space.reduction is not None and bool(categories)
    own = [] if reduced else categories
    parts = []
    for frame, codes in sides:
        values = [frame.numbers[:, numbers]]
        if space.reduction is not None and reduced:
            values.append(space.reduction.embed(frame.codes, categories))
        parts.append((np.hstack(values), np.hstack([frame.codes[:, own], codes[:, indicators]])))
    sizes = (*(layout.sizes[i] for i in own), *[2] * len(indicators))
    coordinates = np.ones(parts[0][0].shape[1] - len(numbers))
    weights = space.weights[[*(m + i for i in own), *space.indicators[indicators]]]
    weights = np.concatenate([space.weights[numbers], coordinates, weights])
    fitted = fit_projection(*parts[0], sizes, weights, min(space.ncp, parts[0][0].shape[1] + sum(sizes)))
    return project(fitted, *parts[0]), project(fitted, *parts[1])


def check_comparable(layout: Layout, rows: int, options: Space) -> None:
    """Raises EngineError when there is nothing to compare or no axis to compare it on."""
    if not layout.names:
        raise EngineError(
            "The table has no column to model: all are dropped, keys, pseudonymized, excluded or empty.",
            hint="Keep at least one column that is none of these.",
        )
    if rows == 0:
        raise EngineError("The table has no rows.")
    if options.ncp is not None and options.ncp < 1:
        raise EngineError("ncp must be at least 1.")


def variables(reduction: Reduction | None, completed: Frame, indicators: Codes) -> tuple[Floats, Codes]:
    """Numbers and codes that are projected: with a reduction, its coordinates stand for the categories."""
    if reduction is None:
        return completed.numbers, np.hstack([completed.codes, indicators])
    return np.hstack([completed.numbers, reduction.embed(completed.codes)]), indicators


def weights_of(layout: Layout, wanted: Mapping[str, float]) -> Floats:
    """The weight of each modelled column; raises EngineError for unknown names and impossible weights."""
    known = layout.names
    outside = {*(c.name for c in layout.empty), *(s.name for s in layout.keys), *layout.dropped, *layout.aside}
    for name, weight in wanted.items():
        if name not in known and name not in outside:
            raise EngineError(f"A column weight names {name!r}, which is not a column of the table.")
        if not 0 < weight <= LARGEST_WEIGHT:
            raise EngineError(f"The weight of column {name!r} must be above 0 and at most {LARGEST_WEIGHT:,.0f}.")
    return np.array([float(wanted.get(name, 1.0)) for name in known])
