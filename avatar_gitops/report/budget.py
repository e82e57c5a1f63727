"""Text below a size limit: folds go first, then rows from the end; a line says how many are missing.

Nothing is ever cut in the middle or spread over several texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

COMMENT_LIMIT: Final = 65_536
STEP_SUMMARY_LIMIT: Final = 1 << 20
SMALLER: Final = "_Details were left out to stay below the size limit; they are in the files of the run._"


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document: fixed lines `head` and `foot` around `rows`, of which the last ones may be left out.

    A `fold` is left out as a whole before any row is. `more` says what rows are called: "… 3 more changes".
    """

    head: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    foot: tuple[str, ...] = ()
    fold: bool = False
    more: str = "more"


def size(text: str) -> int:
    """UTF-8 bytes, which are never fewer than the characters that a platform counts."""
    return len(text.encode())


def fit(blocks: Sequence[Block], limit: int = COMMENT_LIMIT) -> str:
    """The blocks as one text of at most `limit` bytes, the first ones being the most important.

    Holds whenever the fixed lines fit; they are the caller's to keep short.
    """
    kept = [(block, len(block.rows)) for block in blocks]
    folds = [index for index, (block, _) in enumerate(kept) if block.fold]
    left_out = set(folds[_fewest(kept, folds, limit) :])
    for index in reversed([index for index in range(len(kept)) if index not in left_out]):
        if size(_text(kept, left_out)) <= limit:
            break
        kept[index] = (kept[index][0], _most(kept, index, left_out, limit))
    return _text(kept, left_out)


def _fewest(kept: list[tuple[Block, int]], folds: Sequence[int], limit: int) -> int:
    """How many of the folds can stay, the first ones, so that everything fits; else 0."""
    if size(_text(kept, set())) <= limit:
        return len(folds)
    low, high = 0, max(len(folds) - 1, 0)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(_text(kept, set(folds[middle:]))) <= limit else (low, middle - 1)
    return low


def _most(kept: list[tuple[Block, int]], index: int, left_out: set[int], limit: int) -> int:
    """The largest number of rows of one block with which everything fits, else 0."""
    low, high = 0, kept[index][1]
    while low < high:
        middle = (low + high + 1) // 2
        trial = [*kept[:index], (kept[index][0], middle), *kept[index + 1 :]]
        low, high = (middle, high) if size(_text(trial, left_out)) <= limit else (low, middle - 1)
    return low


def _text(kept: Sequence[tuple[Block, int]], left_out: set[int]) -> str:
    parts = [_block(block, rows) for index, (block, rows) in enumerate(kept) if index not in left_out]
    if left_out:
        parts.insert(max(len(parts) - 1, 0), SMALLER)
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block, rows: int) -> str:
    missing = len(block.rows) - rows
    says = ("", f"… {missing} {block.more}") if missing else ()
    return "\n".join((*block.head, *block.rows[:rows], *says, *block.foot))
