"""Models of a run spec: the YAML document `kind: AvatarRun`, version `avatar-gitops/v1`.

Field names and enum values are the Avatar platform's own wherever it has them. The models hold structure only; rules
that span fields, files or data (exclusive methods, column names, unique set names) are in `spec.checks`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from avatar_gitops.spec.columns import (
    API_VERSION,
    GATE_PATTERN,
    MAX_INTEGER,
    SET_NAME_PATTERN,
    TABLE_NAME_PATTERN,
    WHOLE,
    Column,
    ColumnName,
    ColumnTag,
    ColumnType,
    ConstantPseudonymization,
    Day,
    Digest,
    FakerPseudonymization,
    HashPseudonymization,
    IntegerPseudonymization,
    LetterCase,
    Model,
    Natural,
    PiiType,
    Positive,
    Pseudonymization,
    PublicValues,
    SetName,
    SpecificIdPseudonymization,
    TableName,
    Text,
    UuidPseudonymization,
)
from avatar_gitops.spec.dp import Budget, FastDp, Mechanism, OpenDp, PrivacyUnit
from avatar_gitops.spec.links import Link, LinkEnd, LinkMethod
from avatar_gitops.spec.pia import DataRecipient, DataSubject, DataType, Language, Pia, SensitivityLevel
from avatar_gitops.spec.processors import ClientProcessor, RangeDifferenceProcessor, RelativeDifferenceProcessor
from avatar_gitops.spec.series import SeriesAlignment, SeriesProjection, Unalignment

__all__ = [
    "API_VERSION",
    "GATE_PATTERN",
    "MAX_INTEGER",
    "SET_NAME_PATTERN",
    "TABLE_NAME_PATTERN",
    "WHOLE",
    "AvatarRun",
    "Avatarization",
    "Budget",
    "ClientProcessor",
    "Column",
    "ColumnName",
    "ColumnTag",
    "ColumnType",
    "ConstantPseudonymization",
    "DataAugmentation",
    "DataRecipient",
    "DataSubject",
    "DataType",
    "Day",
    "Digest",
    "ExcludeVariables",
    "FakerPseudonymization",
    "FastDp",
    "FileFormat",
    "Gate",
    "Generation",
    "Geometry",
    "HashPseudonymization",
    "Imputation",
    "ImputationMethod",
    "IntegerPseudonymization",
    "Job",
    "Language",
    "LetterCase",
    "Lifecycle",
    "Link",
    "LinkEnd",
    "LinkMethod",
    "Matrix",
    "Mechanism",
    "Metadata",
    "Model",
    "NamedStrategy",
    "Natural",
    "OpenDp",
    "Pia",
    "PiiType",
    "Positive",
    "PrivacyMetrics",
    "PrivacyUnit",
    "Pseudonymization",
    "PublicValues",
    "RangeDifferenceProcessor",
    "RelativeDifferenceProcessor",
    "ReplacementStrategy",
    "ReportFormat",
    "Results",
    "SensitivityLevel",
    "SetName",
    "SignalMetrics",
    "Source",
    "Spec",
    "SpecificIdPseudonymization",
    "Table",
    "TableName",
    "Text",
    "TimeSeries",
    "UuidPseudonymization",
]


class FileFormat(StrEnum):
    """Format of a table file."""

    CSV = "csv"
    PARQUET = "parquet"


class Source(Model):
    """Where a table's rows are, when the plain path is not enough; `options` go to the object store."""

    uri: Text
    format: FileFormat | None = None
    digest: Digest | None = None
    options: dict[str, str] = {}


class ImputationMethod(StrEnum):
    """How missing values are filled temporarily."""

    KNN = "knn"
    FAST_KNN = "fast_knn"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"


class Imputation(Model):
    """Temporary filling of missing values; avatars are blanked again unless `return_data_imputed`."""

    method: ImputationMethod | None = None
    k: Natural | None = None
    training_fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    return_data_imputed: bool = False


class ReplacementStrategy(StrEnum):
    """How excluded columns come back; `row_order` ties real values to a person's own avatar."""

    ROW_ORDER = "row_order"
    COORDINATE_SIMILARITY = "coordinate_similarity"


class ExcludeVariables(Model):
    """Columns set aside before anonymization; the platform's unsafe default strategy must be asked for by name."""

    variable_names: Annotated[list[ColumnName], Field(min_length=1)]
    replacement_strategy: ReplacementStrategy


class Geometry(Model):
    """Settings of the space in which distances are measured.

    `transform_skewed` models skewed numbers on a power scale; it is offered by the embedded platform only.
    """

    ncp: Natural | None = None
    use_categorical_reduction: bool | None = None
    transform_skewed: bool | None = None
    column_weights: dict[ColumnName, Annotated[float, Field(gt=0, le=1e6)]] | None = None
    exclude_variables: ExcludeVariables | None = None
    imputation: Imputation | None = None


class NamedStrategy(StrEnum):
    """Augmentation of small classes."""

    MINORITY = "minority"
    NOT_MAJORITY = "not_majority"


class DataAugmentation(Model):
    """More avatars than originals: a size factor, a class strategy, or a ratio per modality."""

    augmentation_strategy: Annotated[float, Field(ge=1)] | NamedStrategy | dict[str, Positive]
    target_column: ColumnName | None = None
    should_anonymize_original_table: bool = True


