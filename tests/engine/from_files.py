"""A table anonymized from a file to files, as those are that do not fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from avatar_gitops.engine.large.run import Output, Sampled, avatarize_file
from avatar_gitops.engine.large.source import open_source
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    Limits,
    Space,
)
from avatar_gitops.engine.tables import Format, read_table, write_table

PARAMS = AvatarParams(10, Space(ncp=3))
ROWS = 1_500
NO_LIMITS = Limits()


def large(
    folder: Path,
    table: pa.Table,
    params: AvatarParams = PARAMS,
    columns: Sequence[ColumnSpec] = (),
    *,
    rows: int | None = 400,
    limits: Limits = NO_LIMITS,
    format: Format = "csv",
) -> tuple[Sampled, dict[str, pa.Table]]:
    """What came back, and the four files."""
    folder.mkdir(exist_ok=True)
    (folder / "scratch").mkdir()
    path = folder / f"original.{format}"
    write_table(table, path, format)
    files = {name: folder / f"{name}.{format}" for name in ("unshuffled", "shuffled", "originals", "avatars")}
    one, two, three, four = files.values()
    types = {column.name: column.type for column in columns if column.type}
    output = Output(one, two, three, four, folder / "scratch", format, sample=50)
    limits = replace(limits, rows=rows)
    made = avatarize_file(open_source(path, types), columns, params, (7, "people"), limits, output)
    assert list((folder / "scratch").iterdir()) == [], "nothing is left in the scratch folder"
    return made, {name: read_table(path) for name, path in files.items()}
