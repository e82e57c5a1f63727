"""From a desired set to the documents that the platform runs: AvatarMetadata, schemas, parameters, metrics, reports.

What a spec leaves unsaid stays unsaid, so that the platform's own defaults apply; metrics settings that are not said
follow the anonymization of the same table, as the platform's own client does it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.desired import DesiredSet, TableInput, avatars_input, input_name
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.stated import stated_in
from avatar_gitops.spec import emit
from avatar_gitops.spec.models import (
    Avatarization,
    Generation,
    Geometry,
    Job,
    PrivacyMetrics,
    SignalMetrics,
    Source,
    Table,
)
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import Document, DocumentKind
from avatar_gitops.wire.models import AVATARIZED_SCHEMA, ORIGINAL_SCHEMA

STANDARD: Final = Job.STANDARD.value
INPUT_VOLUME: Final = "input"
RESULTS_VOLUME: Final = "results"
GEOMETRY: Final = ("ncp", "use_categorical_reduction", "transform_skewed", "imputation", "column_weights")
RECORDS: Final = (
    "avatarization",
    "avatarization_open_dp",
    "avatarization_fast_dp",
    Job.PRIVACY_METRICS.value,
    Job.SIGNAL_METRICS.value,
)
SERIES_KEYS: Final = {"projection": ("projection_type", "nf"), "alignment": ("nb_points", "method")}
IMPUTATION_KEYS: Final = ("method", "k", "training_fraction", "return_data_imputed")


def to_yaml(desired: DesiredSet, annotations: Mapping[str, str]) -> str:
    """The documents as the text that `PUT /resources` takes; equal arguments give equal bytes."""
    return emit.documents(_with_nulls(document.to_plain()) for document in to_documents(desired, annotations))


def to_documents(desired: DesiredSet, annotations: Mapping[str, str]) -> tuple[Document, ...]:
    """The documents of one version, in the order of the official client."""
    jobs = wanted(desired.run)
    made = [_metadata(desired, annotations), *_schemas(desired), _parameters(desired)]
    made += [make(desired) for job, make in MAKERS.items() if job in jobs]
    return tuple(document for document in made if document is not None)


def object_key(desired: DesiredSet, name: str, source: str | Source) -> str:
    """Name of an input's object: equal data have equal names, and data that changed never replace a queued job's."""
    digest = _input(desired, name).digest.partition(":")[2]
    uri = source if isinstance(source, str) else source.uri
    declared = None if isinstance(source, str) else source.format
    suffix = f".{declared.value}" if declared else PurePosixPath(uri.partition("?")[0]).suffix
    safe_suffix = suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,16}", suffix) else ""
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', name)}-{digest[:16]}{safe_suffix}"


def _input(desired: DesiredSet, name: str) -> TableInput:
    for found in desired.inputs:
        if found.table == name:
            return found
    raise AvatarGitOpsError(
        f"{desired.name}: the data file of {name} has no digest yet", hint="plan again; the file must be readable"
    )


def _document(kind: DocumentKind, name: str, spec: wire.Part) -> Document:
    return Document(kind=kind.value, metadata=wire.Name(name=name), spec=spec.to_plain())


def _metadata(desired: DesiredSet, annotations: Mapping[str, str]) -> Document:
    pia = desired.run.spec.pia
    spec = wire.MetadataSpec(
        display_name=desired.name,
        pia_metadata=wire.PiaMetadata(
            datarecipient=pia.data_recipient,
            data_type=pia.data_type,
            datasubject=pia.data_subject,
            sensitivity_level=pia.sensitivity_level,
        ),
    )
    client = {"client_type": "avatar-gitops", "client_version": __version__}
    return Document(
        kind=DocumentKind.METADATA.value,
        metadata=wire.Name(name=f"avatar-metadata-{desired.name}"),
        spec=spec.to_plain(),
        annotations={**client, **dict(sorted({**annotations, **stated_in(desired).annotation()}.items()))},
    )


def _schemas(desired: DesiredSet) -> tuple[Document, Document]:
    tables = desired.run.spec.tables
    original = [_original(desired, name, table) for name, table in tables.items()]
    avatarized = [_avatarized(desired, name, table) for name, table in tables.items()]
    return (
        _document(DocumentKind.SCHEMA, ORIGINAL_SCHEMA, wire.SchemaSpec(tables=original)),
        _document(
            DocumentKind.SCHEMA, AVATARIZED_SCHEMA, wire.SchemaSpec(tables=avatarized, schema_ref=ORIGINAL_SCHEMA)
        ),
    )


def _original(desired: DesiredSet, name: str, table: Table) -> wire.Table:
    return wire.Table(
        name=name,
        data=wire.Data(volume=INPUT_VOLUME, file=object_key(desired, name, table.source)),
        holdout_data=_holdout(desired, name, table),
        individual_level=None if table.individual_level or _has_unit(table) else False,
        columns=_columns(table),
        links=[wire.Link(**link.model_dump(mode="json")) for link in table.links] if table.links else None,
    )


def _has_unit(table: Table) -> bool:
    """Whether differential privacy knows the person by a column; then the platform asks for no parent table."""
    method = table.avatarization
    budget = (method.open_dp or method.fast_dp) if method else None
    return budget is not None and budget.unit is not None


def _avatarized(desired: DesiredSet, name: str, table: Table) -> wire.Table:
    if table.avatars is None:
        return wire.Table(name=name, avatars_data=wire.Data(auto=True))
    key = object_key(desired, avatars_input(name), table.avatars)
    return wire.Table(name=name, avatars_data=wire.Data(volume=INPUT_VOLUME, file=key))


def _holdout(desired: DesiredSet, name: str, table: Table) -> wire.Data | None:
    if table.holdout is None:
        return None
    return wire.Data(volume=INPUT_VOLUME, file=object_key(desired, input_name(name, "holdout"), table.holdout))


def _columns(table: Table) -> list[wire.Column] | None:
    """Columns about which the platform is told something; a tag is ours alone."""
    told: list[wire.Column] = []
    for field, column in table.columns.items():
        plain = column.model_dump(mode="json", exclude={"tag"}, exclude_defaults=True)
        if column.pseudonymization is not None:
            plain["pseudonymization"] = column.pseudonymization.model_dump(mode="json", exclude_none=True)
        if plain:
            told.append(wire.Column(field=field, **plain))
    return told or None


def _parameters(desired: DesiredSet) -> Document | None:
    spec = desired.run.spec
    methods: dict[str, dict[str, Any]] = {}
    for name, table in spec.tables.items():
        if table.avatarization is not None:
            where, record = _method(table.avatarization)
            methods.setdefault(where, {})[name] = _with_processors(record, table)
    if not methods:
        return None
    parameters = wire.ParametersSpec(
        schema_=ORIGINAL_SCHEMA,
        **methods,
        time_series=_series(desired),
        results=_results(desired, STANDARD),
        seed=spec.seed,
        compute_figures=None if spec.results.compute_figures else False,
    )
    return _document(DocumentKind.PARAMETERS, STANDARD, parameters)


def _method(said: Avatarization) -> tuple[str, wire.MethodRecord]:
    """The map of AvatarParameters that a table belongs to, and its record there."""
    shared = said.model_dump(mode="json", exclude_none=True, exclude={"k", "open_dp", "fast_dp", "generation"})
    if said.open_dp is not None:
        own = said.open_dp.model_dump(mode="json", exclude_none=True)
        return "avatarization_open_dp", wire.OpenDpRecord(**own, **shared)
    if said.fast_dp is not None:
        own = said.fast_dp.model_dump(mode="json", exclude_none=True)
        return "avatarization_fast_dp", wire.FastDpRecord(**own, **shared)
    drawn = None if said.generation is Generation.BARYCENTRE else said.generation.value
    return "avatarization", wire.AvatarizationRecord(k=said.k, generation=drawn, **shared)


def _with_processors(record: wire.MethodRecord, table: Table) -> wire.MethodRecord:
    """Processors of the table come before those of the platform, as they do where its client runs them."""
    if not table.processors:
        return record
    ours = [one.model_dump(mode="json", exclude_none=True) for one in table.processors]
    both = [*ours, *(record.avatarization_processors_parameters or ())]
    return record.model_copy(update={"avatarization_processors_parameters": both})


def _series(desired: DesiredSet) -> dict[str, wire.TimeSeriesRecord] | None:
    """Settings of series by table, the same in all documents; a table of series that says nothing has none."""
    said = {}
    for name, table in desired.run.spec.tables.items():
        if table.time_series is not None:
            plain = table.time_series.model_dump(mode="json", exclude_none=True)
            if told := {key: value for key, value in plain.items() if value}:
                said[name] = wire.TimeSeriesRecord.model_validate(told)
    return said or None


def _privacy(desired: DesiredSet) -> Document:
    records = _records(desired, lambda table: table.privacy_metrics)
    return _metrics(desired, DocumentKind.PRIVACY_METRICS, Job.PRIVACY_METRICS, records)


def _signal(desired: DesiredSet) -> Document:
    records = _records(desired, lambda table: table.signal_metrics)
    return _metrics(desired, DocumentKind.SIGNAL_METRICS, Job.SIGNAL_METRICS, records)


def _records(desired: DesiredSet, settings: Callable[[Table], Geometry | None]) -> dict[str, wire.MetricsRecord] | None:
    """Settings per table; what is not said follows `avatarization`, a table with nothing to say is left out."""
    records: dict[str, wire.MetricsRecord] = {}
    for name, table in desired.run.spec.tables.items():
        own = settings(table)
        said = own.model_dump(mode="json", exclude_none=True) if own is not None else {}
        followed = table.avatarization.model_dump(mode="json", exclude_none=True) if table.avatarization else {}
        merged = {key: said.get(key, followed.get(key)) for key in GEOMETRY}
        # excluded columns are in the deliverable: metrics leave out only what they are told to leave out
        merged["exclude_variables"] = said.get("exclude_variables")
        if isinstance(own, PrivacyMetrics):
            merged |= {key: said.get(key) for key in ("known_variables", "target", "quantile_threshold", "groups")}
            merged["shadow_run"] = True if own.shadow_run else None
        if isinstance(own, SignalMetrics):
            merged["target"] = said.get("target")
        if any(value is not None for value in merged.values()):
            records[name] = wire.MetricsRecord(**merged)
    return records or None


def _metrics(
    desired: DesiredSet, kind: DocumentKind, job: Job, records: dict[str, wire.MetricsRecord] | None
) -> Document:
    spec = wire.MetricsSpec(
        schema_=AVATARIZED_SCHEMA,
        avatarization_ref=STANDARD if _parameters(desired) is not None else None,
        time_series=_series(desired),
        results=_results(desired, job.value),
        seed=desired.run.spec.seed,
    )
    return _document(kind, job.value, spec.model_copy(update={job.value: records}))


def _report(desired: DesiredSet) -> Document:
    run = desired.run.spec
    report = wire.ReportSpec(
        report_type="basic",
        output_format=run.results.report_format.value,
        language=run.pia.language.value,
        results=_results(desired, Job.REPORT.value),
    )
    return _document(DocumentKind.REPORT, Job.REPORT.value, report)


def _report_pia(desired: DesiredSet) -> Document:
    report = wire.ReportSpec(
        report_type="pia",
        output_format="docx",
        language=desired.run.spec.pia.language.value,
        results=_results(desired, Job.REPORT_PIA.value),
    )
    return _document(DocumentKind.REPORT, Job.REPORT_PIA.value, report)


def _results(desired: DesiredSet, path: str) -> wire.Results:
    said = desired.run.spec.results
    return wire.Results(
        volume=RESULTS_VOLUME,
        path=path,
        format=said.format,
        name_template=said.name_template,
        max_distribution_plots=said.max_distribution_plots,
    )


def _with_nulls(document: dict[str, Any]) -> dict[str, Any]:
    """The platform's own client writes out the absent keys of `imputation` and of series; so do we."""
    for record in (document["spec"].get("time_series") or {}).values():
        for key, names in SERIES_KEYS.items():
            record[key] = {name: record.get(key, {}).get(name) for name in names}
    for where in RECORDS:
        for record in (document["spec"].get(where) or {}).values():
            if "imputation" in record:
                record["imputation"] = {key: record["imputation"].get(key) for key in IMPUTATION_KEYS}
    return document


MAKERS: Final[Mapping[Job, Callable[[DesiredSet], Document]]] = {
    Job.PRIVACY_METRICS: _privacy,
    Job.SIGNAL_METRICS: _signal,
    Job.REPORT: _report,
    Job.REPORT_PIA: _report_pia,
}
