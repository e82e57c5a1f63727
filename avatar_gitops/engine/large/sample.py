"""Random rows of a table that does not fit into memory: the same places of several files that go together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import one_array
from avatar_gitops.engine.large.source import Source
from avatar_gitops.engine.permutation import Permutation, Rows, draw_permutation
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.tables import DECODED_BYTES, coded

FEWEST: Final = 10_000
_AT_ONCE: Final = 1 << 20


@dataclass(slots=True, frozen=True)
class Lot:
    """Which rows of a table of `order.rows` rows are drawn: those of the first `size` places of a permutation."""

    order: Permutation
    size: int

    def rows(self) -> Rows:
        """The numbers of the drawn rows, ascending."""
        starts = range(0, self.order.rows, _AT_ONCE)
        return np.concatenate([self._drawn(start, min(self.order.rows, start + _AT_ONCE)) for start in starts])

    def read(self, source: Source) -> pa.Table:
        """The drawn rows of a settled file with that many rows, in order, as `engine.tables.read_table` gives them."""
        parts, start = [pick(source.schema.empty_table(), np.empty(0, dtype=np.int64))], 0
        for piece in source.pieces():
            parts.append(pick(piece, self._drawn(start, start + piece.num_rows) - start))
            start += piece.num_rows
        return whole(parts)

    def _drawn(self, start: int, stop: int) -> Rows:
        some = np.arange(start, stop)
        return some[self.order.places(some) < self.size]


def draw_lot(rows: int, size: int) -> Lot:
    """At most `size` of that many rows, at least `FEWEST` where there are as many; always the same ones."""
    return Lot(draw_permutation(rows, stream(0, "", "sampled rows")), min(rows, max(FEWEST, size)))


def pick(piece: pa.Table, rows: Rows) -> pa.Table:
    """Some rows of a piece, with no more in memory than they need: Arrow would keep all coded values of the piece."""
    taken = piece.take(to_arrow(rows))
    return pa.table({name: _coded_anew(taken[name]) for name in taken.column_names})


def _coded_anew(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if not pa.types.is_dictionary(kind):
        return column
    found = one_array(column.cast(kind.value_type)).dictionary_encode()
    return pa.DictionaryArray.from_arrays(found.indices.cast(kind.index_type), found.dictionary, ordered=kind.ordered)


def whole(parts: Sequence[pa.Table]) -> pa.Table:
    """Pieces in one table, text coded as that of a table that was read whole."""
    table = pa.concat_tables(parts)
    columns = [
        coded(column, pa.string(), DECODED_BYTES) if pa.types.is_dictionary(column.type) else one_array(column)
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)
