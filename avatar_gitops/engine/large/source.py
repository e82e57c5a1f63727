"""A CSV or Parquet file as pieces of equal columns, never as a whole, and how many rows and columns it has.

The types of a CSV are those that `engine.tables` finds: the first type, in Arrow's order, that all values of a column
have. A stream commits itself at its first block, so a later value that does not fit moves its column on to the next
type and reading begins again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv

from avatar_gitops.csv_ending import tail_of
from avatar_gitops.engine.buffers import UNFIT
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.plain_types import fitted, plain_field
from avatar_gitops.engine.tables import (
    HEAD,
    PARQUET_MAGIC,
    PARSED_TEXT,
    check_names,
    csv_dialect,
    names_not_text,
    not_text,
    refuse_compressed,
    refuse_open,
    text_types,
    unreadable,
)
from avatar_gitops.errors import EngineError

_BLOCK: Final = 1 << 20
_LARGEST_BLOCK: Final = 1 << 26  # of bytes of text; a row may be longer than the usual block
_ROWS: Final = 1 << 16  # of a piece of Parquet
_SCANNED: Final = 1 << 24
_ORDER: Final[tuple[pa.DataType, ...]] = (
    pa.null(),
    pa.int64(),
    pa.bool_(),
    pa.date32(),
    pa.time32("s"),
    pa.timestamp("s"),
    pa.timestamp("ns"),
    pa.timestamp("s", "UTC"),
    pa.timestamp("ns", "UTC"),
    pa.float64(),
    PARSED_TEXT,
)
_COLUMN: Final = re.compile(r"In CSV column #(\d+)")


class Retyped(Exception):
    """A value did not fit: reading begins again with `source`."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source


@dataclass(slots=True, frozen=True)
class Source:
    """A file that can be read in pieces again and again; `schema` are its columns, text as a dictionary."""

    path: Path
    schema: pa.Schema
    is_parquet: bool
    block: int

    def pieces(self) -> Iterator[pa.Table]:
        """Tables of some rows each, together all rows in their order.

        Raises:
            Retyped: a column of the CSV is of another type than its first values.
            EngineError: the file cannot be read.
        """
        try:
            yield from self._parquet() if self.is_parquet else self._csv()
        except (*UNFIT, OSError) as error:
            again = None if self.is_parquet else self._again(str(error))
        else:
            return
        if again is None:
            raise unreadable()
        raise Retyped(again)

    def rows_at_most(self) -> int:
        """The number of rows of a Parquet file; of a CSV its number of lines, which quoted line ends make larger."""
        if self.is_parquet:
            import pyarrow.parquet as pq

            return int(pq.ParquetFile(self.path).metadata.num_rows)
        lines = 0
        with self.path.open("rb") as file:
            while part := file.read(_SCANNED):
                lines += int((np.frombuffer(part, dtype=np.uint8) == ord("\n")).sum())
        return lines

    def _csv(self) -> Iterator[pa.Table]:
        types = {field.name: field.type for field in self.schema}
        last = self.schema.empty_table()
        for batch in _open_csv(self.path, types, self.block):
            if batch.num_rows:
                last = pa.Table.from_batches([batch])
                yield last
        refuse_open(last, partial(tail_of, self.path))

    def _parquet(self) -> Iterator[pa.Table]:
        import pyarrow.parquet as pq

        coded = [field.name for field in self.schema if pa.types.is_dictionary(field.type)]
        file = pq.ParquetFile(self.path, read_dictionary=coded, pre_buffer=False)
        for batch in file.iter_batches(_ROWS):
            yield fitted(pa.Table.from_batches([batch]), self.schema)

    def _again(self, error: str) -> Self | None:
        """How to read instead, after Arrow's complaint; None when there is no other way."""
        found = _COLUMN.match(error)
        if found is None:
            return replace(self, block=_LARGEST_BLOCK) if self.block < _LARGEST_BLOCK else None
        column = int(found.group(1))
        field = self.schema.field(column)
        if field.type == PARSED_TEXT:
            raise not_text(field.name)
        wider = _ORDER[_ORDER.index(field.type) + 1]
        return replace(self, schema=self.schema.set(column, field.with_type(wider)))


def settle(source: Source) -> tuple[Source, int]:
    """The file with the types that all its values have, and its number of rows."""
    while True:
        try:
            if source.is_parquet:
                return source, source.rows_at_most()
            return source, sum(piece.num_rows for piece in source.pieces())
        except Retyped as again:
            source = again.source


def open_source(path: Path | str, types: Mapping[str, ColumnType] | None = None) -> Source:
    """Look at the beginning of a table; `types` are the declared types, as for `engine.tables.read_table`.

    Raises EngineError when it is no table that can be read in pieces.
    """
    path = Path(path)
    with path.open("rb") as file:
        magic = file.read(len(PARQUET_MAGIC))
    if not magic:
        raise EngineError("The table is empty: it has no header.", hint="Give a CSV or Parquet file with a header.")
    try:
        if magic == PARQUET_MAGIC:
            import pyarrow.parquet as pq

            schema, is_parquet = pq.ParquetFile(path).schema_arrow, True
        else:
            refuse_compressed(magic)
            schema, is_parquet = _csv_schema(path, text_types(types or {})), False
        schema = pa.schema([_coded(plain_field(field)) for field in schema])
    except UnicodeDecodeError:
        raise names_not_text() from None
    except (*UNFIT, OSError):
        raise unreadable() from None
    check_names(schema.names)
    return Source(path, schema, is_parquet, _BLOCK)


def _csv_schema(path: Path, types: Mapping[str, pa.DataType]) -> pa.Schema:
    try:
        reader = _open_csv(path, types, _BLOCK)
    except pa.ArrowInvalid:
        reader = _open_csv(path, types, _LARGEST_BLOCK)
    with reader:
        return reader.schema


def _open_csv(path: Path, types: Mapping[str, pa.DataType], block: int) -> pcsv.CSVStreamingReader:
    with path.open("rb") as file:
        parsing, converting = csv_dialect(file.read(HEAD), types)
    return pcsv.open_csv(path, pcsv.ReadOptions(block_size=block), parsing, converting)


def _coded(field: pa.Field) -> pa.Field:
    """Text is read as a dictionary of each piece."""
    if pa.types.is_dictionary(field.type):
        if pa.types.is_binary(field.type.value_type):
            raise not_text(field.name)
        return field
    is_text = pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    return field.with_type(PARSED_TEXT) if is_text else field
