"""What an assessment is made from: plain frozen data that cannot hold a row, given by the server or the command line.

Metric values are in natural units: `hellinger_mean` is a distance in [0, 1] and `correlation_difference_ratio` is a
percentage, both lower is better; rates are 0-100. Row counts are buckets. What is not known is None or the platform's
own word for it, and stays visibly unknown in every document.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from avatar_gitops.assessment.approval import ApprovalFacts, GateFacts, SignatureFacts
from avatar_gitops.assessment.catalogue import (
    Family,
    canonical_name,
    default_target,
    family_of,
    in_catalogue,
    is_higher_better,
)
from avatar_gitops.assessment.guarantee import Guarantee
from avatar_gitops.assessment.targets import parse_target, target_text
from avatar_gitops.errors import AvatarGitOpsError

Language = Literal["en", "fr"]
Scalar = bool | int | float | str
Control = Literal["holdout", "share", "shadow"]

BUCKETS: Final = ("<100", "100-1k", "1k-10k", "10k-100k", "100k-1M", ">1M")
UNKNOWN_BUCKET: Final = "unknown"

OTHER_KIND: Final = {
    "inference_continuous": "inference_categorical",
    "inference_categorical": "inference_continuous",
}
"""Of two metrics the one that fits the kind of the target has a value; the other one is not missing."""
_WORDS: Final = (
    "avatar open_dp fast_dp barycentre local_gaussian knn fast_knn mean median mode gaussian gmm histogram row_order "
    "coordinate_similarity minority not_majority fpca flatten specified max min uniform skip csv parquet none "
    "by_modality set linear_sum_assignment minimum_distance_assignment sensitive_original_order_assignment time_series "
    "FAKER HASH_SHA256 UUID4 CONSTANT INTEGER SPECIFIC_ID EMAIL FIRST_NAME LAST_NAME FULL_NAME PHONE SSN ADDRESS "
    "FREE_TEXT int bool category float datetime datetime_tz"
)
PARAMETER_WORDS: Final = frozenset(_WORDS.split())
PROCESSORS: Final = "avatarization_processors_parameters"
PROCESSOR_KINDS: Final = frozenset(
    {
        "inter_record_range_difference",
        "relative_difference",
        "datetime",
        "group_modalities",
        "to_categorical",
        "proportions",
        "perturbation",
        "expected_mean",
        "geolocation_normalization",
        "inter_record_cumulated_difference",
        "inter_record_bounded_cumulated_difference",
        "inter_record_bounded_range_difference",
    }
)
"""The only texts a parameter may hold, so that a modality of the data can never stand in a document."""


@dataclass(slots=True, frozen=True)
class MetricValue:
    """One measured (or missing) figure of one table.

    `value` None means not measured. `low` and `high` are the 95 % interval. `target` is "op value" such as ">= 90".
    `scope` is the computation type of a multi-table block, `reference` the other table of it;
    `column` names the worst column where a metric has one. What only `informs` is not judged.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    target: str | None = None
    scope: str = "standalone"
    column: str | None = None
    reference: str | None = None
    informs: bool = False

    def __post_init__(self) -> None:
        if self.target is not None:
            parse_target(self.target)

    @property
    def family(self) -> Family:
        """The criterion that this metric speaks to, from the catalogue."""
        return family_of(canonical_name(self.name))


@dataclass(slots=True, frozen=True)
class FigureFacts:
    """A figure of a table for the report: its kind by the platform's name, and a PNG picture.

    `subject` is the column it shows, empty for a figure of the whole table.
    """

    kind: str
    png: bytes = field(repr=False)
    subject: str = ""

    def file(self, table: str) -> str:
        """Name of the picture among those of the set."""
        return ".".join(filter(None, (_file_part(table), self.kind, _file_part(self.subject)))) + ".png"


