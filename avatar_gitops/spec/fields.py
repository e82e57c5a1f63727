"""The one table of the fields of a run spec: what runs again when a field changes, and which way that moves privacy.

Stage digests, field changes, tail of the job graph and the order of a plan all follow from it. A model field without a
row fails a test. Paths are those of the resolved spec (`spec.canonical.resolved`); `*` stands for any name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, Final

from avatar_gitops.spec import directions, pulls
from avatar_gitops.spec.directions import Direction, Privacy
from avatar_gitops.spec.models import Job

__all__ = [
    "Consequence",
    "Privacy",
    "Row",
    "consequence",
    "direction",
    "leaves",
    "row",
    "rows",
    "stage_content",
    "words",
]

FieldPath = tuple[str | int, ...]


class Consequence(StrEnum):
    """What a change of a field makes run again, from most to least."""

    RERUN_ALL = "rerun_all"
    RERUN_METRICS = "rerun_metrics"
    RERUN_REPORTS = "rerun_reports"
    METADATA = "metadata"


STAGE: Final[Mapping[Job, Consequence]] = {
    Job.STANDARD: Consequence.RERUN_ALL,
    Job.PRIVACY_METRICS: Consequence.RERUN_METRICS,
    Job.SIGNAL_METRICS: Consequence.RERUN_METRICS,
    Job.REPORT: Consequence.RERUN_REPORTS,
    Job.REPORT_PIA: Consequence.RERUN_REPORTS,
}
"""Stage of the job graph that each job belongs to."""

SEVERITY: Final = tuple(Consequence)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known about one field. `label` names it for people; `words` say weaker and stronger for this field.

    `default` is what an absent field means; a field that says its default is the same as one that says nothing. A
    `whole` row stands for a group of fields that appears or disappears at once; inside, each field has its own row.
    """

    pattern: tuple[str, ...]
    label: str
    consequence: Consequence
    direction: Direction
    default: Any = None
    words: tuple[str, str] = ("weaker", "stronger")
    whole: bool = False


ALL: Final = Consequence.RERUN_ALL
METRICS: Final = Consequence.RERUN_METRICS
REPORTS: Final = Consequence.RERUN_REPORTS
OURS: Final = Consequence.METADATA

_TABLE: Final = "spec.tables.*"
_COLUMN: Final = f"{_TABLE}.columns.*"
_METHOD: Final = f"{_TABLE}.avatarization"
_TESTS: Final = ("easier test", "harder test")
_GATES: Final = ("easier gate", "harder gate")


def _row(path: str, label: str, consequence: Consequence, direction: Direction, **more: Any) -> Row:
    return Row(tuple(path.split(".")), label, consequence, direction, **more)


def _identity() -> Iterator[Row]:
    yield _row("apiVersion", "format version", OURS, directions.neutral)
    yield _row("kind", "kind of document", OURS, directions.neutral)
    yield _row("metadata.name", "set name", OURS, directions.neutral)
    yield _row("metadata.owner", "owner", OURS, directions.neutral)
    yield _row("metadata.description", "description", OURS, directions.neutral)
    yield _row("metadata.labels.*", "label", OURS, directions.neutral)
    yield _row("spec.from_", "start", OURS, directions.neutral)
    yield _row("spec.matrix.*", "matrix", OURS, directions.neutral)
    yield _row("spec.seed", "seed", ALL, directions.unknown)
    yield _row("spec.jobs", "jobs", OURS, directions.jobs, default=[job.value for job in Job])
    yield _row("spec.gates.*", "gate", OURS, directions.gate, words=_GATES)


def _sources() -> Iterator[Row]:
    yield _row(_TABLE, "table", ALL, directions.release_grows, whole=True, words=("enters the release", "leaves it"))
    for name in ("uri", "format", "digest", "options.*"):
        yield _row(f"{_TABLE}.sample.{name}", "sample for previews", OURS, directions.neutral)
    for key, label in (("source", "data"), ("avatars", "avatars file")):
        yield _row(f"{_TABLE}.{key}.uri", f"{label}", ALL, directions.unknown)
        yield _row(f"{_TABLE}.{key}.format", f"{label} format", ALL, directions.unknown)
        yield _row(f"{_TABLE}.{key}.digest", f"{label} digest", OURS, directions.neutral)
        yield _row(f"{_TABLE}.{key}.options.*", f"{label} store option", ALL, directions.unknown)
    for name in ("uri", "format", "options.*"):
        yield _row(f"{_TABLE}.holdout.{name}", "holdout", ALL, directions.removal_is_weaker, words=_TESTS)
    yield _row(f"{_TABLE}.holdout.digest", "holdout digest", OURS, directions.neutral)
    yield _row(f"{_TABLE}.links", "links to child tables", ALL, directions.links)
    yield from _series(f"{_TABLE}.time_series")
    yield _row(f"{_TABLE}.individual_level", "one row is one person", ALL, directions.unknown, default=True)


