"""Keys of large tables: one random number for each value, equal where the originals were equal, and what comes of it.

Values are known by 64-bit keyed hashes (whole numbers by themselves), of which those of a column stay in memory. Two
values of a hundred million share a hash with a chance of one in several thousand, and would then share an identifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import UNFIT, null_mask, to_numpy
from avatar_gitops.engine.columns import one_array
from avatar_gitops.engine.frame import Layout, unfit_key
from avatar_gitops.engine.keys import as_keys
from avatar_gitops.engine.large.layout import Surveyed
from avatar_gitops.engine.large.scratch import Shelf
from avatar_gitops.engine.params import ColumnSpec, Limits
from avatar_gitops.engine.permutation import Permutation, Rows, draw_permutation
from avatar_gitops.engine.pseudonyms.kinds import ConstantPseudonym, HashPseudonym
from avatar_gitops.engine.pseudonyms.numbered import Substitutes, is_consistent, numbered
from avatar_gitops.engine.pseudonyms.substitution import hashes, in_order, repeated_key, sources, texts_of
from avatar_gitops.engine.streams import stream, stream_key
from avatar_gitops.errors import EngineError

Columns: TypeAlias = dict[str, pa.Array]

KIND: Final = np.dtype([("mark", np.int64), ("missing", np.bool_)])
IDENTIFIER_BYTES: Final = 24  # a row and identifier: the marks, and a second time while they are sorted


@dataclass(slots=True, frozen=True)
class Numbering:
    """The numbers of an identifier: the place of a mark among all of them, permuted."""

    marks: Rows
    order: Permutation
    has_missing: bool

    @property
    def largest(self) -> int:
        """The largest number."""
        return max(1, len(self.marks))

    def numbers(self, lines: npt.NDArray[np.void]) -> Rows:
        """Numbers from 1 of some rows, 0 where the identifier is missing."""
        places = np.minimum(np.searchsorted(self.marks, lines["mark"]), self.largest - 1)
        return np.where(lines["missing"], 0, self.order.places(places.astype(np.int64)) + 1)


@dataclass(slots=True, frozen=True)
class Marks:
    """The marks of the keys of a table that depend on their values, a file each in a scratch folder."""

    shelves: Mapping[str, Shelf]
    secrets: Mapping[str, int]

    @classmethod
    def of(cls, keys: Sequence[ColumnSpec], folder: Path, seed: int, label: str) -> Marks:
        """Files for the marks of these keys; names of columns are no names of files."""
        names = [key.name for key in keys if _has_marks(key)]
        shelves = {name: Shelf(folder / f"{at}.marks", KIND) for at, name in enumerate(names)}
        return cls(shelves, {name: stream_key(seed, label, f"marks of {name}") for name in names})

    def add(self, piece: pa.Table) -> None:
        """Keep the marks of some more rows; raises EngineError for values that are no text."""
        for name, shelf in self.shelves.items():
            try:
                shelf.append(mark(piece[name], self.secrets[name]))
            except UNFIT:
                raise unfit_key(name) from None


def _has_marks(key: ColumnSpec) -> bool:
    """Whether the new value of a row depends on which rows have the same value, or on whether they have one."""
    if key.pseudonym is None:
        return not key.primary_key
    is_own_mark = isinstance(key.pseudonym, HashPseudonym | ConstantPseudonym)
    return key.primary_key or not is_own_mark


def hashed_columns(layout: Layout) -> tuple[str, ...]:
    """Keys whose new values are computed from the real ones."""
    return tuple(key.name for key in layout.keys if isinstance(key.pseudonym, HashPseudonym))


def check_identifiers(keys: Sequence[ColumnSpec], rows: int, limits: Limits) -> None:
    """Raises EngineError when the marks of these keys do not fit into memory."""
    count = sum(_has_marks(key) and is_consistent(key) for key in keys)
    if limits.memory is not None and IDENTIFIER_BYTES * count * rows > limits.memory:
        raise EngineError(
            "The identifiers of the table have more different values than fit into the memory of a run.",
            hint="Drop identifiers and pseudonyms that nobody needs, or declare a column that is unique in each row as"
            " the primary key, without a pseudonym.",
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
    return Numbering(marks, draw_permutation(max(1, len(marks)), random), sum(map(len, known)) < shelf.rows)


class Keys:
    """New values of keys: of originals in any order, by the numbers of their values.

    Raises EngineError when a pseudonym cannot be made for so many values, or gives rows the same primary key.
    """

    def __init__(self, surveyed: Surveyed, marks: Marks, seed: int, label: str) -> None:
        schema = surveyed.source.schema
        self._keys, self._rows, self._shelves = surveyed.layout.keys, surveyed.rows, marks.shelves
        self._kinds = {key.name: schema.field(key.name).type for key in self._keys}
        self._numberings: dict[str, Numbering] = {}
        self._orders: dict[str, Permutation] = {}
        self._substitutes: dict[str, Substitutes] = {}
        for key in self._keys:
            if key.name in marks.shelves:
                self._number(key, seed, label)
        pseudonyms = {key.name: key.pseudonym for key in self._keys if key.pseudonym is not None}
        self._pseudonyms = {name: pseudonyms[name] for name in in_order(pseudonyms, schema.names)}

    @property
    def width(self) -> int:
        """How many numbers a row has."""
        return len(self._shelves)

    def _number(self, key: ColumnSpec, seed: int, label: str) -> None:
        random = stream(seed, label, f"identifiers of {key.name}")
        count = self._rows
        if is_consistent(key):
            numbering = number_marks(self._shelves[key.name], random)
            count = len(numbering.marks)
            if key.primary_key and count + numbering.has_missing < self._rows:
                raise repeated_key(key.name)
            self._numberings[key.name] = numbering
        else:
            self._orders[key.name] = draw_permutation(self._rows, random)
        if key.pseudonym is not None and not isinstance(key.pseudonym, HashPseudonym):
            self._substitutes[key.name] = numbered(key, count, seed, label)

    def numbers(self, start: int, count: int) -> Rows:
        """Numbers from 1 (rows x width) of the keys of some originals, 0 where missing."""
        own = np.empty((count, self.width), dtype=np.int64)
        for at, (name, shelf) in enumerate(self._shelves.items()):
            lines = shelf.read(start, count)
            if name in self._numberings:
                own[:, at] = self._numberings[name].numbers(lines)
            else:
                places = self._orders[name].places(np.arange(start, start + count))
                own[:, at] = np.where(lines["missing"], 0, places + 1)
        return own

    def columns(self, numbers: Rows, places: Rows, others: Mapping[str, pa.ChunkedArray | pa.Array]) -> Columns:
        """The keys of rows that have these numbers and stand at these places of the deliverable.

        `others` are the other columns of these rows, and the real values of keys that are hashed.
        """
        own = {name: numbers[:, at] for at, name in enumerate(self._shelves)}
        made: Columns = {}
        for key in self._keys:
            if key.pseudonym is None:
                made[key.name] = self._fresh(key, own.get(key.name, places + 1))
        for name, kind in self._pseudonyms.items():
            if isinstance(kind, ConstantPseudonym):
                made[name] = pa.array([kind.value] * len(places), pa.string())
            elif isinstance(kind, HashPseudonym):
                made[name] = _hashed(others[name], kind.key)
            else:
                taken = {other: texts_of(made.get(other, others.get(other))) for other in sources(kind)}
                made[name] = self._substitutes[name](own[name], taken)
        return made

    def _fresh(self, key: ColumnSpec, numbers: Rows) -> pa.Array:
        largest = self._rows if key.primary_key else self._numberings[key.name].largest
        return as_keys(key.name, numbers, numbers == 0, self._kinds[key.name], largest)


def _hashed(values: pa.ChunkedArray | pa.Array, key: bytes | None) -> pa.Array:
    array = one_array(values) if isinstance(values, pa.ChunkedArray) else values
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return pa.array(hashes(encoded.dictionary, key), pa.string()).take(encoded.indices)
