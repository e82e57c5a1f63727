"""The two report jobs: facts from the documents and the metrics of the set into a technical report or an assessment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from avatar_gitops.assessment import (
    AssessmentFacts,
    MetricValue,
    Provenance,
    TableFacts,
    metric_facts,
    parameter_facts,
    pia_context,
    pia_docx,
    technical_report,
)
from avatar_gitops.server.assignment import Assignment, EarlierFile, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.offered import ENGINE
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.metrics import HELLINGER_SCORES, PERCENT_SCORES, from_score
from avatar_gitops.wire.models import JobKind, ResultKind

OPPOSITE: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

DIGEST_LIKE: Final = re.compile(r"[A-Za-z0-9:._-]{1,100}")


def run_report(assignment: Assignment, folder: Path) -> list[ResultFile]:
    """`report.pdf` or `report.docx`, or `report.pia.docx` for an impact assessment."""
    spec = wire.ReportSpec.model_validate(assignment.parameters.spec)
    facts = _facts(assignment, spec)
    if spec.report_type == "pia":
        filename, content = "report.pia.docx", pia_docx(facts)
    else:
        filename, content = f"report.{spec.output_format}", technical_report(facts, spec.output_format)
    (folder / filename).write_bytes(content)
    return [ResultFile(ResultKind.REPORT, filename)]


def _facts(assignment: Assignment, spec: wire.ReportSpec) -> AssessmentFacts:
    entries = {
        kind: _entries(assignment, kind, result)
        for kind, result in (
            (JobKind.PRIVACY_METRICS, ResultKind.PRIVACY_METRICS),
            (JobKind.SIGNAL_METRICS, ResultKind.SIGNAL_METRICS),
        )
    }
    tables = list(entries[JobKind.PRIVACY_METRICS])
    pia = assignment.documents.pia().to_plain()
    return AssessmentFacts(
        set_name=assignment.display_name,
        tables=tuple(
            _table(assignment, name, {kind: blocks.get(name, {}) for kind, blocks in entries.items()})
            for name in tables
        ),
        context=pia_context(pia),
        language=spec.language,
        provenance=_provenance(assignment),
    )


def _provenance(assignment: Assignment) -> Provenance:
    """Where the run comes from: what the platform knows, and what the reconciler wrote beside the documents."""
    metadata = assignment.documents.of_kind(DocumentKind.METADATA)
    said = (metadata[0].annotations if metadata else None) or {}
    known = {name: text for name, text in said.items() if DIGEST_LIKE.fullmatch(text)}
    return Provenance(
        engine=ENGINE,
        seed_recorded=_standard(assignment).seed is not None,
        spec_digest=known.get("avatar-gitops/spec-digest"),
        commit=known.get("avatar-gitops/commit"),
        job=assignment.name,
        date=f"{assignment.created_at[:19]}Z",
    )


def _entries(assignment: Assignment, kind: JobKind, result: ResultKind) -> dict[str, dict[str, Any]]:
    files: list[EarlierFile] = assignment.results_of(kind, result)
    if not files:
        raise JobFault(f"A report needs the results of the {kind.value} job; run it first.")
    blocks = [json.loads(file.path.read_text(encoding="utf-8")) for file in files]
    return {block["metadata"]["table_name"]: block for block in blocks}


def _table(assignment: Assignment, name: str, blocks: Mapping[JobKind, dict[str, Any]]) -> TableFacts:
    about = blocks[JobKind.PRIVACY_METRICS].get("metadata", {})
    record = (_standard(assignment).avatarization or {}).get(name)
    settings = _privacy_record(assignment, name)
    return TableFacts(
        name=name,
        rows=about.get("rows", "unknown"),
        columns=about.get("columns"),
        method="avatar",
        parameters=parameter_facts(record.to_plain() if record is not None else {}),
        dropped=_dropped(assignment, name),
        known_variables=tuple(settings.known_variables or ()),
        inference_target=settings.target,
        metrics=tuple(metric for block in blocks.values() for metric in _metrics(block)),
    )


def _metrics(block: Mapping[str, Any]) -> tuple[MetricValue, ...]:
    """The metrics of one entry, back in natural units."""
    about = block.get("metadata", {})
    values = {
        name: from_score(name, value) if isinstance(value, int | float) else value
        for name, value in block.items()
        if name not in {"targets", "metadata"}
    }
    intervals = {
        name: (min(ends), max(ends))
        for name, pair in about.get("intervals", {}).items()
        if (ends := [from_score(name, end) for end in pair])
    }
    targets = {name: _natural_target(name, target) for name, target in block.get("targets", {}).items()}
    facts = metric_facts(values, intervals=intervals, targets=targets)
    return tuple(replace(fact, scope=about.get("computation_type", fact.scope)) for fact in facts)


def _natural_target(name: str, target: str) -> str:
    operator, _, number = target.partition(" ")
    turned = OPPOSITE[operator] if name in HELLINGER_SCORES | PERCENT_SCORES else operator
    return f"{turned} {from_score(name, float(number)):g}"


def _standard(assignment: Assignment) -> wire.ParametersSpec:
    found = assignment.documents.of_kind(DocumentKind.PARAMETERS)
    return wire.ParametersSpec.model_validate(found[0].spec if found else {"schema": "schema"})


def _privacy_record(assignment: Assignment, table: str) -> wire.MetricsRecord:
    for document in assignment.documents.of_kind(DocumentKind.PRIVACY_METRICS):
        records = wire.MetricsSpec.model_validate(document.spec).privacy_metrics or {}
        if table in records:
            return records[table]
    return wire.MetricsRecord()


def _dropped(assignment: Assignment, table: str) -> tuple[str, ...]:
    schema = assignment.documents.schema("schema")
    found = [item for item in schema.tables if item.name == table] if schema else []
    return tuple(column.field for item in found for column in item.columns or [] if column.drop)
