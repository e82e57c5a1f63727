"""What a differentially private release is asked for and what it promises, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import pyarrow as pa

NEIGHBOURS: Final = "tables that differ by all the rows of one person, added or removed"
DEFAULT_DELTA: Final = 1e-9
DEFAULT_RATIO: Final = 0.3


class DpModel(StrEnum):
    """What is measured under noise: counts of bins, or moments in an encoded space."""

    MARGINALS = "marginals"
    GAUSSIAN = "gaussian"
    HISTOGRAM = "histogram"
    GMM = "gmm"


@dataclass(slots=True, frozen=True)
class PublicColumn:
    """What everybody may know of a column, because it was known before the data were seen.

    Bounds are in the units of the column, ISO 8601 text for dates; values outside count as the bound. Values outside
    `categories` are left out of every count. A `complete` column has no missing values.
    """

    lower: float | str | None = None
    upper: float | str | None = None
    categories: tuple[str, ...] | None = None
    complete: bool = False


@dataclass(slots=True, frozen=True)
class PrivacyUnit:
    """Who is protected: a person, with one row, or with at most `max_rows` rows that share a value of `column`.

    More rows of one person than `max_rows` are dropped before anything is measured.
    """

    column: str | None = None
    max_rows: int = 1


@dataclass(slots=True, frozen=True)
class DpParams:
    """One release: a budget, a model, and everything that is public.

    `delta` absent means pure differential privacy where the model allows it. `preprocess_ratio` is the part of the
    budget that is spent on bounds and categories that are not public. `rows` is the size of the output if that is
    public, else it is measured. `bins` cuts numbers (marginals) or axes (histogram), `components` counts those of the
    mixture, `bounds_percentile` is the percentile at which bounds are learned for the encoded space.
    """

    epsilon: float
    model: DpModel = DpModel.MARGINALS
    delta: float | None = None
    preprocess_ratio: float = DEFAULT_RATIO
    public: Mapping[str, PublicColumn] = field(default_factory=dict)
    unit: PrivacyUnit = field(default_factory=PrivacyUnit)
    rows: int | None = None
    ncp: int | None = None
    bins: int | None = None
    components: int = 5
    bounds_percentile: float = 5.0


@dataclass(slots=True, frozen=True)
class Spent:
    """What one measurement cost: its loss in the measure of the accountant, and its part of delta."""

    stage: str
    loss: float
    delta: float


@dataclass(slots=True, frozen=True)
class Guarantee:
    """What is promised: a release is (epsilon, delta) differentially private for the named unit.

    `declared` is the epsilon that was asked for and `epsilon` what OpenDP says all measurements cost together, never
    more than declared. `rho` is the same total as zero-concentrated loss when `measure` is zCDP. `public` names what
    the promise takes as known to everybody, `learned` what a part of the budget was spent on.
    """

    measure: str
    declared: float
    epsilon: float
    delta: float
    rho: float | None
    rows_per_person: int
    stages: tuple[Spent, ...]
    public: tuple[str, ...]
    learned: tuple[str, ...]
    library: str
    warnings: tuple[str, ...] = ()
    neighbours: str = NEIGHBOURS


@dataclass(slots=True, frozen=True)
class Release:
    """A synthetic table whose rows belong to nobody, and its promise."""

    table: pa.Table
    guarantee: Guarantee
