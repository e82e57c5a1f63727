"""Models of processors: what is done to a table before it is anonymized, and undone or applied on its avatars.

The two processors that the platform runs itself stand under `avatarization`, in its own untagged form. Those that its
client runs around an anonymization stand under the table with a `kind`; they come first and are undone last, and the
embedded platform runs them so that metrics see what is released.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from avatar_gitops.spec.columns import WHOLE, ColumnName, Model, Natural, Positive

ColumnNames = Annotated[list[ColumnName], Field(min_length=1)]
Label = Annotated[str, Field(min_length=1, max_length=200)]


class RangeDifferenceProcessor(Model):
    """Inter-record range difference: intervals of one person modelled as lengths and gaps."""

    id_variable: ColumnName
    target_start_variable: ColumnName
    target_end_variable: ColumnName


class RelativeDifferenceProcessor(Model):
    """A column modelled relative to the sum of others."""

    target: ColumnName
    references: ColumnNames
    scaling_unit: Positive | None = None


class DatetimeProcessor(Model):
    """Every datetime column modelled as seconds since 1970."""

    kind: Literal["datetime"]


class GroupModalitiesProcessor(Model):
    """Modalities of at most so many rows become `new_category`, for good.

    Either each column has a threshold, or `global_threshold` holds for all columns of at least `min_unique` modalities.
    """

    kind: Literal["group_modalities"]
    variable_thresholds: Annotated[dict[ColumnName, Natural], Field(min_length=1)] | None = None
    min_unique: Natural | None = None
    global_threshold: Natural | None = None
    new_category: Label = "other"


class ToCategoricalProcessor(Model):
    """Numeric columns of few distinct values modelled as categories.

    With `keep_continuous` a numeric copy is modelled too; it gives the number where avatars have the label `category`.
    """

    kind: Literal["to_categorical"]
    to_categorical_threshold: Natural
    keep_continuous: bool = False
    continuous_suffix: Label = "__cont"
    category: Label = "other"


class ProportionsProcessor(Model):
    """Columns modelled as shares of a reference; with `sum_to_one` they add up to the reference of each avatar."""

    kind: Literal["proportions"]
    variable_names: ColumnNames
    reference: ColumnName
    sum_to_one: bool = True
    decimal_count: Annotated[int, Field(ge=0, le=9), WHOLE] = 1


class PerturbationProcessor(Model):
    """Share of the distance between original and avatar that is kept: 1 the avatar, 0 the original. Costs privacy."""

    kind: Literal["perturbation"]
    perturbation_level: Annotated[dict[ColumnName, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]


class ExpectedMeanProcessor(Model):
    """Avatars shifted to the mean (with `same_std` also the spread) of the originals, by group. Costs privacy."""

    kind: Literal["expected_mean"]
    target_variables: ColumnNames
    groupby_variables: ColumnNames | None = None
    same_std: bool = False


class GeolocationNormalizationProcessor(Model):
    """Longitudes modelled as positions among the places of their latitude where anything is."""

    kind: Literal["geolocation_normalization"]
    latitude_variable: ColumnName
    longitude_variable: ColumnName
    n_reference_lat: Annotated[int, Field(ge=2, le=100_000), WHOLE]
    n_bins: Annotated[int, Field(ge=1, le=100_000), WHOLE]


class CumulatedDifferenceProcessor(Model):
    """Values of one person modelled as the smallest one and the steps between them."""

    kind: Literal["inter_record_cumulated_difference"]
    id_variable: ColumnName
    target_variable: ColumnName


class BoundedCumulatedDifferenceProcessor(Model):
    """Values of one person, in the order of the rows, modelled as shares of the way to the bounds of the column."""

    kind: Literal["inter_record_bounded_cumulated_difference"]
    id_variable: ColumnName
    target_variable: ColumnName


class BoundedRangeDifferenceProcessor(Model):
    """Intervals of one person modelled as shares of the way to the bounds of both columns."""

    kind: Literal["inter_record_bounded_range_difference"]
    id_variable: ColumnName
    target_start_variable: ColumnName
    target_end_variable: ColumnName
    sort_by_variable: ColumnName | None = None


ClientProcessor = Annotated[
    DatetimeProcessor
    | GroupModalitiesProcessor
    | ToCategoricalProcessor
    | ProportionsProcessor
    | PerturbationProcessor
    | ExpectedMeanProcessor
    | GeolocationNormalizationProcessor
    | CumulatedDifferenceProcessor
    | BoundedCumulatedDifferenceProcessor
    | BoundedRangeDifferenceProcessor,
    Field(discriminator="kind"),
]
