"""What the `standard` job made of one table, however it was anonymized, and the files that this becomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.figures.model import Figure
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.run import Avatars
from avatar_gitops.engine.tables import PARQUET_MAGIC, Format, write_table
from avatar_gitops.server.assignment import ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.naming import table_file
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import ResultKind


@dataclass(slots=True, frozen=True)
class Made:
    """One anonymized table: its originals as they were read, what is said of their columns, and its avatars.

    `figures` are those of a table whose rows do not face each other; None when they are drawn from both sides.
    `written` are the files of a table that was too large for memory; what stands here is then a sample of its rows.
    """

    name: str
    original: pa.Table
    columns: Sequence[ColumnSpec]
    avatars: Avatars
    extension: Format
    class_column: str | None = None
    figures: tuple[Figure, ...] | None = None
    written: tuple[ResultFile, ...] = ()


def write_made(made: Made, folder: Path) -> list[ResultFile]:
    """The deliverable, its row-aligned form and both projections; whose avatars further ones are, for the metrics."""
    if made.written:
        return list(made.written)
    avatars = made.avatars
    written = {
        ResultKind.SHUFFLED: ("shuffled", avatars.shuffled),
        ResultKind.UNSHUFFLED: ("unshuffled", avatars.unshuffled),
        ResultKind.ORIGINAL_PROJECTIONS: ("projections.original", avatars.original_projection),
        ResultKind.AVATAR_PROJECTIONS: ("projections.avatars", avatars.avatar_projection),
    }
    if avatars.origins is not None:
        written[ResultKind.ORIGINS] = ("origins", pa.table({"origin": to_arrow(avatars.origins)}))
    files = []
    for kind, (name, content) in written.items():
        filename = table_file(made.name, name, made.extension)
        write_table(content, folder / filename, made.extension)
        files.append(ResultFile(kind, filename))
    return files


def run_facts(made: Sequence[Made]) -> dict[str, Any]:
    """What the metadata of a run say about its tables: what is sensitive about them, and warnings."""
    return {
        "tables": {
            item.name: {"sensitive": list(item.avatars.facts.sensitive), "warnings": list(item.avatars.facts.warnings)}
            for item in made
        }
    }


def output_format(results: wire.Results | None, source: Path) -> Format:
    """The wanted format, or that of the input, told by its first bytes."""
    if results is not None and results.format is not None:
        if results.format not in {"csv", "parquet"}:
            raise JobFault(f"Results cannot be written as {results.format!r}; use csv or parquet.")
        return "parquet" if results.format == "parquet" else "csv"
    with source.open("rb") as file:
        return "parquet" if file.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC else "csv"
