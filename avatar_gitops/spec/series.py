"""What a spec says about time series: how curves of people are brought to one grid and become a few numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from avatar_gitops.spec.columns import MAX_INTEGER, WHOLE, Model, Natural


class ProjectionType(StrEnum):
    """Scores on the main curves of all people, or the points of the grid as they are."""

    FPCA = "fpca"
    FLATTEN = "flatten"


class AlignmentMethod(StrEnum):
    """Where the number of points of the grid comes from: the lengths of the series, or `nb_points`."""

    SPECIFIED = "specified"
    MAX = "max"
    MIN = "min"
    MEAN = "mean"


class Unalignment(StrEnum):
    """Points of an avatar's series: over a start, duration and length of its own, or those of the common grid."""

    UNIFORM = "uniform"
    SKIP = "skip"


class SeriesProjection(Model):
    """`nf` scores per variable, for `fpca`."""

    projection_type: ProjectionType | None = None
    nf: Natural | None = None


class SeriesAlignment(Model):
    """The grid that all series are brought to."""

    nb_points: Annotated[int, Field(ge=2, le=MAX_INTEGER), WHOLE] | None = None
    method: AlignmentMethod | None = None
