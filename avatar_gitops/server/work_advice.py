"""The `advice` job: parameters that suit each table, in the shape that clients read."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from avatar_gitops.engine.advice import Advice, ColumnSummary, advise
from avatar_gitops.engine.links.advice import KeyedTable, LinkAdvice, advise_links
from avatar_gitops.engine.params import declared_types
from avatar_gitops.engine.tables import read_table
from avatar_gitops.server.assignment import Assignment, Progress, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.naming import escaped
from avatar_gitops.server.offered import FEATURES
from avatar_gitops.server.result_json import write_json
from avatar_gitops.server.work_avatars import column_specs
from avatar_gitops.server.work_large import large_source
from avatar_gitops.server.work_linked import links_of
from avatar_gitops.server.work_sample import sample_of
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import ResultKind

LINKS: Final = "tables_links"
ADVISORS: Final = frozenset({"parameters", "variables", LINKS})
SAMPLE: Final = "sample"
REDUCTION: Final = "use_categorical_reduction"


def run_advice(assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
    """One file for each table that has rows; tables that a database run would make have none yet."""
    spec = wire.AdviceSpec.model_validate(assignment.parameters.spec)
    wanted = {kind for kinds in (spec.advice or {}).values() for kind in kinds}
    for kind in sorted(wanted - ADVISORS):
        raise JobFault(f"This version of the platform does not offer advice on {kind}.")
    schema = assignment.documents.schema(spec.schema_)
    if schema is None:
        raise JobFault(f"The set has no schema called {spec.schema_!r}.")
    files = []
    links = None
    if LINKS in wanted:
        links = advise_links([_keys(table) for table in schema.tables], links_of(schema.tables))
    for done, table in enumerate(schema.tables):
        progress(done / len(schema.tables), "reading tables", done, len(schema.tables))
        advice = _advice(assignment, table) if wanted != {LINKS} else {}
        if links is not None:
            advice |= _link_advice(table.name, links)
        filename = f"{escaped(table.name)}.advice.json"
        write_json(folder / filename, [{"table_name": table.name, "advice": advice}])
        files.append(ResultFile(ResultKind.ADVICE, filename))
    return files


def _keys(table: wire.Table) -> KeyedTable:
    columns = table.columns or []
    primary = next((column.field for column in columns if column.primary_key), None)
    return KeyedTable(table.name, primary, tuple(column.field for column in columns if column.identifier))


def _link_advice(table: str, advice: LinkAdvice) -> dict[str, Any]:
    """Links that start from a table, and its foreign keys that lead nowhere for sure."""
    return {
        "links": [
            {
                "field": link.key,
                "to": {"table": link.child, "field": link.foreign_key},
                "method": link.method,
                "confidence": confidence,
            }
            for link, confidence in advice.links.items()
            if link.parent == table
        ],
        "unlinked_foreign_keys": [
            {"field": field, "candidate_tables": list(candidates)}
            for (child, field), candidates in advice.unlinked.items()
            if child == table
        ],
    }


def _advice(assignment: Assignment, table: wire.Table) -> dict[str, Any]:
    source = assignment.input_file(table.name, table.data.file if table.data else None)
    columns = column_specs(table)
    large = large_source(source, columns)
    if large is not None:
        settled, lot = sample_of(large, columns)
        found = advise(lot.read(settled), columns, reduction=REDUCTION in FEATURES)
        seen = f"The table is large: all figures are of {lot.size:,} random rows."
        return plain(replace(found, reasons={**found.reasons, SAMPLE: seen}))
    rows = read_table(source, declared_types(columns))
    return plain(advise(rows, columns, reduction=REDUCTION in FEATURES))


def plain(advice: Advice) -> dict[str, Any]:
    """Advice as clients read it, and, beside it, processors of ours and the reasons in words."""
    summary = {
        "stats": list(map(_stats, advice.columns)),
        "probable_ids": [column.name for column in advice.columns if column.probable_id],
    }
    if advice.k is None:
        return {"summary": summary, "reasons": dict(advice.reasons)}
    thresholds = dict(advice.groups)
    groups = [{"kind": "group_modalities", "variable_thresholds": thresholds}] if thresholds else []
    return {
        "k": advice.k,
        "ncp": advice.ncp,
        "use_categorical_reduction": advice.use_categorical_reduction,
        "imputation": None if advice.imputation is None else asdict(advice.imputation),
        "processors": groups,
        "summary": summary,
        "reasons": dict(advice.reasons),
    }


def _stats(column: ColumnSummary) -> dict[str, Any]:
    return {
        "label": column.name,
        "dtype": column.type,
        "missing_number": column.missing,
        "missing_proportion": column.missing / column.rows if column.rows else 0.0,
        "unique_number": column.unique,
        "unique_proportion": column.unique / column.rows if column.rows else 0.0,
        "mean": column.mean,
        "median": column.median,
        "standard_deviation": column.deviation,
        "mode": column.mode,
        "is_skewed": column.skewed,
        "is_rare": column.rare,
        "is_identifying": column.identifying,
    }
