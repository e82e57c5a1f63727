"""Rows of fixed width in files of a scratch folder: what stays of a table that does not stay in memory.

Files are read and written in pieces and never mapped, so that they count for no memory of the process. Reading in
pieces of `PIECE` rows makes sums over rows independent of how the rows arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.kernels.moments import CHUNK
from avatar_gitops.engine.permutation import Rows

PIECE: Final = CHUNK

Lines: TypeAlias = np.ndarray[Any, np.dtype[np.void]]


@dataclass(slots=True, frozen=True)
class Shelf:
    """A file of rows of one kind; a file that nothing was written to has no rows."""

    path: Path
    kind: np.dtype[np.void]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.path.stat().st_size // self.kind.itemsize if self.path.exists() else 0

    def append(self, lines: Lines) -> None:
        """Add rows at the end."""
        with self.path.open("ab") as file:
            file.write(lines.tobytes())

    def read(self, start: int = 0, count: int = -1) -> Lines:
        """Some rows, all those from `start` on by default."""
        if not self.path.exists():
            return np.empty(0, dtype=self.kind)
        return np.fromfile(self.path, self.kind, count, offset=start * self.kind.itemsize)

    def pieces(self) -> Iterator[Lines]:
        """All rows, `PIECE` at a time."""
        for start in range(0, self.rows, PIECE):
            yield self.read(start, PIECE)

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


def frame_kind(layout: Layout, **others: tuple[str, int]) -> np.dtype[np.void]:
    """The kind of a row of numbers and codes, with other fields of a type and a width."""
    codes = np.int16 if max(layout.sizes, default=0) < np.iinfo(np.int16).max else np.int32
    fields: list[tuple[str, Any, tuple[int, ...]]] = [
        ("numbers", np.float64, (len(layout.numbers),)),
        ("codes", codes, (len(layout.categories),)),
    ]
    return np.dtype([*fields, *((name, kind, (width,)) for name, (kind, width) in others.items())])


def lines_of(kind: np.dtype[np.void], frame: Frame, **others: npt.NDArray[Any]) -> Lines:
    """Rows of that kind."""
    lines = np.empty(frame.rows, dtype=kind)
    lines["numbers"], lines["codes"] = frame.numbers, frame.codes
    for name, values in others.items():
        lines[name] = values
    return lines


def frame_of(lines: Lines) -> Frame:
    """Numbers and codes of rows, column by column in memory."""
    return Frame(np.asfortranarray(lines["numbers"]), np.asfortranarray(lines["codes"], dtype=np.int32))


def deal(lines: Lines, shelves: Sequence[Shelf], groups: Rows) -> None:
    """Append each row to the shelf of its group; rows keep their order."""
    for group in np.unique(groups):
        shelves[group].append(lines[groups == group])


def in_order(shelves: Sequence[Shelf], rows: int, groups: Callable[[Rows], Rows]) -> Iterator[tuple[int, Lines]]:
    """Rows that `deal` has dealt, in the order that they had before, as the first row of a piece and the piece."""
    read = [0] * len(shelves)
    for start in range(0, rows, PIECE):
        own = groups(np.arange(start, min(start + PIECE, rows)))
        lines = np.empty(len(own), dtype=shelves[0].kind)
        for group in np.unique(own):
            places = np.flatnonzero(own == group)
            lines[places] = shelves[group].read(read[group], len(places))
            read[group] += len(places)
        yield start, lines
