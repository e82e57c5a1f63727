"""Tables written piece by piece, as `engine.tables.write_table` writes them whole."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa

from avatar_gitops.engine.tables import Format, spelt_out, write_lines


class Writer:
    """A file that takes pieces with the same columns; the same pieces always give the same bytes."""

    def __init__(self, path: Path, format: Format) -> None:
        self._path, self._format = path, format
        self._lines: BinaryIO | None = None
        self._groups: Any = None  # pyarrow.parquet.ParquetWriter

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._lines, self._groups):
            if file is not None:
                file.close()

    def write(self, table: pa.Table) -> None:
        """Append rows."""
        if self._format == "parquet":
            import pyarrow.parquet as pq

            table = spelt_out(table)
            if self._groups is None:
                self._groups = pq.ParquetWriter(str(self._path), table.schema, compression="zstd")
            self._groups.write_table(table)
            return
        is_first = self._lines is None
        if self._lines is None:
            self._lines = self._path.open("wb")
        write_lines(table, self._lines, header=is_first)
