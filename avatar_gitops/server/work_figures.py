"""Figures of the `standard` job into files: one Vega-Lite document each, and the list of what they show.

Clients see the name of the page of a figure, which `server.results` writes from the document when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from avatar_gitops.assessment import FigureFacts
from avatar_gitops.assessment.facts import Language
from avatar_gitops.engine.figures.model import Figure, PlotKind
from avatar_gitops.server.assignment import Assignment, ResultFile
from avatar_gitops.server.naming import figure_files, page_of
from avatar_gitops.server.printed_figures import printed
from avatar_gitops.server.result_json import read_json, write_json
from avatar_gitops.wire.models import JobKind, ResultKind

METADATA: Final = "figures_metadata.json"
REPORTED: Final = (
    PlotKind.PROJECTION_2D,
    PlotKind.CONTRIBUTION,
    PlotKind.CORRELATION,
    PlotKind.CORRELATION_DIFFERENCE,
    PlotKind.RAW_SERIES,
    PlotKind.NORMALIZED_SERIES,
)
MOST_OF_A_KIND: Final = 6  # figures of one kind in a report, for tables with many series
SUBJECT: Final = "subject"


def write_figures(drawn: Sequence[tuple[str, Sequence[Figure]]], folder: Path) -> list[ResultFile]:
    """Files of the figures of each table, and their list; nothing at all when nothing was drawn."""
    files, listed = [], []
    for table, figures in drawn:
        kinds = [figure.kind.value for figure in figures]
        for name, figure in zip(figure_files(table, kinds), figures, strict=True):
            content = {**figure.spec, "usermeta": {SUBJECT: figure.subject}}
            text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
            (folder / name).write_text(text, encoding="utf-8")
            files.append(ResultFile(ResultKind.FIGURES, name))
            listed.append({"kind": figure.kind.value, "filename": page_of(name), "table_name": table})
    if not files:
        return []
    write_json(folder / METADATA, listed)
    return [*files, ResultFile(ResultKind.FIGURES_METADATA, METADATA)]


def report_figures(assignment: Assignment, table: str, language: Language) -> tuple[FigureFacts, ...]:
    """Pictures of a table for a report in that language; none when the `standard` job drew no figures."""
    stored = {file.filename: file.path for file in assignment.results_of(JobKind.STANDARD, ResultKind.FIGURES)}
    return tuple(
        _pictured(kind, read_json(path), language) for kind in REPORTED for path in _of_kind(stored, table, kind)
    )


def _of_kind(stored: Mapping[str, Path], table: str, kind: PlotKind) -> Iterator[Path]:
    """The documents of one kind of figure of a table, in their order."""
    alone = figure_files(table, [kind.value])
    several = figure_files(table, [kind.value] * MOST_OF_A_KIND)
    yield from (stored[name] for name in (*alone, *several) if name in stored)


def _pictured(kind: PlotKind, spec: Mapping[str, Any], language: Language) -> FigureFacts:
    subject = (spec.get("usermeta") or {}).get(SUBJECT, "")
    return FigureFacts(kind.value, printed(kind, spec, language), subject)
