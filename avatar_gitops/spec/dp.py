"""What a spec says about differential privacy: the budget, whom it protects, and the two mechanisms."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from avatar_gitops.spec.columns import MAX_INTEGER, WHOLE, ColumnName, Model, Natural, Positive


class PrivacyUnit(Model):
    """Whom differential privacy protects: a person with at most `max_rows` rows, which share a value of `column`."""

    column: ColumnName
    max_rows: Natural = 1


class Budget(Model):
    """What both kinds of differential privacy share; `delta`, `unit` and `rows` are for the embedded platform only.

    `delta` absent means pure differential privacy where that is possible. `unit` is needed when a person has several
    rows. `rows` is the size of the output if that is public; otherwise it is measured under noise.
    """

    epsilon: Positive
    preprocess_budget_ratio: Annotated[float, Field(gt=0, lt=1)] | None = None
    delta: Annotated[float, Field(gt=0, le=0.001)] | None = None
    unit: PrivacyUnit | None = None
    rows: Annotated[int, Field(ge=2, le=MAX_INTEGER), WHOLE] | None = None


class OpenDp(Budget):
    """Differential privacy by marginals; `bins` cut each number, on the embedded platform."""

    bins: Annotated[int, Field(ge=2, le=1000), WHOLE] | None = None


class Mechanism(StrEnum):
    """Model that `fast_dp` perturbs."""

    GAUSSIAN = "gaussian"
    GMM = "gmm"
    HISTOGRAM = "histogram"


class FastDp(Budget):
    """Differential privacy in an encoded space; `preprocess_budget_ratio` is for the embedded platform here."""

    mechanism: Mechanism = Mechanism.GAUSSIAN
    gmm_n_components: Natural | None = None
    histogram_n_bins: Annotated[int, Field(ge=2, le=MAX_INTEGER), WHOLE] | None = None
    bounds_percentile: Annotated[float, Field(ge=0, lt=50)] | None = None