def _series(at: str) -> Iterator[Row]:
    yield _row(f"{at}.projection.projection_type", "projection of series", ALL, directions.unknown)
    yield _row(f"{at}.projection.nf", "scores of a series", ALL, directions.higher_is_weaker)
    yield _row(f"{at}.alignment.nb_points", "points of the grid of series", ALL, directions.unknown)
    yield _row(f"{at}.alignment.method", "alignment of series", ALL, directions.unknown)
    yield _row(f"{at}.unalignment", "un-alignment of series", ALL, directions.unalignment)
    excluded = f"{at}.exclude_variables"
    yield _row(excluded, "excluded columns of series", ALL, directions.addition_is_weaker, whole=True)
    yield _row(f"{excluded}.variable_names", "excluded columns of series", ALL, directions.more_names_is_weaker)
    yield _row(f"{excluded}.replacement_strategy", "their return", ALL, directions.replacement_strategy)


def _columns() -> Iterator[Row]:
    yield _row(f"{_COLUMN}.type", "column type", ALL, directions.unknown)
    yield _row(f"{_COLUMN}.tag", "column tag", OURS, directions.removal_is_weaker)
    yield _row(f"{_COLUMN}.value_type", "value type", ALL, directions.unknown)
    for name in ("primary_key", "identifier", "time_series_time"):
        yield _row(f"{_COLUMN}.{name}", name.replace("_", " "), ALL, directions.unknown, default=False)
    words = ("enters the release", "leaves it")
    yield _row(f"{_COLUMN}.drop", "dropped column", ALL, directions.switched_off_is_weaker, default=False, words=words)
    yield from _pseudonymization(f"{_COLUMN}.pseudonymization")
    for name, label in (
        ("lower", "public lower bound"),
        ("upper", "public upper bound"),
        ("categories", "public list"),
    ):
        yield _row(f"{_COLUMN}.public.{name}", label, ALL, directions.unknown)
    yield _row(f"{_COLUMN}.public.complete", "publicly complete", ALL, directions.unknown, default=False)


def _pseudonymization(at: str) -> Iterator[Row]:
    yield _row(at, "pseudonymization", ALL, directions.removal_is_weaker, whole=True)
    yield _row(f"{at}.kind", "pseudonymization kind", ALL, directions.pseudonymization_kind)
    yield _row(f"{at}.pii_type", "kind of substitute", ALL, directions.unknown)
    yield _row(f"{at}.consistent", "same substitute for same value", ALL, directions.unknown, default=True)
    yield _row(f"{at}.high_variability", "high variability", ALL, directions.unknown, default=False)
    yield _row(f"{at}.locale", "locale of substitutes", ALL, directions.neutral)
    yield _row(f"{at}.key", "key of the hash", ALL, directions.removal_is_weaker)
    yield _row(f"{at}.value", "constant", ALL, directions.unknown)
    yield _row(f"{at}.pattern", "pattern", ALL, directions.unknown)
    yield _row(f"{at}.letter_case", "letter case", ALL, directions.unknown, default="both")


def _geometry(at: str, consequence: Consequence, otherwise: Direction) -> Iterator[Row]:
    """Rows of the fields that anonymization and metrics share; only in the first do they change what is released."""
    released = consequence is ALL
    yield _row(f"{at}.ncp", "dimensions", consequence, otherwise)
    yield _row(f"{at}.use_categorical_reduction", "categorical reduction", consequence, otherwise)
    yield _row(f"{at}.transform_skewed", "power scale of skewed numbers", consequence, otherwise)
    yield _row(f"{at}.column_weights.*", "column weight", consequence, otherwise)
    excluded = f"{at}.exclude_variables"
    whole = directions.addition_is_weaker if released else otherwise
    names = directions.more_names_is_weaker if released else otherwise
    strategy = directions.replacement_strategy if released else otherwise
    yield _row(excluded, "excluded columns", consequence, whole, whole=True)
    yield _row(f"{excluded}.variable_names", "excluded columns", consequence, names)
    yield _row(f"{excluded}.replacement_strategy", "return of excluded columns", consequence, strategy)
    for name, default in (("method", None), ("k", None), ("training_fraction", None), ("return_data_imputed", False)):
        yield _row(f"{at}.imputation.{name}", f"imputation {name}", consequence, otherwise, default=default)


