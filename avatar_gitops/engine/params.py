"""What the engine is asked to do and what it answers, as plain frozen values; no numerics, no input or output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from avatar_gitops.engine.processors.params import Processor
from avatar_gitops.engine.pseudonyms.kinds import Pseudonym


class ColumnType(StrEnum):
    """Declared kind of a column; it overrides what the data look like."""

    INT = "int"
    BOOL = "bool"
    CATEGORY = "category"
    FLOAT = "float"
    DATETIME = "datetime"
    DATETIME_TZ = "datetime_tz"


class ImputationMethod(StrEnum):
    """How missing values are filled while rows are compared."""

    KNN = "knn"
    FAST_KNN = "fast_knn"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"


class Generation(StrEnum):
    """How an avatar is drawn from its neighbours: the published weights, or a local normal draw (hardened)."""

    BARYCENTRE = "barycentre"
    LOCAL_GAUSSIAN = "local_gaussian"


class Replacement(StrEnum):
    """How excluded columns come back: with one's own row (a breach), or with a similar row of somebody else."""

    ROW_ORDER = "row_order"
    COORDINATE_SIMILARITY = "coordinate_similarity"


class Balancing(StrEnum):
    """Classes that an augmentation raises to the size of the largest one: the smallest, or all the others."""

    MINORITY = "minority"
    NOT_MAJORITY = "not_majority"


@dataclass(slots=True, frozen=True)
class ColumnSpec:
    """What is known of one column; columns without a spec are typed by the data.

    `drop` removes it from the output. `identifier` and `primary_key` columns are never modelled: they come back with
    fresh values, equal where the originals were equal. A column with a `pseudonym` is not modelled either and comes
    back with substitutes of that kind.
    """

    name: str
    type: ColumnType | None = None
    drop: bool = False
    identifier: bool = False
    primary_key: bool = False
    pseudonym: Pseudonym | None = None


def declared_types(columns: Iterable[ColumnSpec]) -> dict[str, ColumnType]:
    """The types of the columns that have one, by name."""
    return {column.name: column.type for column in columns if column.type}


@dataclass(slots=True, frozen=True)
class Imputation:
    """Temporary filling of missing values; `None` means the default of the method.

    `training_fraction` is the share of rows that serve as donors. With `return_data_imputed` avatars keep the filled
    values, otherwise an avatar is blank where its drawn missing indicator says so.
    """

    method: ImputationMethod | None = None
    k: int | None = None
    training_fraction: float | None = None
    return_data_imputed: bool = False


@dataclass(slots=True, frozen=True)
class Exclusion:
    """Columns that are set aside before modelling and put back with real values.

    Metrics judge them too, because they are in the deliverable, unless `in_metrics` is off.
    """

    names: tuple[str, ...]
    replacement: Replacement
    in_metrics: bool = True


@dataclass(slots=True, frozen=True)
class Space:
    """The geometry in which rows are compared; avatars and metrics of one run share it.

    `ncp` axes are compared (default 5, never more than the table has dimensions). `column_weights` are positive; a
    larger weight makes a column count for more in distances. `use_categorical_reduction` compares categories by at most
    20 learnt coordinates (`engine.reduction`), `transform_skewed` models skewed numbers on a power scale
    (`engine.transforms`).
    """

    ncp: int | None = None
    column_weights: Mapping[str, float] = field(default_factory=dict)
    imputation: Imputation | None = None
    use_categorical_reduction: bool = False
    transform_skewed: bool = False
    exclude: Exclusion | None = None


@dataclass(slots=True, frozen=True)
class Augmentation:
    """More avatars than originals.

    `strategy` is a factor (at least 1) of the size of the table, a `Balancing` of the classes of `target`, or a factor
    for each named class of `target`. Without `anonymize_originals` the real rows stay in the output beside the avatars.
    """

    strategy: float | Balancing | Mapping[str, float]
    target: str | None = None
    anonymize_originals: bool = True


@dataclass(slots=True, frozen=True)
class AvatarParams:
    """One avatarization: `k` neighbours, a geometry, how avatars are drawn, how many, and processors around it all."""

    k: int
    space: Space = field(default_factory=Space)
    generation: Generation = Generation.BARYCENTRE
    augmentation: Augmentation | None = None
    processors: tuple[Processor, ...] = ()


@dataclass(slots=True, frozen=True)
class Limits:
    """What one run may take; None is no limit.

    A table of more than `rows` rows, or one that would need more than `memory` bytes, is anonymized in random batches
    (`engine.batches`). More than `dimensions` (numeric columns plus modalities) are refused.
    """

    rows: int | None = None
    memory: int | None = None
    dimensions: int | None = None


@dataclass(slots=True, frozen=True)
class PrivacyParams:
    """What the attackers of the privacy metrics know and want, and for whom the avatars are meant.

    `recipient` is a data recipient of the privacy impact assessment; it chooses the targets, unknown the strictest.
    `shadow` is how the avatars were made, when attacks that need unused people may make avatars again from a part of
    the originals (`engine.controlled`); a holdout makes it needless. `groups` are categorical columns whose modalities
    are compared (`engine.groups`).
    """

    space: Space = field(default_factory=Space)
    known_variables: tuple[str, ...] = ()
    target: str | None = None
    quantile_threshold: float = 5.0
    recipient: str = "unknown"
    shadow: AvatarParams | None = None
    groups: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class SignalParams:
    """Utility metrics: the geometry, and the column that a model is to predict (`engine.utility`)."""

    space: Space = field(default_factory=Space)
    target: str | None = None


@dataclass(slots=True, frozen=True)
class ColumnFact:
    """What became of one column: modelled, dropped, identifier, primary_key, pseudonymized, excluded or empty.

    A category has no dimensions of its own when categories are reduced to shared ones.
    """

    name: str
    role: str
    type: ColumnType | None = None
    dimensions: int = 0
    missing: bool = False


@dataclass(slots=True, frozen=True)
class Facts:
    """What the engine did, without any value of the data.

    `sensitive` are reasons why the deliverable still holds real values of people. `explained_variance` and `ncp`
    describe the compared axes (shares of the total inertia); `contributions` gives, for each modelled column, its share
    of the inertia of each axis in percent. Rows were compared within their batch when there is more than one.
    """

    columns: tuple[ColumnFact, ...]
    dimensions: int
    ncp: int
    explained_variance: tuple[float, ...]
    contributions: Mapping[str, tuple[float, ...]]
    warnings: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    batches: int = 1


@dataclass(slots=True, frozen=True)
class Metrics:
    """Metrics of one table in natural units; `None` where a metric does not apply, with the reason in `notes`.

    Rates are in percent, Hellinger distances in [0, 1], correlation differences in percent. `intervals` are 95 %
    intervals, `population` the number of rows each value rests on, `references` what rows that were never used would
    score, `targets` the wanted values of this recipient, `distances` the Hellinger distance of each compared column.
    Exact numbers of rows are for the owner of the data only.
    """

    values: Mapping[str, float | None]
    intervals: Mapping[str, tuple[float, float]]
    population: Mapping[str, int]
    notes: Mapping[str, str]
    targets: Mapping[str, str]
    meta: float | None
    references: Mapping[str, float] = field(default_factory=dict)
    distances: Mapping[str, float] = field(default_factory=dict)