class Generation(StrEnum):
    """How an avatar is drawn from its neighbours; `local_gaussian` is offered by the embedded platform only."""

    BARYCENTRE = "barycentre"
    LOCAL_GAUSSIAN = "local_gaussian"


class Avatarization(Geometry):
    """Anonymization of one table by exactly one method: `k`, `open_dp` or `fast_dp`.

    `holdout_share` of the rows is not anonymized: the release is smaller by them, and they are the holdout of the
    privacy metrics.
    """

    k: Annotated[int, Field(ge=2, le=MAX_INTEGER), WHOLE] | None = None
    open_dp: OpenDp | None = None
    fast_dp: FastDp | None = None
    generation: Generation = Generation.BARYCENTRE
    data_augmentation: DataAugmentation | None = None
    avatarization_processors_parameters: list[RangeDifferenceProcessor | RelativeDifferenceProcessor] | None = None
    holdout_share: Annotated[float, Field(gt=0, le=0.5)] | None = None


class SignalMetrics(Geometry):
    """Settings of the utility metrics; what is not set follows `avatarization`.

    `target` is a column that a model learnt on avatars is to predict for people.
    """

    target: ColumnName | None = None


class PrivacyMetrics(Geometry):
    """Settings of the privacy metrics; what is not set follows `avatarization`.

    With `shadow_run` and without a `holdout`, avatars are made again from a random 80 % of the rows and attacked with
    the other 20 % as control: membership is then measured of the method, at the price of one more anonymization.
    `groups` are categorical columns: the metrics then also say how well the worst protected group of people is hidden.
    """

    known_variables: Annotated[list[ColumnName], Field(min_length=1)] | None = None
    target: ColumnName | None = None
    quantile_threshold: Annotated[int, Field(ge=1, le=99), WHOLE] | None = None
    shadow_run: bool | None = None
    groups: Annotated[list[ColumnName], Field(min_length=1)] | None = None


class TimeSeries(Model):
    """The series of a table that is linked by the method `time_series` to the table of its people."""

    projection: SeriesProjection | None = None
    alignment: SeriesAlignment | None = None
    unalignment: Unalignment | None = None
    exclude_variables: ExcludeVariables | None = None


class Table(Model):
    """One table: its rows, its columns, and what is done with it.

    `sample` is a synthetic stand-in for the rows with the same columns, which `preview` may use instead of them.
    `holdout` are people of the same population who are not anonymized; only the privacy metrics read them, to tell what
    avatars give away from what is true of anybody.
    """

    source: Text | Source
    avatars: Text | Source | None = None
    holdout: Text | Source | None = None
    sample: Text | Source | None = None
    individual_level: bool = True
    columns: dict[ColumnName, Column] = {}
    links: Annotated[list[Link], Field(min_length=1)] | None = None
    time_series: TimeSeries | None = None
    processors: Annotated[list[ClientProcessor], Field(min_length=1)] | None = None
    avatarization: Avatarization | None = None
    privacy_metrics: PrivacyMetrics | None = None
    signal_metrics: SignalMetrics | None = None


class Job(StrEnum):
    """Jobs of a run, in the order in which they depend on each other."""

    STANDARD = "standard"
    PRIVACY_METRICS = "privacy_metrics"
    SIGNAL_METRICS = "signal_metrics"
    REPORT = "report"
    REPORT_PIA = "report_pia"


class ReportFormat(StrEnum):
    """Format of the technical report; the impact assessment is always DOCX."""

    PDF = "pdf"
    DOCX = "docx"


class Results(Model):
    """Form of the results; `format` absent = the format of the input file."""

    format: FileFormat | None = None
    report_format: ReportFormat = ReportFormat.PDF
    compute_figures: bool = True
    max_distribution_plots: Annotated[int, Field(ge=-1, le=MAX_INTEGER), WHOLE] | None = None
    name_template: Text | None = None


class Lifecycle(Model):
    """What may happen to the set: `protect` forbids delete and relaunch, `keep_versions` counts published versions.

    After the day `delete_after` (UTC) a plan deletes the set from the server, whatever `prune` says; the spec may stay.
    """

    protect: bool = False
    keep_versions: Annotated[int, Field(ge=1, le=100), WHOLE] = 1
    delete_after: Day | None = None


class Metadata(Model):
    """Identity of the set; `name` is its display name on the server."""

    name: SetName
    owner: Text | None = None
    description: Text | None = None
    labels: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,63}$")], Annotated[str, Field(max_length=200)]] = {}


Gate = Annotated[str, Field(pattern=GATE_PATTERN)]


MatrixValue = float | bool | Annotated[str, Field(min_length=1, max_length=200)]
MatrixKey = Annotated[str, Field(min_length=1, max_length=500)]
Matrix = Annotated[dict[MatrixKey, Annotated[list[MatrixValue], Field(min_length=1)]], Field(min_length=1)]


class Spec(Model):
    """What is to be run.

    `from` and `matrix` make the run and are no part of it: a run that is resolved has neither (`spec.layers`).
    """

    from_: Annotated[Text | None, Field(alias="from")] = None
    matrix: Matrix | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = None
    tables: Annotated[dict[TableName, Table], Field(min_length=1)]
    jobs: Annotated[list[Job], Field(min_length=1)] = list(Job)
    gates: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")], Gate] = {}
    pia: Pia = Pia()
    results: Results = Results()
    lifecycle: Lifecycle = Lifecycle()


class AvatarRun(Model):
    """One run spec, one file, one set on the server."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["AvatarRun"]
    metadata: Metadata
    spec: Spec
