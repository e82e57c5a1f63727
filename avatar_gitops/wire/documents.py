"""The YAML documents of a set: what `PUT /resources/{display_name}` carries and every server must understand.

Absent and null mean the same everywhere. Unknown keys are kept out of the way, not refused: newer clients add some.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Number = int | float


class DocumentKind(StrEnum):
    """Kinds of documents that a single-table or multi-table run consists of."""

    METADATA = "AvatarMetadata"
    VOLUME = "AvatarVolume"
    SCHEMA = "AvatarSchema"
    PARAMETERS = "AvatarParameters"
    PRIVACY_METRICS = "AvatarPrivacyMetricsParameters"
    SIGNAL_METRICS = "AvatarSignalMetricsParameters"
    REPORT = "AvatarReportParameters"
    ADVICE = "AvatarAdviceParameters"


class Part(BaseModel):
    """Base of every part of a document."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    def to_plain(self) -> dict[str, Any]:
        """The part as plain data with absent values left out, the way the platform's own clients write it."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Name(Part):
    """`metadata` of a document."""

    name: str


class PiaMetadata(Part):
    """The four values that the privacy impact assessment is calibrated by."""

    datarecipient: str = "unknown"
    data_type: str = "unknown"
    datasubject: str = "unknown"
    sensitivity_level: str = "Undefined"


class MetadataSpec(Part):
    """`spec` of AvatarMetadata."""

    display_name: str | None = None
    pia_metadata: PiaMetadata | None = None


class Data(Part):
    """Where a table's rows are: an uploaded file, or `auto` for the result of an earlier job."""

    volume: str | None = None
    file: str | None = None
    auto: bool | None = None


class PublicValues(Part):
    """What everybody may know of a column, for differential privacy; an addition of the embedded platform."""

    lower: Number | str | None = None
    upper: Number | str | None = None
    categories: list[str] | None = None
    complete: bool | None = None


class Column(Part):
    """What is said about one column of a table; columns that are not listed have inferred types."""

    field: str
    type: str | None = None
    value_type: str | None = None
    identifier: bool | None = None
    primary_key: bool | None = None
    time_series_time: bool | None = None
    pseudonymization: dict[str, Any] | None = None
    drop: bool | None = None
    public: PublicValues | None = None


class LinkEnd(Part):
    """Child side of a link."""

    table: str
    field: str


class Link(Part):
    """Link from a parent's primary key to a child's foreign key."""

    field: str
    to: LinkEnd
    method: str | None = None


class Table(Part):
    """One table of AvatarSchema; `holdout_data` is an addition of the embedded platform."""

    name: str
    data: Data | None = None
    avatars_data: Data | None = None
    holdout_data: Data | None = None
    individual_level: bool | None = None
    columns: list[Column] | None = None
    links: list[Link] | None = None


class SchemaSpec(Part):
    """`spec` of AvatarSchema."""

    tables: list[Table]
    schema_ref: str | None = None
    check_links_between_tables: bool | None = None


class Results(Part):
    """Where and how the results of a job are written."""

    volume: str | None = None
    path: str | None = None
    format: str | None = None
    name_template: str | None = None
    max_distribution_plots: int | None = None


class ExcludeVariables(Part):
    """Columns set aside before anonymization and re-attached after it."""

    variable_names: list[str]
    replacement_strategy: str | None = None


class Imputation(Part):
    """How missing values are filled temporarily."""

    method: str | None = None
    k: int | None = None
    training_fraction: float | None = None
    return_data_imputed: bool | None = None


class DataAugmentation(Part):
    """How many avatars are made for each original."""

    augmentation_strategy: Number | str | dict[str, Number]
    target_column: str | None = None
    should_anonymize_original_table: bool | None = None


class MethodRecord(Part):
    """Fields shared by the three anonymization methods and, the first six, by both metrics records.

    `transform_skewed` (absent = false) and `holdout_share` are additions of the embedded platform.
    """

    ncp: int | None = None
    use_categorical_reduction: bool | None = None
    transform_skewed: bool | None = None
    column_weights: dict[str, Number] | None = None
    exclude_variables: ExcludeVariables | None = None
    imputation: Imputation | None = None
    data_augmentation: DataAugmentation | None = None
    avatarization_processors_parameters: list[dict[str, Any]] | None = None
    holdout_share: Number | None = None