def _method() -> Iterator[Row]:
    yield _row(f"{_TABLE}.processors", "processors around it", ALL, pulls.processors)
    yield _row(_METHOD, "anonymization", ALL, directions.unknown, whole=True)
    yield from _geometry(_METHOD, ALL, directions.unknown)
    yield _row(f"{_METHOD}.k", "neighbours k", ALL, directions.lower_is_weaker)
    yield _row(f"{_METHOD}.generation", "generation", ALL, directions.generation, default="barycentre")
    grown = f"{_METHOD}.data_augmentation"
    yield _row(grown, "augmentation", ALL, directions.augmentation, whole=True)
    yield _row(f"{grown}.augmentation_strategy", "augmentation strategy", ALL, directions.unknown)
    yield _row(f"{grown}.target_column", "augmentation target", ALL, directions.unknown)
    name = f"{grown}.should_anonymize_original_table"
    yield _row(name, "originals anonymized too", ALL, directions.switched_off_is_weaker, default=True)
    yield _row(f"{_METHOD}.avatarization_processors_parameters", "processors", ALL, directions.unknown)
    yield _row(f"{_METHOD}.holdout_share", "share kept apart", ALL, directions.removal_is_weaker, words=_TESTS)
    for kind in ("open_dp", "fast_dp"):
        yield from _budget(f"{_METHOD}.{kind}")
    yield _row(f"{_METHOD}.open_dp.bins", "bins of numbers", ALL, directions.unknown)
    yield _row(f"{_METHOD}.fast_dp.mechanism", "mechanism", ALL, directions.unknown, default="gaussian")
    for name in ("gmm_n_components", "histogram_n_bins", "bounds_percentile"):
        yield _row(f"{_METHOD}.fast_dp.{name}", name.replace("_", " "), ALL, directions.unknown)


def _budget(at: str) -> Iterator[Row]:
    yield _row(f"{at}.epsilon", "privacy budget epsilon", ALL, directions.higher_is_weaker)
    yield _row(f"{at}.delta", "privacy budget delta", ALL, directions.higher_is_weaker)
    yield _row(f"{at}.preprocess_budget_ratio", "budget for preprocessing", ALL, directions.unknown)
    yield _row(f"{at}.unit.column", "column that names the person", ALL, directions.unknown)
    yield _row(f"{at}.unit.max_rows", "rows of a person", ALL, directions.lower_is_weaker, default=1)
    yield _row(f"{at}.rows", "public number of rows", ALL, directions.unknown)


def _metrics() -> Iterator[Row]:
    privacy = f"{_TABLE}.privacy_metrics"
    yield from _geometry(privacy, METRICS, directions.unknown)
    yield _row(
        f"{privacy}.known_variables", "known variables", METRICS, directions.more_names_is_stronger, words=_TESTS
    )
    yield _row(f"{privacy}.target", "target", METRICS, directions.removal_is_weaker, words=_TESTS)
    yield _row(f"{privacy}.quantile_threshold", "quantile threshold", METRICS, directions.unknown)
    shadow = f"{privacy}.shadow_run"
    yield _row(shadow, "shadow run", METRICS, directions.switched_off_is_weaker, words=_TESTS)
    yield _row(f"{privacy}.groups", "compared groups", METRICS, directions.more_names_is_stronger, words=_TESTS)
    yield from _geometry(f"{_TABLE}.signal_metrics", METRICS, directions.neutral)
    yield _row(f"{_TABLE}.signal_metrics.target", "target of a model", METRICS, directions.neutral)


