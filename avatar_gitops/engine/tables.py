"""Tables in and out: CSV and Parquet, read by content and written with stable bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from avatar_gitops.engine.params import ColumnType
from avatar_gitops.errors import EngineError

Format = Literal["csv", "parquet"]

_PARQUET_MAGIC: Final = b"PAR1"
_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = (",", ";", "\t", "|")
_LARGEST_BLOCK: Final = 1 << 30  # types are inferred from the first block, so the block is the whole file if it can be


def read_table(source: Path | str | bytes, types: Mapping[str, ColumnType] | None = None) -> pa.Table:
    """A CSV or Parquet table; Parquet is recognised by its first bytes, everything else is CSV.

    CSV is UTF-8 with or without a byte order mark; its delimiter is the one of `, ; tab |` that the header uses. Empty
    fields and the usual markers (NA, NaN, NULL) are missing; ISO 8601 text becomes a datetime. `types` are the declared
    types: a column declared as a category is read as text, so that `007` stays `007`.
    """
    data = pa.py_buffer(source) if isinstance(source, bytes) else pa.memory_map(str(source)).read_buffer()
    if data.size == 0:
        raise EngineError("The table is empty: it has no header.", hint="Give a CSV or Parquet file with a header.")
    try:
        if data.size >= 4 and data.slice(0, 4).to_pybytes() == _PARQUET_MAGIC:
            table = pq.read_table(pa.BufferReader(data))
        else:
            table = _read_csv(data, types or {})
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
        raise EngineError(
            "The table cannot be read: it is neither valid Parquet nor a CSV whose rows all have the header's columns.",
            hint="Check the delimiter, the quotes and the number of fields of each line.",
        ) from None
    _check_names(table)
    return table


def write_table(table: pa.Table, path: Path | str, format: Format = "csv") -> None:
    """Write a table; the same table always gives the same bytes."""
    if format == "parquet":
        pq.write_table(table, str(path), compression="zstd")
        return
    pcsv.write_csv(_plain(table), str(path), pcsv.WriteOptions(quoting_style="needed"))


def _read_csv(data: pa.Buffer, types: Mapping[str, ColumnType]) -> pa.Table:
    delimiter, columns = sniff_header(data.slice(0, min(data.size, 1 << 16)).to_pybytes())
    text = {name: pa.string() for name, kind in types.items() if kind is ColumnType.CATEGORY}
    block = max(1 << 16, min(data.size + 1, _LARGEST_BLOCK))
    table = pcsv.read_csv(
        pa.BufferReader(data),
        read_options=pcsv.ReadOptions(block_size=block),
        # an empty line is a missing value when there is one column only
        parse_options=pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=columns > 1),
        convert_options=pcsv.ConvertOptions(strings_can_be_null=True, column_types=text),
    )
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_binary(column.type):
            raise EngineError(f"Column {name!r} is not UTF-8 text.", hint="Save the file as UTF-8.")
    return table


def sniff_header(head: bytes) -> tuple[str, int]:
    """The delimiter that separates the header most often, outside quotes (a comma when none does), and its columns."""
    header = head.removeprefix(_BOM).decode("utf-8", errors="replace").lstrip("\r\n")
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = False
    for sign in header:
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "\r\n":
            break
        elif not quoted and sign in counts:
            counts[sign] += 1
    delimiter = max(_DELIMITERS, key=lambda sign: counts[sign])
    return delimiter, counts[delimiter] + 1


def _check_names(table: pa.Table) -> None:
    twice = sorted({name for name in table.column_names if table.column_names.count(name) > 1})
    if twice:
        raise EngineError(
            f"Column {twice[0]!r} appears more than once.", hint="Give each column of the table its own name."
        )


def _plain(table: pa.Table) -> pa.Table:
    """The table without dictionaries and other types that CSV has no words for."""
    columns = []
    for column in table.columns:
        if pa.types.is_dictionary(column.type):
            columns.append(column.cast(column.type.value_type))
        elif pa.types.is_null(column.type):
            columns.append(column.cast(pa.string()))
        elif pa.types.is_decimal(column.type) or pa.types.is_duration(column.type):
            columns.append(column.cast(pa.string() if pa.types.is_decimal(column.type) else pa.int64()))
        else:
            columns.append(column)
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
