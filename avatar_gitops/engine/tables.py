"""Tables in and out: CSV and Parquet, read by content and written with stable bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import pyarrow as pa

from avatar_gitops.engine.params import ColumnType

Format = Literal["csv", "parquet"]


def read_table(source: Path | str | bytes, types: Mapping[str, ColumnType] | None = None) -> pa.Table:
    """A CSV or Parquet table; Parquet is recognised by its first bytes, everything else is CSV.

    `types` are the declared types: a column declared as a category is read as text, so that `007` stays `007`.
    """
    raise NotImplementedError


def write_table(table: pa.Table, path: Path | str, format: Format = "csv") -> None:
    """Write a table; the same table always gives the same bytes."""
    raise NotImplementedError