def _documents() -> Iterator[Row]:
    for name in ("purpose", "controller", "legal_basis"):
        yield _row(f"spec.pia.{name}", name.replace("_", " "), OURS, directions.neutral)
    yield _row("spec.pia.retention", "retention", OURS, directions.unknown)
    yield _row("spec.pia.data_recipient", "recipient", METRICS, directions.recipient, default="unknown")
    yield _row("spec.pia.data_type", "data type", REPORTS, directions.unknown, default="unknown")
    yield _row("spec.pia.data_subject", "data subjects", REPORTS, directions.unknown, default="unknown")
    yield _row("spec.pia.sensitivity_level", "sensitivity", REPORTS, directions.sensitivity, default="Undefined")
    yield _row("spec.pia.language", "language", REPORTS, directions.neutral, default="en")
    yield _row("spec.results.format", "result format", ALL, directions.neutral)
    yield _row("spec.results.report_format", "report format", REPORTS, directions.neutral, default="pdf")
    yield _row("spec.results.compute_figures", "figures", ALL, directions.unknown, default=True)
    yield _row("spec.results.max_distribution_plots", "distribution plots", ALL, directions.unknown)
    yield _row("spec.results.name_template", "result names", ALL, directions.neutral)
    yield _row("spec.lifecycle.protect", "protection", OURS, directions.neutral, default=False)
    yield _row("spec.lifecycle.keep_versions", "versions kept", OURS, directions.neutral, default=1)
    words = ("kept longer", "deleted earlier")
    yield _row("spec.lifecycle.delete_after", "day of deletion", OURS, directions.later_is_weaker, words=words)


def _inputs() -> Iterator[Row]:
    """Facts about the data files; not fields of a spec, compared and shown the same way."""
    words = ("enters the release", "leaves it")
    yield _row("inputs.*.digest", "data", ALL, directions.unknown)
    yield _row("inputs.*.columns", "columns of the data", ALL, directions.more_names_is_weaker, words=words)
    yield _row("inputs.*.rows", "rows of the data", ALL, directions.unknown)


@cache
def rows() -> tuple[Row, ...]:
    """The whole table."""
    groups: tuple[Callable[[], Iterator[Row]], ...] = (
        _identity, _sources, _columns, _method, _metrics, _documents, _inputs,
    )  # fmt: skip
    return tuple(row for group in groups for row in group())


@cache
def _by_length() -> Mapping[int, tuple[Row, ...]]:
    table: dict[int, list[Row]] = {}
    for item in rows():
        table.setdefault(len(item.pattern), []).append(item)
    return {length: tuple(items) for length, items in table.items()}


@lru_cache(maxsize=65536)
def row(path: FieldPath) -> Row | None:
    """The row of exactly this field, None for a group of fields that has no row of its own."""
    for item in _by_length().get(len(path), ()):
        if all(want in ("*", have) for want, have in zip(item.pattern, path, strict=True)):
            return item
    return None


def consequence(path: FieldPath, before: Any, after: Any) -> Consequence:
    """What runs again when this field changes so; a field that nobody knows makes everything run again."""
    if path == ("spec", "jobs"):
        added = [STAGE[Job(name)] for name in after or () if name not in (before or ())]
        return min(added, key=SEVERITY.index, default=Consequence.METADATA)
    found = row(path)
    return found.consequence if found else Consequence.RERUN_ALL


def direction(path: FieldPath, before: Any, after: Any) -> Privacy:
    """Which way privacy moves when this field changes so; a field that nobody knows is unknown, never neutral."""
    found = row(path)
    return found.direction(before, after) if found else Privacy.UNKNOWN


def words(path: FieldPath, privacy: Privacy) -> str:
    """How a direction is said for this field, such as `harder test`; empty when there is nothing to say."""
    found = row(path)
    weaker, stronger = found.words if found else ("weaker", "stronger")
    return {Privacy.WEAKER: weaker, Privacy.STRONGER: stronger, Privacy.UNKNOWN: "unknown", Privacy.NEUTRAL: ""}[
        privacy
    ]


def leaves(value: Any, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Fields of a resolved spec with their values; a field that says no more than its default is left out."""
    found: list[tuple[FieldPath, Any]] = []
    _collect(value, path, found)
    return iter(found)


def _collect(value: Any, path: FieldPath, found: list[tuple[FieldPath, Any]]) -> None:
    of = row(path)
    if (of is None or of.whole) and isinstance(value, Mapping):
        for key, inner in value.items():
            _collect(inner, (*path, key), found)
    elif of is None or value != of.default:
        found.append((path, value))


def stage_contents(resolved: Mapping[str, Any]) -> Mapping[Consequence, list[Any]]:
    """What each stage of the job graph depends on, as plain data in a fixed order."""
    stages: dict[Consequence, list[Any]] = {stage: [] for stage in Consequence}
    for path, value in leaves(resolved):
        if path != ("spec", "jobs"):
            stages[consequence(path, None, value)].append([list(path), value])
    for content in stages.values():
        content.sort(key=lambda item: [str(part) for part in item[0]])
    return stages


def stage_content(resolved: Mapping[str, Any], stage: Consequence) -> list[Any]:
    """What one stage of the job graph depends on."""
    return stage_contents(resolved)[stage]
