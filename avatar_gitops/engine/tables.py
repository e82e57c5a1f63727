"""Tables in and out: CSV and Parquet, read by content into columns and written with stable bytes.

Text becomes a dictionary of its distinct values (`CODED_TEXT`) as long as these are few: a row then takes two bytes,
and its place in the dictionary is its code. On the way out it is plain text again, so that files keep their types.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from avatar_gitops.csv_ending import HINT as CLOSE
from avatar_gitops.csv_ending import MESSAGE as OPEN
from avatar_gitops.csv_ending import ends_open
from avatar_gitops.engine.buffers import UNFIT, cast_or_none, null_mask, to_arrow, to_numpy
from avatar_gitops.engine.columns import one_array
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.plain_types import plain_column, plain_type
from avatar_gitops.errors import EngineError

Format = Literal["csv", "parquet"]

MOST_CODES: Final = 1 << 16
CODED_TEXT: Final = pa.dictionary(pa.uint16(), pa.string())  # no other program writes 16 unsigned bits: it is ours
PARSED_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
DECODED_BYTES: Final = 64 << 30
HEAD: Final = 1 << 16  # bytes in which the header of a CSV is looked for

PARQUET_MAGIC: Final = b"PAR1"
_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip"}
_PHYSICAL_BYTES: Final = {"BOOLEAN": 1, "INT64": 8, "DOUBLE": 8, "INT96": 12}
_BOM: Final = b"\xef\xbb\xbf"
_DELIMITERS: Final = (",", ";", "\t", "|")
_BLOCK: Final = 1 << 20
_LARGEST_BLOCK: Final = 1 << 30
_ROWS_AT_ONCE: Final = 50_000


def read_table(
    source: Path | str | bytes, types: Mapping[str, ColumnType] | None = None, most_bytes: int = DECODED_BYTES
) -> pa.Table:
    """A CSV or Parquet table; Parquet is recognised by its first bytes, everything else is CSV.

    CSV is UTF-8 with or without a byte order mark; its delimiter is the one of `, ; tab |` that the header uses. Empty
    fields and the usual markers (NA, NaN, NULL) are missing; ISO 8601 text becomes a datetime. `types` are the declared
    types: a column declared as a category is read as text, so that `007` stays `007`. Every column is one chunk.

    Raises EngineError when the table cannot be read, or would take more than `most_bytes` of memory once unpacked.
    """
    data = pa.py_buffer(source) if isinstance(source, bytes) else pa.memory_map(str(source)).read_buffer()
    if data.size == 0:
        raise EngineError("The table is empty: it has no header.", hint="Give a CSV or Parquet file with a header.")
    try:
        magic = data.slice(0, min(data.size, 4)).to_pybytes()
        if magic == PARQUET_MAGIC:
            table = _read_parquet(data, most_bytes)
        else:
            refuse_compressed(magic)
            table = _read_csv(data, types or {})
    except UnicodeDecodeError:
        raise names_not_text() from None
    except (*UNFIT, OSError):
        raise unreadable() from None
    check_names(table.column_names)
    return table


def write_table(table: pa.Table, path: Path | str, format: Format = "csv") -> None:
    """Write a table; the same table always gives the same bytes, whatever the number of processors."""
    if format == "parquet":
        import pyarrow.parquet as pq

        pq.write_table(spelt_out(table), str(path), compression="zstd")
        return
    with Path(path).open("wb") as file:
        write_lines(table, file)


def write_lines(table: pa.Table, file: BinaryIO, *, header: bool = True) -> None:
    """Append rows to a CSV."""
    starts = range(0, max(1, table.num_rows), _ROWS_AT_ONCE)
    with ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1)) as pool:
        for part in pool.map(
            lambda start: _lines(table.slice(start, _ROWS_AT_ONCE), header=header and start == 0), starts
        ):
            file.write(part)


def spelt_out(table: pa.Table) -> pa.Table:
    """The table as Parquet holds it: our coded text is plain text there."""
    text = [_plain(column) if column.type == CODED_TEXT else column for column in table.columns]
    return pa.table(text, names=table.column_names)


def csv_dialect(head: bytes, types: Mapping[str, pa.DataType]) -> tuple[pcsv.ParseOptions, pcsv.ConvertOptions]:
    """How a CSV with this beginning is read; columns without a type get the first one that all their values have."""
    delimiter, width = sniff_header(head)
    return (
        # an empty line is a missing value when there is one column only
        pcsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=width > 1),
        pcsv.ConvertOptions(
            strings_can_be_null=True,
            column_types=dict(types),
            auto_dict_encode=True,
            auto_dict_max_cardinality=MOST_CODES,
        ),
    )


def text_types(types: Mapping[str, ColumnType]) -> dict[str, pa.DataType]:
    """Columns declared as categories are read as text."""
    return {name: PARSED_TEXT for name, kind in types.items() if kind is ColumnType.CATEGORY}


def _read_csv(data: pa.Buffer, types: Mapping[str, ColumnType]) -> pa.Table:
    parsing, converting = csv_dialect(data.slice(0, min(data.size, HEAD)).to_pybytes(), text_types(types))

    def parse(block: int) -> pa.Table:
        reading = pcsv.ReadOptions(block_size=block)
        return pcsv.read_csv(pa.BufferReader(data), reading, parsing, converting)

    try:
        table = parse(_BLOCK)
    except pa.ArrowInvalid:
        if data.size <= _BLOCK:
            raise
        table = parse(min(data.size + 1, _LARGEST_BLOCK))  # a row may be longer than a block
    for name, kind in ((field.name, field.type) for field in table.schema):
        if pa.types.is_binary(kind.value_type if pa.types.is_dictionary(kind) else kind):
            raise not_text(name)
    refuse_open(table, lambda size: data.slice(max(0, data.size - size)).to_pybytes())
    columns = [
        coded(column, pa.string(), DECODED_BYTES) if pa.types.is_dictionary(column.type) else _one(column)
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)


def _read_parquet(data: pa.Buffer, most_bytes: int) -> pa.Table:
    """Text is read as a dictionary, so that a long text that many rows share is not unpacked for each of them."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(pa.BufferReader(data))
    if _told_bytes(file.metadata) > most_bytes:
        raise _too_large(most_bytes)
    kinds = {field.name: plain_type(field.type) for field in file.schema_arrow if _is_bytes(field.type)}
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=sorted(kinds))
    parts = [file.schema_arrow.empty_table()]
    for group in range(file.metadata.num_row_groups):
        parts.append(file.read_row_group(group))
        if sum(part.nbytes for part in parts) > most_bytes:
            raise _too_large(most_bytes)
    table = pa.concat_tables(parts)
    left = most_bytes
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        array = coded(column, kinds[name], left) if name in kinds else _one(plain_column(column))
        left -= array.nbytes
        columns.append(array)
    return pa.Table.from_arrays(columns, names=table.column_names)


