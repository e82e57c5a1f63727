"""What may be known about an input table without holding a value of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class InputFacts:
    """Facts about one input file that may be shown, stored and compared; `digest` is keyed if the project says so.

    `columns` is empty and `rows_bucket` is "unknown" for a source that was not opened (a URL).
    """

    table: str
    uri: str
    columns: tuple[str, ...]
    rows_bucket: str
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class Shape:
    """Header of a table, and its row count up to a limit; the count is for comparisons and never shown."""

    columns: tuple[str, ...]
    rows: int = field(repr=False)


UNKNOWN_ROWS = "unknown"


def bucket(rows: int) -> str:
    """Row count as people may see it: "<100", then powers of ten such as "100-1k" and "1k-10k", ">=1G" at the end."""
    if rows < 100:
        return "<100"
    names = ("100", "1k", "10k", "100k", "1M", "10M", "100M", "1G")
    for power, (low, high) in enumerate(pairwise(names), start=3):
        if rows < 10**power:
            return f"{low}-{high}"
    return ">=1G"
