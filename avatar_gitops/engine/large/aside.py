"""Excluded columns of a large table on their way back: the real values of each row, first in order, then shuffled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import UNFIT, to_arrow
from avatar_gitops.engine.large.keys import IDENTIFIER_BYTES, KIND, mark
from avatar_gitops.engine.large.scratch import Shelf, deal
from avatar_gitops.engine.large.source import Source
from avatar_gitops.engine.params import Limits
from avatar_gitops.engine.permutation import Rows

_MOST: Final = 1 << 18  # rows of the deliverable that are put in order in memory
_LARGEST: Final = 1 << 30  # bytes of values that are put in order at once
_COPIES: Final = 4  # of them in memory meanwhile
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # spreads marks that are whole numbers (Knuth, TAOCP 3, 6.4)


class Aside:
    """Excluded columns of a settled file, given once in the order of the rows; `folder` holds them meanwhile."""

    def __init__(self, source: Source, names: Sequence[str], folder: Path) -> None:
        self._names, self._folder = list(names), folder
        self._pieces = _plain_pieces(source, self._names)
        self._waiting = pa.table({})

    def next(self, count: int) -> pa.Table:
        """The values of the next rows; no column where nothing is excluded."""
        if not self._names:
            return self._waiting
        while self._waiting.num_rows < count:
            piece = next(self._pieces)
            self._waiting = pa.concat_tables([self._waiting, piece]) if self._waiting.num_rows else piece
        taken, self._waiting = self._waiting.slice(0, count), self._waiting.slice(count)
        return taken.combine_chunks()

    def deal(self, values: pa.Table, groups: Rows) -> None:
        """Append each row to the file of its group; rows keep their order."""
        if not self._names:
            return
        for group in np.unique(groups):
            some = values.take(to_arrow(np.flatnonzero(groups == group)))
            with self._path(group).open("ab") as file, pa.ipc.new_stream(file, some.schema) as stream:
                stream.write_table(some)

    def collect(self, group: int, order: Rows) -> pa.Table:
        """The rows of a group in another order; its file is deleted."""
        if not self._names:
            return pa.table({})
        path = self._path(group)
        parts, size = [], path.stat().st_size
        with path.open("rb") as file:
            while file.tell() < size:
                with pa.ipc.open_stream(file) as stream:
                    parts.append(stream.read_all())
        path.unlink()
        return pa.concat_tables(parts).combine_chunks().take(to_arrow(order))

    def _path(self, group: int) -> Path:
        return self._folder / f"{group}.aside"


@dataclass(slots=True, frozen=True)
class Looked:
    """How many rows have excluded values that can be put in order in memory, and the columns with a `lone` value.

    A lone value is one that a single row has; columns whose values cannot be compared count as if they had one.
    """

    at_once: int
    lone: tuple[str, ...]


def look_at(source: Source, names: Sequence[str], folder: Path, limits: Limits, secret: int) -> Looked:
    """Read excluded columns of a settled file once; `secret` keys the marks by which equal values are told."""
    if not names:
        return Looked(_MOST, ())
    allowed = _LARGEST if limits.memory is None else min(_LARGEST, limits.memory // _COPIES)
    parts = 1 if limits.memory is None else 1 + IDENTIFIER_BYTES * source.rows_at_most() // limits.memory
    shelves = {
        name: [Shelf(folder / f"{at}.{part}.values", KIND) for part in range(parts)] for at, name in enumerate(names)
    }
    unfit: set[str] = set()
    rows = size = 0
    for piece in _plain_pieces(source, names):
        rows += piece.num_rows
        size += piece.nbytes
        for name in names:
            try:
                lines = mark(piece[name], secret)
            except UNFIT:  # lists and the like: nearly always unique
                unfit.add(name)
                continue
            spread = (lines["mark"].astype(np.uint64) * _ODD) >> np.uint64(33)
            deal(lines, shelves[name], (spread % np.uint64(parts)).astype(np.int64))
    found = tuple(name for name in names if name in unfit or any(map(_has_lone_mark, shelves[name])))
    for shelf in chain.from_iterable(shelves.values()):
        shelf.remove()
    return Looked(max(1, min(_MOST, allowed * rows // max(1, size))), found)


def _has_lone_mark(shelf: Shelf) -> bool:
    lines = shelf.read()
    return bool((np.unique(lines["mark"][~lines["missing"]], return_counts=True)[1] == 1).any())


def _plain_pieces(source: Source, names: Sequence[str]) -> Iterator[pa.Table]:
    """Some columns of all rows; coded values are spelt out, so that pieces have equal types."""
    for piece in source.pieces():
        columns = [piece[name] for name in names]
        plain = [one.cast(one.type.value_type) if pa.types.is_dictionary(one.type) else one for one in columns]
        yield pa.table(dict(zip(names, plain, strict=True)))
