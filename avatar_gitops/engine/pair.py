"""Originals and their avatars in one space, ready to be measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.exclusion import out_of_metrics
from avatar_gitops.engine.frame import Frame, encode, fit_layout
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.params import ColumnSpec, Space
from avatar_gitops.engine.space import FittedSpace, fit_space, project_columns
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class Pair:
    """Row i of the avatars belongs to row `origins[i]` of the originals; everything is fitted on the originals.

    The first avatars are those of all originals in order; further ones only come from an augmentation.
    """

    space: FittedSpace
    original: Frame
    avatar: Frame
    avatar_completed: Frame
    original_points: Floats
    avatar_points: Floats
    origins: Rows

    @property
    def rows(self) -> int:
        """Number of originals."""
        return self.original.rows

    def project_columns(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Coordinates of originals and avatars when only some columns are known."""
        space = self.space
        originals = (space.completed, space.indicator_codes(self.original))
        avatars = (self.avatar_completed, space.indicator_codes(self.avatar))
        return project_columns(space, (originals, avatars), names)

    def values(self) -> tuple[list[Codes], list[Codes]]:
        """Comparable codes of each column, originals and avatars: -1 is missing, numbers as they are printed."""
        layout = self.space.layout
        originals, avatars = [], []
        for i, number in enumerate(layout.numbers):
            both = np.concatenate([self.original.numbers[:, i], self.avatar.numbers[:, i]])
            known = ~np.isnan(both)
            codes = np.full(len(both), -1, dtype=np.int32)
            codes[known] = np.unique(np.round(both[known], number.decimals), return_inverse=True)[1]
            originals.append(codes[: self.rows])
            avatars.append(codes[self.rows :])
        originals.extend(self.original.codes.T)
        avatars.extend(self.avatar.codes.T)
        return originals, avatars


def pair_up(
    original: pa.Table,
    avatars: pa.Table,
    columns: Sequence[ColumnSpec],
    options: Space,
    seed: int,
    origins: Rows | None = None,
) -> Pair:
    """Encode and project both tables; raises EngineError when they do not fit together.

    `origins` are those of augmented avatars (`engine.run.Avatars`); without, row i belongs to row i.
    """
    own = np.arange(original.num_rows)
    origins = own if origins is None else origins
    if len(origins) != avatars.num_rows or not np.array_equal(origins[: len(own)], own):
        raise EngineError(
            "The originals and the avatars do not have the same number of rows.",
            hint="Metrics compare row i of the avatars with row i of the originals: give them unshuffled.",
        )
    if original.num_rows < 2:
        raise EngineError("Metrics need at least two rows.")
    layout = fit_layout(original, columns, out_of_metrics(original, columns, options.exclude))
    originals, copies = encode(layout, original), encode(layout, avatars)
    space = fit_space(layout, originals, options, seed)
    return Pair(space, originals, copies, space.complete(copies), space.points, space.project(copies), origins)


def pair_in(space: FittedSpace, original: pa.Table, avatars: pa.Table) -> Pair:
    """Some originals beside their avatars in a space that was fitted on more rows than these."""
    originals, copies = encode(space.layout, original), encode(space.layout, avatars)
    held = replace(space, completed=space.complete(originals), points=space.project(originals))
    points = held.project(copies)
    return Pair(held, originals, copies, held.complete(copies), held.points, points, np.arange(original.num_rows))


def combine(columns: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int64]:
    """One number for each combination of codes: equal numbers where rows are equal in all columns."""
    ids = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        shifted = column.astype(np.int64) + 1
        ids = np.unique(ids * (shifted.max() + 1) + shifted, return_inverse=True)[1].ravel().astype(np.int64)
    return ids
