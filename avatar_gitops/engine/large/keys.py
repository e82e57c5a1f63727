"""Identifiers of large tables: one random number for each value, equal where the originals were equal.

Values are known by 64-bit keyed hashes (whole numbers by themselves), of which those of a column stay in memory. Two
values of a hundred million share a hash with a chance of one in several thousand, and would then share an identifier.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import null_mask, to_numpy
from avatar_gitops.engine.columns import one_array
from avatar_gitops.engine.large.scratch import Shelf
from avatar_gitops.engine.params import Limits
from avatar_gitops.engine.permutation import Permutation, Rows, draw_permutation
from avatar_gitops.errors import EngineError

KIND: Final = np.dtype([("mark", np.int64), ("missing", np.bool_)])
IDENTIFIER_BYTES: Final = 24  # a row and identifier: the marks, and a second time while they are sorted


@dataclass(slots=True, frozen=True)
class Numbering:
    """The numbers of an identifier: the place of a mark among all of them, permuted."""

    marks: Rows
    order: Permutation

    @property
    def largest(self) -> int:
        """The largest number."""
        return max(1, len(self.marks))

    def numbers(self, lines: npt.NDArray[np.void]) -> Rows:
        """Numbers from 1 of some rows, 0 where the identifier is missing."""
        places = np.minimum(np.searchsorted(self.marks, lines["mark"]), self.largest - 1)
        return np.where(lines["missing"], 0, self.order.places(places.astype(np.int64)) + 1)


def check_identifiers(count: int, rows: int, limits: Limits) -> None:
    """Raises EngineError when the marks of so many identifiers do not fit into memory."""
    if limits.memory is not None and IDENTIFIER_BYTES * count * rows > limits.memory:
        raise EngineError(
            "The identifiers of the table have more different values than fit into the memory of a run.",
            hint="Drop identifiers that nobody needs, or declare one that is unique in each row as the primary key.",
        )


def mark(values: pa.ChunkedArray, secret: int) -> npt.NDArray[np.void]:
    """What is kept of the values of an identifier to tell equal from different ones."""
    array = one_array(values)
    lines = np.zeros(len(array), dtype=KIND)
    lines["missing"] = null_mask(array)
    if pa.types.is_integer(array.type) and array.type != pa.uint64():
        lines["mark"] = np.where(lines["missing"], 0, to_numpy(array).astype(np.int64))
        return lines
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    key = secret.to_bytes(16)
    texts = encoded.dictionary.cast(pa.string()).to_pylist()
    hashes = [hashlib.blake2b((text or "").encode(), digest_size=8, key=key).digest() for text in texts]
    known = np.frombuffer(b"".join(hashes), dtype=np.int64)
    places = np.where(lines["missing"], 0, to_numpy(pc.cast(encoded.indices, pa.int64())))
    lines["mark"] = known[places] if len(known) else 0
    return lines


def number_marks(shelf: Shelf, random: np.random.Generator) -> Numbering:
    """Number the marked values of an identifier."""
    known = [lines["mark"][~lines["missing"]] for lines in shelf.pieces()]
    marks = np.unique(np.concatenate(known)) if known else np.empty(0, dtype=np.int64)
    return Numbering(marks, draw_permutation(max(1, len(marks)), random))
