"""Whether a CSV ends inside a quotation mark that nobody closed, by its last cell and its last bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

MESSAGE: Final = "a quotation mark is opened and not closed, so the end of the file is one cell"
HINT: Final = 'close the quotation mark, and write one inside a quoted text twice ("")'
_BEFORE: Final = b"\r\n,;\t|"  # what ends the cell before: a line end, or the delimiter of any CSV that is read here
_SHORT: Final = 1 << 10


def ends_open(last: bytes | None, tail: Callable[[int], bytes]) -> bool:
    """Whether the last cell is open; `last` is its text, None when it was read as no text.

    `tail` gives the last bytes of the file. Only a cell that begins with a quotation mark is quoted, and only an open
    one reaches to the very end of the file: its text, with each quotation mark doubled, is then what the file ends in.
    Nothing else has to be read: an open cell takes all rows that follow, so that it is the last one.
    """
    if last is None:  # a number, a date or a missing value: it has no line feed, so that its line is the last one
        line = tail(_SHORT).rstrip(b"\r\n")
        cell = line[max(line.rfind(sign) for sign in _BEFORE) + 1 :]
        return cell.startswith(b'"') and cell.count(b'"') % 2 == 1
    quoted = b'"' + last.replace(b'"', b'""')
    found = tail(len(quoted) + 1)
    return found.endswith(quoted) and found[: -len(quoted)] in _BEFORE


def tail_of(path: Path, size: int) -> bytes:
    """The last bytes of a file, fewer when it is shorter."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()
