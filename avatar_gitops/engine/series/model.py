"""Series as values: what is given for one table of series and how it is treated."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.errors import EngineError


class SeriesProjection(StrEnum):
    """How an aligned curve becomes scores: by its principal functions, or point by point."""

    FPCA = "fpca"
    FLATTEN = "flatten"


class AlignmentMethod(StrEnum):
    """How many points the common grid has: from the lengths of the series, or as specified."""

    SPECIFIED = "specified"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"


class Unalignment(StrEnum):
    """Points of an avatar's series: as many as its own length says, or those of the common grid."""

    UNIFORM = "uniform"
    SKIP = "skip"


@dataclass(slots=True, frozen=True)
class SeriesParams:
    """`nf` is the number of scores per variable (None: as many as hold 95 % of the variance, at most 10).

    `nb_points` is the number of points of the grid when the alignment is `specified`.
    """

    projection: SeriesProjection = SeriesProjection.FPCA
    nf: int | None = None
    alignment: AlignmentMethod = AlignmentMethod.MAX
    nb_points: int | None = None
    unalignment: Unalignment = Unalignment.UNIFORM

    def __post_init__(self) -> None:
        if self.nf is not None and self.nf < 1:
            raise EngineError("nf, the number of scores of a series, must be at least 1.")
        if (self.alignment is AlignmentMethod.SPECIFIED) != (self.nb_points is not None):
            raise EngineError(
                "nb_points and the alignment method 'specified' belong together.",
                hint="Give both, or let the method be max, min or mean.",
            )
        if self.nb_points is not None and self.nb_points < 2:
            raise EngineError("A series is aligned to at least 2 points (nb_points).")


@dataclass(slots=True, frozen=True)
class SeriesTable:
    """Rows of series: one row per person and time; `foreign_key` names the person, `time` orders the rows."""

    name: str
    rows: pa.Table
    foreign_key: str
    time: str
    columns: tuple[ColumnSpec, ...] = ()
    params: SeriesParams = field(default_factory=SeriesParams)

    @property
    def primary_key(self) -> str | None:
        """The column that numbers the rows, if one is declared."""
        return next((spec.name for spec in self.columns if spec.primary_key), None)

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns that are measured over time."""
        aside = {self.foreign_key, self.time, self.primary_key}
        dropped = {spec.name for spec in self.columns if spec.drop}
        return tuple(name for name in self.rows.column_names if name not in aside | dropped)
