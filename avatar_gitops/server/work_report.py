"""The two report jobs: facts from the documents and the metrics of the set into a technical report or an assessment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from avatar_gitops.assessment import (
    AssessmentFacts,
    FigureFacts,
    MetricValue,
    PiaContext,
    Provenance,
    TableFacts,
    metric_facts,
    parameter_facts,
    pia_context,
    render,
    report_view,
)
from avatar_gitops.assessment.column_distances import column_distances
from avatar_gitops.assessment.facts import (
    BUCKETS,
    PARAMETER_WORDS,
    UNKNOWN_BUCKET,
    Language,
    control_of,
    of_promise,
    of_rows,
)
from avatar_gitops.assessment.guarantee import GUARANTEE, guarantee_facts
from avatar_gitops.engine.links.views import Computation
from avatar_gitops.server.assignment import Assignment, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.methods import method_of, parameters_of, standard
from avatar_gitops.server.offered import ENGINE
from avatar_gitops.server.result_json import read_json
from avatar_gitops.server.sets import SetDocuments
from avatar_gitops.server.work_figures import report_figures
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.environment import KEY, parsed
from avatar_gitops.wire.metrics import from_score, target_from_score
from avatar_gitops.wire.models import ORIGINAL_SCHEMA, JobKind, ResultKind
from avatar_gitops.wire.stated import STATED_FIELDS, stated

Block = dict[str, Any]

MEASURED: Final = (
    (JobKind.PRIVACY_METRICS, ResultKind.PRIVACY_METRICS),
    (JobKind.SIGNAL_METRICS, ResultKind.SIGNAL_METRICS),
)
DIGEST_LIKE: Final = re.compile(r"[A-Za-z0-9:._-]{1,100}")


def run_report(assignment: Assignment, folder: Path) -> list[ResultFile]:
    """`report.pdf` or `report.docx`, or `report.pia.docx` for an impact assessment."""
    spec = wire.ReportSpec.model_validate(assignment.parameters.spec)
    is_pia = spec.report_type == "pia"
    facts = report_facts(assignment, spec.language, pictures=not is_pia)
    filename = "report.pia.docx" if is_pia else f"report.{spec.output_format}"
    view = report_view("pia" if is_pia else "technical", facts)
    (folder / filename).write_bytes(render(view, "docx" if is_pia else spec.output_format))
    return [ResultFile(ResultKind.REPORT, filename)]


def report_facts(assignment: Assignment, language: Language, *, pictures: bool = False) -> AssessmentFacts:
    """What the documents and the metrics of a set say, in natural units; with `pictures` also the figures to print.

    Raises:
        JobFault: one of the two metrics jobs has no results.
    """
    for kind, result in MEASURED:
        if not assignment.results_of(kind, result):
            raise JobFault(f"A report needs the results of the {kind.value} job; run it first.")
    return AssessmentFacts(
        set_name=assignment.display_name,
        tables=measured_tables(
            assignment.documents,
            [read_json(file.path) for kind, result in MEASURED for file in assignment.results_of(kind, result)],
            lambda table: report_figures(assignment, table, language) if pictures else (),
        ),
        context=_context(assignment.documents),
        language=language,
        provenance=_provenance(assignment),
    )


def measured_tables(
    documents: SetDocuments, blocks: Iterable[Block], pictures: Callable[[str], tuple[FigureFacts, ...]] = lambda _: ()
) -> tuple[TableFacts, ...]:
    """The tables that these entries of metrics jobs are about, with what was measured of them so far."""
    found: dict[str, list[Block]] = {}  # a table may have several entries, one for each computation type
    for block in blocks:
        found.setdefault(block["metadata"]["table_name"], []).append(block)
    return tuple(_table(documents, name, entries, pictures(name)) for name, entries in found.items())


def _annotations(documents: SetDocuments) -> Mapping[str, str]:
    """What the reconciler wrote beside the documents; nothing in sets of other clients."""
    metadata = documents.of_kind(DocumentKind.METADATA)
    return (metadata[0].annotations if metadata else None) or {}


def _context(documents: SetDocuments) -> PiaContext:
    """The processing in the words of the documents and, where a spec made them, of the spec."""
    said = stated(_annotations(documents))
    return pia_context(documents.pia().to_plain(), **{field: getattr(said, field) for field in STATED_FIELDS})


def _provenance(assignment: Assignment) -> Provenance:
    """Where the run comes from: what the platform knows, and what the reconciler wrote beside the documents."""
    annotations = _annotations(assignment.documents)
    spec, said = standard(assignment.documents), stated(annotations)
    known = {name: text for name, text in annotations.items() if DIGEST_LIKE.fullmatch(text)}
    day, _, moment = assignment.created_at.partition("T")
    return Provenance(
        engine=ENGINE,
        seed_recorded=spec is not None and spec.seed is not None,
        spec_digest=known.get("avatar-gitops/spec-digest"),
        commit=known.get("avatar-gitops/commit"),
        input_digests={name: text for name, text in said.input_digests.items() if DIGEST_LIKE.fullmatch(text)},
        versions=_versions(assignment),
        sources=said.sources,
        job=assignment.name,
        date=f"{day} {moment[:5]} UTC",
    )


def _versions(assignment: Assignment) -> Mapping[str, str]:
    """Interpreter and libraries that made the avatars, as their job wrote them down; none for a set that measures."""
    for file in assignment.results_of(JobKind.STANDARD, ResultKind.RUN_METADATA):
        said = parsed(read_json(file.path).get(KEY))
        if said:
            return {"python": said["python"], **said["libraries"]}
    return {}


def _table(documents: SetDocuments, name: str, blocks: Sequence[Block], figures: tuple[FigureFacts, ...]) -> TableFacts:
    method, record = method_of(documents, name)
    excluded = record.exclude_variables if record is not None else None
    table = _original(documents, name)
    columns = table.columns or []
    judged = _privacy_record(documents, name)
    abouts = [block["metadata"] for block in blocks]
    about = abouts[0]
    found = [metric for block in blocks for metric in _metrics(block)]
    measured = tuple(found) if table.individual_level is not False else of_rows(found)
    promised = guarantee_facts(about.get(GUARANTEE))
    return TableFacts(
        name=name,
        rows=_rows(about.get("rows", UNKNOWN_BUCKET)),
        columns=about.get("columns"),
        individual_level=table.individual_level is not False,
        method=method,
        parameters=parameter_facts(parameters_of(documents, name)),
        links={link.to.table: _word(link.method or "linear_sum_assignment") for link in table.links or ()},
        dropped=tuple(column.field for column in columns if column.drop),
        pseudonymized={c.field: _word(c.pseudonymization.get("kind")) for c in columns if c.pseudonymization},
        excluded=tuple(excluded.variable_names) if excluded else (),
        replacement_strategy=_word(excluded.replacement_strategy or "row_order") if excluded else None,
        direct_identifiers=stated(_annotations(documents)).direct_identifiers.get(name, ()),
        guarantee=promised,
        known_variables=tuple(judged.known_variables or ()),
        inference_target=judged.target,
        control=control_of(
            holdout=table.holdout_data is not None,
            share=getattr(record, "holdout_share", None) is not None,
            shadow=bool(judged.shadow_run),
        ),
        groups=tuple(judged.groups or ()),
        metrics=of_promise(measured) if promised is not None else measured,
        column_hellinger=column_distances(
            about for about in abouts if about["computation_type"] == Computation.STANDALONE
        ),
        figures=figures,
    )


def _rows(bucket: str) -> str:
    """The engine's buckets go further up than the documents' do."""
    return bucket if bucket in (*BUCKETS, UNKNOWN_BUCKET) else BUCKETS[-1]


def _word(text: object) -> str:
    """A word of the platform as it is; what could be a value of the data is "set"."""
    return text if isinstance(text, str) and text in PARAMETER_WORDS else "set"


def _metrics(block: Block) -> tuple[MetricValue, ...]:
    """The metrics of one entry, back in natural units."""
    about = block["metadata"]
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
    targets = {name: target_from_score(name, target) for name, target in block.get("targets", {}).items()}
    scope, reference = about["computation_type"], about.get("reference")
    return metric_facts(values, intervals=intervals, targets=targets, scope=scope, reference=reference)


def _original(documents: SetDocuments, table: str) -> wire.Table:
    spec = standard(documents)
    schema = documents.schema(spec.schema_ if spec is not None else ORIGINAL_SCHEMA)
    found = [item for item in schema.tables if item.name == table] if schema is not None else []
    return found[0] if found else wire.Table(name=table)


def _privacy_record(documents: SetDocuments, table: str) -> wire.MetricsRecord:
    for document in documents.of_kind(DocumentKind.PRIVACY_METRICS):
        records = wire.MetricsSpec.model_validate(document.spec).privacy_metrics or {}
        if table in records:
            return records[table]
    return wire.MetricsRecord()
