"""Columns of files in the types that the engine works with: no views, no extension types, any value may be missing."""

from __future__ import annotations

import pyarrow as pa


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type, or the one in which a view or an extension type keeps its values."""
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.binary() if pa.types.is_binary_view(kind) else kind


def plain_field(field: pa.Field) -> pa.Field:
    """The column as it is read: a file may promise that no value is missing, which says nothing about another file."""
    return pa.field(field.name, plain_type(field.type))


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in its plain type."""
    kind = plain_type(column.type)
    return column if column.type == kind else column.cast(kind)


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The same columns in the types of a schema that hold the same values."""
    if table.schema.equals(schema):
        return table
    columns = [
        column if column.type == kind else column.cast(kind)
        for column, kind in zip(table.columns, schema.types, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
