"""Records of one person in order: grouping, sorting and running from one record to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.buffers import UNFIT, to_numpy
from avatar_gitops.engine.processors.fitted import Ids
from avatar_gitops.engine.processors.gauges import Numbers, refuse_missing
from avatar_gitops.errors import EngineError

Advance = Callable[[Numbers, Ids], Numbers]


@dataclass(slots=True, frozen=True)
class Records:
    """Rows of a table, person by person: `order[heads[p] + t]` is the row of record t of person p."""

    order: Ids
    heads: Ids
    lengths: Ids

    def before(self, first: Numbers, last: Numbers) -> Numbers:
        """For each row, `last` of the record before; for the first record of a person its own `first`."""
        found = np.empty_like(first)
        found[self.order[1:]] = last[self.order[:-1]]
        head = self.order[self.heads]
        found[head] = first[head]
        return found

    def heads_of(self, values: Numbers) -> Numbers:
        """For each row, the value of the first record of the same person."""
        found = np.empty_like(values)
        found[self.order] = np.repeat(values[self.order[self.heads]], self.lengths)
        return found

    def run(self, first: Numbers, advance: Advance) -> None:
        """Call `advance` with the state and the rows of record 0, 1, ... of all people who have one.

        `first` is the state before record 0, one number per row; `advance` returns the state after the record.
        """
        people = np.argsort(-self.lengths, kind="stable")
        heads, lengths = self.heads[people], self.lengths[people]
        state = first[self.order[heads]]
        for turn in range(int(lengths[0]) if len(lengths) else 0):
            still = int(np.searchsorted(-lengths, -turn, side="left"))
            rows = self.order[heads[:still] + turn]
            state = advance(state[:still], rows)


def sort_records(
    name: str, ids: pa.ChunkedArray, keys: Sequence[npt.NDArray[np.generic]], origins: Ids | None = None
) -> Records:
    """Group rows by person (and copy of the person), each group sorted by `keys`, the row order last.

    Rows may stand in any order; rows that are equal in all keys keep theirs. `origins` tells copies apart: the second
    avatar of each record of a person belongs to a second copy of that person. Raises EngineError for missing ids.
    """
    refuse_missing(name, ids)
    column = ids.cast(ids.type.value_type) if pa.types.is_dictionary(ids.type) else ids
    try:
        encoded = column.combine_chunks().dictionary_encode()
    except UNFIT:
        raise EngineError(f"Column {name!r} cannot tell people apart: its type is {ids.type}.") from None
    people = to_numpy(encoded.indices).astype(np.int64)
    copies = _copies(origins) if origins is not None else np.zeros(len(people), dtype=np.int64)
    order = np.lexsort((*reversed(list(keys)), copies, people)).astype(np.int64)
    changed = np.diff(people[order]).astype(bool) | np.diff(copies[order]).astype(bool)
    heads = np.concatenate([[0], np.flatnonzero(changed) + 1])[: max(1, len(order)) if len(order) else 0]
    return Records(order, heads.astype(np.int64), np.diff(np.append(heads, len(order))).astype(np.int64))


def _copies(origins: Ids) -> Ids:
    """How many rows of the same origin stand before each row."""
    order = np.argsort(origins, kind="stable")
    ordered = origins[order]
    start = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(start, np.arange(len(ordered)), 0)) if len(ordered) else order
    copies = np.empty(len(origins), dtype=np.int64)
    copies[order] = np.arange(len(ordered)) - first
    return copies