class AvatarizationRecord(MethodRecord):
    """Avatar method; `generation` is an addition of the embedded platform (absent = `barycentre`)."""

    k: int | None = None
    generation: Literal["barycentre", "local_gaussian"] | None = None


class PrivacyUnit(Part):
    """The column that names a person, and how many rows of one person are used at most."""

    column: str | None = None
    max_rows: int | None = None


class BudgetRecord(MethodRecord):
    """Fields of both kinds of differential privacy; the last three are additions of the embedded platform."""

    epsilon: float
    preprocess_budget_ratio: float | None = None
    delta: float | None = None
    unit: PrivacyUnit | None = None
    rows: int | None = None


class OpenDpRecord(BudgetRecord):
    """Differential privacy by marginals; `bins` is an addition of the embedded platform."""

    bins: int | None = None


class FastDpRecord(BudgetRecord):
    """Differential privacy in an encoded space; here `preprocess_budget_ratio` is an addition, too."""

    mechanism: str | None = None
    gmm_n_components: int | None = None
    histogram_n_bins: int | None = None
    bounds_percentile: float | None = None


class SeriesProjection(Part):
    """How curves become columns; older documents call the type `type`."""

    projection_type: str | None = Field(default=None, validation_alias=AliasChoices("projection_type", "type"))
    nf: int | None = None


class SeriesAlignment(Part):
    """How many points all curves are brought to."""

    nb_points: int | None = None
    method: str | None = None


class TimeSeriesRecord(Part):
    """What is done with the series of one table."""

    projection: SeriesProjection | None = None
    alignment: SeriesAlignment | None = None
    unalignment: str | None = None
    exclude_variables: ExcludeVariables | None = None


class ParametersSpec(Part):
    """`spec` of AvatarParameters; every map goes from table name to record."""

    schema_: str = Field(alias="schema")
    avatarization: dict[str, AvatarizationRecord] | None = None
    avatarization_open_dp: dict[str, OpenDpRecord] | None = None
    avatarization_fast_dp: dict[str, FastDpRecord] | None = None
    time_series: dict[str, TimeSeriesRecord] | None = None
    results: Results | None = None
    seed: int | None = None
    compute_figures: bool | None = None


class MetricsRecord(Part):
    """Per-table settings of a metrics job; the last five exist for privacy metrics only.

    `shadow_run` and `groups`, and a `target` of signal metrics, are additions of the embedded platform.
    """

    ncp: int | None = None
    use_categorical_reduction: bool | None = None
    transform_skewed: bool | None = None
    imputation: Imputation | None = None
    exclude_variables: ExcludeVariables | None = None
    column_weights: dict[str, Number] | None = None
    known_variables: list[str] | None = None
    target: str | None = None
    quantile_threshold: int | None = None
    shadow_run: bool | None = None
    groups: list[str] | None = None


class MetricsSpec(Part):
    """`spec` of both metrics documents; exactly one of the two maps is used, by kind."""

    schema_: str = Field(alias="schema")
    avatarization_ref: str | None = None
    privacy_metrics: dict[str, MetricsRecord] | None = None
    signal_metrics: dict[str, MetricsRecord] | None = None
    time_series: dict[str, TimeSeriesRecord] | None = None
    results: Results | None = None
    seed: int | None = None


class ReportSpec(Part):
    """`spec` of AvatarReportParameters."""

    report_type: Literal["basic", "pia"] = "basic"
    output_format: Literal["pdf", "docx"] = "pdf"
    language: Literal["en", "fr"] = "en"
    results: Results | None = None


class AdviceSpec(Part):
    """`spec` of AvatarAdviceParameters."""

    schema_: str = Field(alias="schema")
    advice: dict[str, list[str]] | None = None
    results: Results | None = None


class Document(Part):
    """One document of a set with its `spec` still plain; the kind decides which model reads it."""

    kind: str
    metadata: Name
    spec: dict[str, Any]
    annotations: dict[str, str] | None = None
