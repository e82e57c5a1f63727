"""Tables above the memory of a run (`AVATAR_MEMORY_MIB`): from file to file, measured on a sample, or refused.

A table alone that is anonymized with k goes through `engine.large`. Tables with links or series hang together, and a
private release has one budget for all its rows: neither can be made in batches, so these are refused before anything
runs. Metrics and advice ask as many random people as fit (`server.work_sample`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from avatar_gitops.engine.large.limits import needed_memory, needs_all_rows
from avatar_gitops.engine.large.run import Output, avatarize_file
from avatar_gitops.engine.large.source import Source, open_source
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, declared_types
from avatar_gitops.engine.tables import Format
from avatar_gitops.server.assignment import Assignment, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.limits import run_limits
from avatar_gitops.server.made import Made
from avatar_gitops.server.naming import table_file
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import ResultKind

FIGURE_ROWS: Final = 50_000  # that are drawn


def large_source(path: Path, columns: Sequence[ColumnSpec], ncp: int | None = None) -> Source | None:
    """The file of a table that does not fit into the memory of a run; None when it fits."""
    source = open_source(path, declared_types(columns))
    most = run_limits().memory
    return None if most is None or needed_memory(source, columns, ncp) <= most else source


def refuse_large(assignment: Assignment, tables: Sequence[tuple[wire.Table, Sequence[ColumnSpec]]], what: str) -> None:
    """Refuse tables that are needed together and do not fit into the memory of a run.

    Raises:
        JobFault: names the largest and says what it is needed whole for.
    """
    needed = {}
    for table, columns in tables:
        path = assignment.input_file(table.name, table.data.file if table.data else None)
        types = declared_types(columns)
        needed[table.name] = needed_memory(open_source(path, types), columns, None)
    most = run_limits().memory
    if most is not None and sum(needed.values()) > most:
        error = needs_all_rows(what)
        largest = max(needed, key=lambda name: needed[name])
        raise JobFault(f"Table {largest!r}: {error.message} {error.hint}")


def anonymize_large(
    source: Source,
    what: tuple[str, Sequence[ColumnSpec], AvatarParams],
    where: tuple[Path, Format],
    seed: int,
    tell: Callable[[float], None],
) -> Made:
    """The result files of a table (name, columns, parameters) in a folder and format; in memory only a sample."""
    name, columns, params = what
    folder, extension = where
    files = {
        kind: table_file(name, part, extension)
        for kind, part in (
            (ResultKind.UNSHUFFLED, "unshuffled"),
            (ResultKind.SHUFFLED, "shuffled"),
            (ResultKind.ORIGINAL_PROJECTIONS, "projections.original"),
            (ResultKind.AVATAR_PROJECTIONS, "projections.avatars"),
        )
    }
    unshuffled, shuffled, originals, avatars = (folder / filename for filename in files.values())
    output = Output(unshuffled, shuffled, originals, avatars, folder, extension, FIGURE_ROWS, tell)
    made = avatarize_file(source, columns, params, (seed, name), run_limits(), output)
    written = tuple(ResultFile(kind, filename) for kind, filename in files.items())
    return Made(name, made.original, columns, made.avatars, extension, written=written)


def no_share(table: str, record: wire.MethodRecord | None) -> None:
    """Refuse to keep a share of a large table apart.

    Raises:
        JobFault: the record asks for it.
    """
    if record is not None and record.holdout_share is not None:
        error = needs_all_rows("holdout_share")
        raise JobFault(f"Table {table!r}: {error.message} Give a holdout file instead.")
