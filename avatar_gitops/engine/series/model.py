"""What is asked of a time series, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from avatar_gitops.engine.params import AvatarParams, ColumnSpec
from avatar_gitops.errors import EngineError


class ProjectionType(StrEnum):
    """How a curve becomes columns: scores on the main curves of all people, or its aligned points themselves."""

    FPCA = "fpca"
    FLATTEN = "flatten"


class AlignmentMethod(StrEnum):
    """How many points every curve is brought to: from the lengths of the series, or as said."""

    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    SPECIFIED = "specified"


class Unalignment(StrEnum):
    """Where the points of an avatar's series lie in time.

    `uniform`: equally spaced over a start, a duration and a length that are modelled like other columns. `skip`: on the
    grid that all series share, from the mean start over the mean duration, so that nothing of them is released.
    """

    UNIFORM = "uniform"
    SKIP = "skip"


@dataclass(slots=True, frozen=True)
class SeriesParams:
    """One series table: `nf` scores per variable (`fpca` only), and `nb_points` when the alignment is `specified`.

    Without `nf`, as many scores as explain 95 % of the variance, at most 10. Without `alignment`, `specified` if the
    number of points is given, else `max`.
    """

    projection: ProjectionType = ProjectionType.FPCA
    nf: int | None = None
    alignment: AlignmentMethod | None = None
    nb_points: int | None = None
    unalignment: Unalignment = Unalignment.UNIFORM

    def __post_init__(self) -> None:
        if self.nf is not None and self.nf < 1:
            raise EngineError("nf, the number of scores of a series, must be at least 1.")
        if self.nb_points is not None and self.nb_points < 2:
            raise EngineError("A series is aligned to at least 2 points (nb_points).")
        if self.alignment is AlignmentMethod.SPECIFIED and self.nb_points is None:
            raise EngineError(
                "The alignment is 'specified' but no number of points is given.", hint="Set nb_points, for example 20."
            )


@dataclass(slots=True, frozen=True)
class SeriesTable:
    """A table with one row per person and point in time; `foreign_key` names the person, `time` orders the rows.

    Every other column that is no key is a variable. With `own` the series of this table are drawn with these parameters
    instead of those of the people, so that the two do not share their neighbours.
    """

    name: str
    rows: pa.Table
    foreign_key: str
    time: str
    columns: tuple[ColumnSpec, ...] = ()
    params: SeriesParams = field(default_factory=SeriesParams)
    own: AvatarParams | None = None