def _told_bytes(metadata: Any) -> int:
    """Memory of the columns by what the file says of itself: pages as they are, and room for every value."""
    total = 0
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            width = metadata.schema.column(index).length or _PHYSICAL_BYTES.get(chunk.physical_type, 4)
            total += max(chunk.total_uncompressed_size, width * chunk.num_values)
    return total


def _is_bytes(kind: pa.DataType) -> bool:
    is_ = pa.types
    text = is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind)
    return bool(text or is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_binary_view(kind))


def _too_large(most_bytes: int) -> EngineError:
    return EngineError(
        f"The table would take more than {max(1, most_bytes >> 20)} MiB of memory once unpacked, the limit here.",
        hint="Give fewer rows or columns, or raise the limit.",
    )


def not_text(name: str) -> EngineError:
    """What a column says whose bytes are no text."""
    return EngineError(f"Column {name!r} is not UTF-8 text.", hint="Save the file as UTF-8.")


def names_not_text() -> EngineError:
    """What a file says whose column names are no text."""
    return EngineError("The column names are not UTF-8 text.", hint="Save the file as UTF-8.")


def unreadable() -> EngineError:
    """What a file says that is no table."""
    return EngineError(
        "The table cannot be read: it is neither valid Parquet nor a CSV whose rows all have the header's columns.",
        hint="Check the delimiter, the quotes and the number of fields of each line.",
    )


