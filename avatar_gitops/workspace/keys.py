"""Key columns of data files, read as streams: how many rows have a key, share one, or name none; no value leaves here.

Values are compared as the engine compares them: missing markers are no value, columns of whole numbers are numbers
(`007` is `7`) unless they are declared as categories, everything else is text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from avatar_gitops.plan.keys import KeyFacts, Kind
from avatar_gitops.plan.link_advice import KeyCheck
from avatar_gitops.workspace.inputs import PARQUET_MAGIC, InputUnreadable, csv_rows, read_shape

MOST_VALUES: Final = 2_000_000
BATCH_ROWS: Final = 65_536
WHOLE: Final = re.compile(r"\s*[-+]?\d+(\.0*)?\s*\Z")
NUMBER: Final = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\Z")
MISSING: Final = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "N/A", "NA", "NULL",
        "NaN", "n/a", "nan", "null",
    }
)  # fmt: skip


@dataclass(slots=True)
class KeyColumn:
    """The values of one column and how often each is there; `counts` is None after more than `MOST_VALUES` of them."""

    counts: Counter[str] | None = field(default_factory=Counter, repr=False)
    rows: int = field(default=0, repr=False)
    empty: int = field(default=0, repr=False)
    kind: Kind = Kind.TEXT

    def facts(self) -> KeyFacts:
        """The column in numbers."""
        repeated = sum(count for count in self.counts.values() if count > 1) if self.counts is not None else 0
        return KeyFacts(self.kind, self.rows, self.empty, repeated, known=self.counts is not None)

    def add(self, value: str | None) -> None:
        """One more row."""
        self.rows += 1
        if value is None or value in MISSING:
            self.empty += 1
        elif self.counts is not None:
            self.counts[value] += 1
            if len(self.counts) > MOST_VALUES:
                self.counts = None

    def close(self, *, as_text: bool) -> None:
        """Settle what the values are, once all rows are there."""
        if self.counts is None or as_text or not all(NUMBER.match(value) for value in self.counts):
            return
        if not all(WHOLE.match(value) for value in self.counts):
            self.kind = Kind.OTHER_NUMBERS
            return
        self.kind = Kind.WHOLE_NUMBERS
        whole: Counter[str] = Counter()
        for value, count in self.counts.items():
            whole[str(int(value.partition(".")[0]))] += count
        self.counts = whole


def read_keys(path: Path, wanted: Callable[[str], bool], texts: Collection[str] = ()) -> dict[str, KeyColumn]:
    """The columns of a CSV or Parquet file whose names are wanted; `texts` are declared as categories.

    None of a file whose header may be a row of data. Raises InputUnreadable.
    """
    shape = read_shape(path, max_rows=1)
    names = [] if shape.looks_like_data else [name for name in shape.columns if wanted(name)]
    found = {name: KeyColumn() for name in names}
    if found:
        with path.open("rb") as stream:
            parquet = stream.read(len(PARQUET_MAGIC)) == PARQUET_MAGIC
        texts = {*texts, *(_text_columns(path) if parquet else ())}
        for row in (_parquet if parquet else _csv)(path, names):
            for column, value in zip(found.values(), row, strict=False):
                column.add(value)
    for name, column in found.items():
        column.close(as_text=name in texts)
    return found


def check_keys(parent: KeyColumn | None, child: KeyColumn | None) -> KeyCheck | None:
    """Whether each key of a child is one row of its parent; None when that cannot be known."""
    if parent is None or child is None or parent.counts is None or child.counts is None:
        return None
    return KeyCheck(
        without_key=parent.empty,
        repeated=parent.facts().repeated,
        orphans=sum(count for value, count in child.counts.items() if value not in parent.counts),
        without_parent=child.empty,
        several=any(count > 1 for count in child.counts.values()),
    )


def _csv(path: Path, names: list[str]) -> Iterator[list[str | None]]:
    with csv_rows(path) as rows:
        header = next(rows)
        places = [header.index(name) for name in names]
        for row in rows:
            if row:
                yield [row[place] if place < len(row) else None for place in places]


def _parquet(path: Path, names: list[str]) -> Iterator[Iterable[str | None]]:
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=names):
            columns = [batch.column(name).to_pylist() for name in names]
            for row in zip(*columns, strict=True):
                yield map(_as_text, row)
    except Exception as error:  # pyarrow raises many types, and their texts may quote data
        raise InputUnreadable(f"the file cannot be read as Parquet ({type(error).__name__})") from None


def _text_columns(path: Path) -> Iterator[str]:
    """Columns that a Parquet file itself declares as text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for column in pq.read_schema(path):
        inner = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(inner) or pa.types.is_large_string(inner):
            yield column.name


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)