@dataclass(slots=True, frozen=True)
class TableFacts:
    """What one table of the set is, how it was anonymized and what was measured.

    `rows` is one of `BUCKETS` (see `row_bucket`) or "unknown". `parameters` is flat ("imputation.method": "knn"), made
    by `parameter_facts`. `links` maps child tables to the method of their link, `pseudonymized` a column to its kind.
    `guarantee` is what differential privacy promises; without it nothing is promised.
    `direct_identifiers` are columns of the output that name a person. `column_hellinger` maps a column to its distance
    in [0, 1]. `control` are the people who were not used: of a file, a share of the rows, or those of a shadow run.
    """

    name: str
    rows: str = UNKNOWN_BUCKET
    columns: int | None = None
    individual_level: bool = True
    method: str = "avatar"
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    pseudonymized: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, ...] = ()
    replacement_strategy: str | None = None
    direct_identifiers: tuple[str, ...] = ()
    guarantee: Guarantee | None = None
    known_variables: tuple[str, ...] = ()
    inference_target: str | None = None
    control: Control | None = None
    groups: tuple[str, ...] = ()
    metrics: tuple[MetricValue, ...] = ()
    column_hellinger: Mapping[str, float] = field(default_factory=dict)
    figures: tuple[FigureFacts, ...] = ()

    def __post_init__(self) -> None:
        if self.rows not in (*BUCKETS, UNKNOWN_BUCKET):
            raise AvatarGitOpsError(f"table {self.name}: rows must be a bucket such as '100-1k', see row_bucket()")
        words = (*self.pseudonymized.values(), *self.links.values(), self.method, self.replacement_strategy)
        texts = (*self.parameters.values(), *words)
        if any(isinstance(text, str) and text not in PARAMETER_WORDS for text in texts):
            raise AvatarGitOpsError(f"table {self.name}: a parameter holds free text", hint="use parameter_facts()")

    @property
    def row_order(self) -> bool:
        """Whether excluded columns were put back in the order of the originals, which links an avatar to its person."""
        return bool(self.excluded) and self.replacement_strategy == "row_order"

    @property
    def originals_kept(self) -> bool:
        """Whether an augmentation left the real rows in the result."""
        return self.parameters.get("data_augmentation.should_anonymize_original_table") is False

    @property
    def original_order(self) -> bool:
        """Whether the avatar of a person has the rows that were made from the person's own rows in a child table."""
        return "sensitive_original_order_assignment" in self.links.values()


@dataclass(slots=True, frozen=True)
class PiaContext:
    """What the responsible people said about the processing; the four enumerations use the platform's own values."""

    purpose: str | None = None
    data_recipient: str = "unknown"
    data_type: str = "unknown"
    data_subject: str = "unknown"
    sensitivity_level: str = "Undefined"
    owner: str | None = None
    controller: str | None = None
    processor: str | None = None
    legal_basis: str | None = None
    information: str | None = None
    rights: str | None = None
    retention: str | None = None
    retention_originals: str | None = None
    dpo: str | None = None
    dpo_opinion: str | None = None
    review_trigger: str | None = None


@dataclass(slots=True, frozen=True)
class Provenance:
    """Where every figure and statement comes from.

    `input_digests` maps table to digest, keyed or not; `versions` maps component to version; `sources` maps a field
    name of `PiaContext`, or "table.NAME", to a reference such as "pia.purpose, configs/x.yaml:31". `date` is a fact
    of the run (ISO 8601, UTC), never the clock of the machine that renders.
    """

    engine: str | None = None
    seed_recorded: bool | None = None
    spec_digest: str | None = None
    input_digests: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    job: str | None = None
    commit: str | None = None
    date: str | None = None


@dataclass(slots=True, frozen=True)
class AssessmentFacts:
    """Everything a technical report or a privacy impact assessment says about one set.

    `gates` and `approval` are None where they are not known, as on a server that only sees documents. `signers` are the
    roles that have to sign, `statements` is the digest of what they sign (`statements.digest`).
    """

    set_name: str
    tables: tuple[TableFacts, ...]
    context: PiaContext = PiaContext()
    language: Language = "en"
    provenance: Provenance = Provenance()
    gates: tuple[GateFacts, ...] | None = None
    approval: ApprovalFacts | None = None
    signers: tuple[str, ...] = ()
    signatures: tuple[SignatureFacts, ...] = ()
    statements: str | None = None


def control_of(*, holdout: bool, share: bool, shadow: bool) -> Control | None:
    """Whom the attacks on a table are compared with: of what a run has, what it prefers."""
    if holdout:
        return "holdout"
    return "share" if share else "shadow" if shadow else None


def row_bucket(rows: int | None) -> str:
    """The bucket a row count is shown as; the lower bound belongs to the bucket."""
    if rows is None:
        return UNKNOWN_BUCKET
    bounds = (100, 1_000, 10_000, 100_000, 1_000_000)
    return BUCKETS[sum(rows >= bound for bound in bounds)]


def pia_context(pia_metadata: Mapping[str, str] | None, **free: str | None) -> PiaContext:
    """The context that an AvatarMetadata document states (`datarecipient`, `data_type`, …), with free fields."""
    said = pia_metadata or {}
    return PiaContext(
        data_recipient=said.get("datarecipient") or "unknown",
        data_type=said.get("data_type") or "unknown",
        data_subject=said.get("datasubject") or "unknown",
        sensitivity_level=said.get("sensitivity_level") or "Undefined",
        **free,
    )