def refuse_open(last: pa.Table, tail: Callable[[int], bytes]) -> None:
    """Raises EngineError when a CSV, whose last rows these are and `tail` the last bytes, ends in an open quotation."""
    if not last.num_rows:
        return
    kind = last.schema.types[-1]
    is_text = pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    cell = last.columns[-1][-1].as_py() if is_text else None
    if ends_open(None if cell is None else cell.encode(), tail):
        raise EngineError(f"The table cannot be read: {OPEN}.", hint=f"{CLOSE[0].upper()}{CLOSE[1:]}.")


def refuse_compressed(magic: bytes) -> None:
    """Raises EngineError when a file begins like a compressed one."""
    for start, name in _COMPRESSED.items():
        if magic.startswith(start):
            raise EngineError(
                f"The table is a {name} file, which is not unpacked here.",
                hint="Unpack it, or write it as Parquet, which is compressed itself.",
            )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return one_array(column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column)


def coded(column: pa.ChunkedArray, kind: pa.DataType, most_bytes: int) -> pa.Array:
    """Text with its distinct values in ascending order, so that codes do not depend on the order of rows.

    Other bytes, and text with many distinct values, are spelt out as `kind`.
    """
    array = _one(column)
    places = np.where(null_mask(array.indices), 0, to_numpy(array.indices))
    if len(array.dictionary) > MOST_CODES or kind != pa.string():
        lengths = np.append(np.diff(_offsets(array.dictionary)), 0)
        if int(lengths[places].sum()) > most_bytes:
            raise _too_large(most_bytes)
        return array.cast(array.type.value_type).cast(kind)
    order = to_numpy(pc.sort_indices(array.dictionary)).astype(np.int64)
    rank = np.zeros(len(order) + 1, dtype=np.uint16)
    rank[order] = np.arange(len(order), dtype=np.uint16)
    indices = to_arrow(rank[places], null_mask(array.indices))
    return pa.DictionaryArray.from_arrays(indices, array.dictionary.take(to_arrow(order)))


def _offsets(text: pa.Array) -> npt.NDArray[Any]:
    """Where each text starts in its buffer, and where the last one ends."""
    wide = pa.types.is_large_string(text.type) or pa.types.is_large_binary(text.type)
    buffer = text.buffers()[1]
    assert buffer is not None
    return np.frombuffer(buffer, dtype=np.int64 if wide else np.int32)[text.offset : text.offset + len(text) + 1]


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


def check_names(names: Sequence[str]) -> None:
    """Raises EngineError when two columns have one name."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EngineError(
            f"Column {twice[0]!r} appears more than once.", hint="Give each column of the table its own name."
        )


def _lines(table: pa.Table, *, header: bool) -> pa.Buffer:
    """Rows as CSV, which has no words for dictionaries and some other types."""
    plain = pa.table([_plain(column) for column in table.columns], names=table.column_names)
    sink = pa.BufferOutputStream()
    try:
        pcsv.write_csv(plain, sink, pcsv.WriteOptions(include_header=header, quoting_style="needed"))
    except UNFIT:
        raise _no_lines(plain) from None
    return sink.getvalue()


def _no_lines(table: pa.Table) -> EngineError:
    """What a table says that no CSV can hold: lists, or bytes that are no text."""
    unfit = [field.name for field in table.schema if cast_or_none(table[field.name], pa.string()) is None]
    which = f"Column {unfit[0]!r}" if unfit else "The table"
    return EngineError(
        f"{which} has values that no CSV can hold.", hint="Drop them, or let the results be written as Parquet."
    )


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        return column.cast(column.type.value_type)
    if pa.types.is_null(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.string())
    return column.cast(pa.int64()) if pa.types.is_duration(column.type) else column
