"""What may be known about an input table without holding a value of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

REMOTE_SCHEMES: Final = ("s3", "gs", "az", "https")
DATA_LIKE: Final = re.compile(
    r"\s*[-+]?(\d+[.,]\d*|[.,]\d+)([eE][-+]?\d+)?\s*\Z|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\S+@\S+\.\S+\Z"
)
INTEGER: Final = re.compile(r"\s*[-+]?\d+\s*\Z")
YEAR: Final = re.compile(r"(1[89]|20|21)\d\d\Z")


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

    @property
    def looks_like_data(self) -> bool:
        """Whether the header may be a row of data, so that no text may quote it: numbers, dates, addresses, blanks.

        Years, running numbers and a blank name of the first column (an index) are ordinary headers. A name of several
        lines may hold rows: a quotation mark that is not closed in the header takes in what follows.
        """
        numbers = [name.strip() for name in self.columns if INTEGER.match(name)]
        running = [str(number) for number in range(len(self.columns) + 1)]
        if numbers and numbers not in (running[:-1], running[1:]) and not all(map(YEAR.match, numbers)):
            return True
        if any(DATA_LIKE.match(name) or len(name.splitlines()) > 1 for name in self.columns):
            return True
        return not all(map(str.strip, self.columns[1:]))

    @property
    def safe_columns(self) -> tuple[str, ...]:
        """The column names, or numbered stand-ins if the header may be a row of data."""
        if not self.looks_like_data:
            return self.columns
        return tuple(f"column {number}" for number in range(1, len(self.columns) + 1))


UNKNOWN_ROWS: Final = "unknown"


def bucket(rows: int) -> str:
    """Row count as people may see it: "<100", then powers of ten such as "100-1k" and "1k-10k", ">=1G" at the end."""
    if rows < 100:
        return "<100"
    names = ("100", "1k", "10k", "100k", "1M", "10M", "100M", "1G")
    for power, (low, high) in enumerate(pairwise(names), start=3):
        if rows < 10**power:
            return f"{low}-{high}"
    return ">=1G"


def scheme(uri: str) -> str | None:
    """Scheme of a URL in lower case, None for a path."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", uri)
    return found[1].lower() if found else None