def metric_facts(
    values: Mapping[str, object],
    *,
    intervals: Mapping[str, tuple[float | None, float | None]] | None = None,
    targets: Mapping[str, object] | None = None,
    scope: str = "standalone",
    columns: Mapping[str, str] | None = None,
    reference: str | None = None,
) -> tuple[MetricValue, ...]:
    """The metrics of one block, in natural units, as facts; ready for `TableFacts.metrics`.

    `values` may be a whole result block: only names of the catalogue, and names that have a target, are read. None and
    NaN mean not measured, which is a fact where there is a target; a metric that only informs is then left out, and so
    is the inference of a number where a category is inferred, or the other way round. An older name is dropped when the
    newer one of the same metric has a value. A target may be a string ("> 90", "90") or a number; without an operator
    the direction of the catalogue is used.
    """
    wanted = {canonical_name(name): target for name, target in (targets or {}).items()}
    ends = {canonical_name(name): interval for name, interval in (intervals or {}).items()}
    worst = {canonical_name(name): column for name, column in (columns or {}).items()}
    found: dict[str, MetricValue] = {}
    for raw, value in sorted(values.items(), key=lambda item: item[0] != canonical_name(item[0])):
        name = canonical_name(raw)
        is_told = name in found and (found[name].value is not None or value is None)
        if is_told or not _is_figure(value) or not (in_catalogue(name) or name in wanted):
            continue
        if value is None and name not in wanted and default_target(name, "unknown") is None:
            continue
        if value is None and values.get(OTHER_KIND.get(name, "")) is not None:
            continue
        low, high = ends.get(name, (None, None))
        found[name] = MetricValue(
            name,
            _number(value),
            _number(low),
            _number(high),
            target_text(wanted[name], higher_is_better=is_higher_better(name))
            if wanted.get(name) is not None
            else None,
            scope,
            worst.get(name),
            reference,
        )
    return tuple(found.values())


def of_rows(metrics: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    """The metrics of a table whose rows are not people: that rows come back equal says nothing about anybody there."""
    return tuple(
        replace(metric, target=None, informs=True) if metric.name == "row_direct_match_protection" else metric
        for metric in metrics
    )


def of_promise(metrics: Iterable[MetricValue]) -> tuple[MetricValue, ...]:
    """The metrics of a table with a promise of differential privacy: what they say of privacy only informs."""
    return tuple(
        metric if metric.family is Family.UTILITY else replace(metric, target=None, informs=True) for metric in metrics
    )


def parameter_facts(record: Mapping[str, Any]) -> dict[str, Scalar]:
    """A parameter record of the platform, flat, with everything left out that could hold a value of the data.

    A strategy that names modalities becomes "by_modality"; a text outside `PARAMETER_WORDS` becomes "set". Processors
    are counted by kind, a perturbation with its level for each column. Other lists are not parameters here: say columns
    in `excluded`, `known_variables`, ….
    """
    facts: dict[str, Scalar] = {}
    for name, value in record.items():
        if name == PROCESSORS and isinstance(value, list):
            facts.update(_processors(value))
        if name == "exclude_variables" or value is None or isinstance(value, list | tuple):
            continue
        if name == "augmentation_strategy" and isinstance(value, Mapping):
            facts[name] = "by_modality"
        elif isinstance(value, Mapping):
            facts.update({f"{name}.{inner}": fact for inner, fact in parameter_facts(value).items()})
        elif isinstance(value, bool | int | float):
            facts[name] = value
        elif isinstance(value, str):
            facts[name] = _word(value)
    return facts


def _processors(records: Sequence[object]) -> dict[str, Scalar]:
    facts: dict[str, Scalar] = {}
    for record in records:
        if not isinstance(record, Mapping):
            continue
        said: Mapping[str, Any] = record
        kind = said.get("kind") or ("relative_difference" if "target" in said else "inter_record_range_difference")
        if kind in PROCESSOR_KINDS:
            name = f"processors.{kind}"
            facts[name] = int(facts.get(name, 0)) + 1
        levels = said.get("perturbation_level")
        for column, level in (levels if isinstance(levels, Mapping) else {}).items():
            if isinstance(level, int | float) and not isinstance(level, bool):
                facts[f"processors.perturbation.{column}"] = level
    return facts


def _file_part(name: str) -> str:
    """A name as part of a file name; one that had to be altered keeps apart from others by its digest."""
    part = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:60]
    return part if part == name else f"{part}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _word(value: str) -> Scalar:
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    return value if value in PARAMETER_WORDS else "set"


def _is_figure(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
