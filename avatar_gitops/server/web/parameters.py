"""Parameters of a run as readable tables, from its documents alone; what could be a value of the data is only counted.

Modalities, public categories and replacement values are data: a page says that they are set, never what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.assessment.facts import parameter_facts
from avatar_gitops.server.methods import method_of, parameters_of
from avatar_gitops.server.sets import SetDocuments
from avatar_gitops.server.web.pages import plural
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.models import ORIGINAL_SCHEMA

METHOD_WORDS: Final[Mapping[str, str]] = {
    "avatar": "avatar",
    "open_dp": "differential privacy (open_dp)",
    "fast_dp": "differential privacy (fast_dp)",
    "none": "none: only measured",
}
SHOWN_ELSEWHERE: Final = frozenset({"column_weights", "exclude_variables", "known_variables", "groups", "target"})


@dataclass(slots=True, frozen=True)
class Setting:
    """One parameter by the platform's name."""

    name: str
    value: str


@dataclass(slots=True, frozen=True)
class ColumnLine:
    """What is said of one column."""

    name: str
    type: str
    roles: tuple[str, ...]
    weight: str


@dataclass(slots=True, frozen=True)
class TableSettings:
    """Everything that the documents say of one table, in groups of settings, and of its columns."""

    name: str
    about: str
    groups: Mapping[str, tuple[Setting, ...]]
    columns: tuple[ColumnLine, ...]


def run_settings(documents: SetDocuments) -> tuple[Setting, ...]:
    """What holds for the whole run."""
    found: list[Setting] = []
    for document in documents.of_kind(DocumentKind.PARAMETERS)[:1]:
        spec = wire.ParametersSpec.model_validate(document.spec)
        found.append(Setting("seed", _written(spec.seed) if spec.seed is not None else "drawn at the start"))
        results = spec.results.to_plain() if spec.results else {}
        found += _settings({name: results[name] for name in ("format", "max_distribution_plots") if name in results})
        if spec.compute_figures is not None:
            found.append(Setting("compute_figures", _written(spec.compute_figures)))
    for document in documents.of_kind(DocumentKind.REPORT):
        report = wire.ReportSpec.model_validate(document.spec)
        form = "docx" if report.report_type == "pia" else report.output_format
        found.append(Setting(document.metadata.name, f"{report.report_type}, {form}, {report.language}"))
    pia = documents.pia()
    names = ("datarecipient", "data_type", "datasubject", "sensitivity_level")
    return (*found, *(Setting(name, str(getattr(pia, name))) for name in names))


def table_settings(documents: SetDocuments) -> tuple[TableSettings, ...]:
    """What is said of each table, in the order of the schema."""
    schema = documents.schema(ORIGINAL_SCHEMA) or next(iter(_schemas(documents)), None)
    return tuple(_table(documents, table) for table in schema.tables) if schema else ()


def _schemas(documents: SetDocuments) -> Iterator[wire.SchemaSpec]:
    for document in documents.of_kind(DocumentKind.SCHEMA):
        yield wire.SchemaSpec.model_validate(document.spec)


def _table(documents: SetDocuments, table: wire.Table) -> TableSettings:
    groups: dict[str, tuple[Setting, ...]] = {}
    method, record = method_of(documents, table.name)
    head = [Setting("method", METHOD_WORDS[method])]
    excluded: tuple[str, ...] = ()
    weights: Mapping[str, Any] = {}
    if record is not None:
        excluded = tuple(record.exclude_variables.variable_names) if record.exclude_variables else ()
        weights = record.column_weights or {}
        if record.exclude_variables is not None:
            head.append(Setting("replacement_strategy", record.exclude_variables.replacement_strategy or "row_order"))
    groups["Anonymization"] = (*head, *_settings(parameters_of(documents, table.name)))
    for title, kind, field in (
        ("Privacy metrics", DocumentKind.PRIVACY_METRICS, "privacy_metrics"),
        ("Utility metrics", DocumentKind.SIGNAL_METRICS, "signal_metrics"),
    ):
        if said := _measured(documents, table.name, kind, field):
            groups[title] = said
    links = tuple(
        Setting(f"{link.field} → {link.to.table}.{link.to.field}", link.method or "linear_sum_assignment")
        for link in table.links or ()
    )
    if links:
        groups["Links to other tables"] = links
    about = "one row per person" if table.individual_level is not False else "several rows per person"
    return TableSettings(table.name, about, groups, _columns(table, excluded, weights))


def _measured(documents: SetDocuments, table: str, kind: DocumentKind, field: str) -> tuple[Setting, ...]:
    for document in documents.of_kind(kind):
        records: Mapping[str, wire.MetricsRecord] = getattr(wire.MetricsSpec.model_validate(document.spec), field) or {}
        if table not in records:
            continue
        record = records[table]
        named = {
            "known_variables": ", ".join(record.known_variables or ()),
            "target": record.target or "",
            "groups": ", ".join(record.groups or ()),
        }
        found = [Setting(name, text) for name, text in named.items() if text]
        return (*found, *_settings(record.to_plain()))
    return ()


def _settings(record: Mapping[str, Any]) -> tuple[Setting, ...]:
    """A record flat; texts that are no words of the platform are only said to be set."""
    kept = {name: value for name, value in record.items() if name not in SHOWN_ELSEWHERE}
    return tuple(Setting(name, _written(value)) for name, value in parameter_facts(kept).items())


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _columns(table: wire.Table, excluded: tuple[str, ...], weights: Mapping[str, Any]) -> tuple[ColumnLine, ...]:
    """The columns of which something is said: by the schema, or by the parameters only."""
    said = {column.field: column for column in table.columns or ()}
    names = dict.fromkeys((*said, *excluded, *weights))
    return tuple(
        ColumnLine(
            name,
            (said[name].type if name in said else None) or "",
            tuple(_roles(said.get(name), name in excluded)),
            _written(weights[name]) if name in weights else "",
        )
        for name in names
    )


def _roles(column: wire.Column | None, excluded: bool) -> Iterator[str]:
    if column is not None:
        words = {
            "primary_key": column.primary_key,
            "identifier": column.identifier,
            "time of a series": column.time_series_time,
            "dropped": column.drop,
        }
        yield from (word for word, holds in words.items() if holds)
        if column.pseudonymization:
            yield f"pseudonymized ({_settings({'kind': column.pseudonymization.get('kind')})[0].value})"
        public = column.public
        if public is not None and public.categories is not None:
            yield f"public: {plural(len(public.categories), 'category', 'categories')}"
        elif public is not None:
            yield "public bounds"
    if excluded:
        yield "excluded"
