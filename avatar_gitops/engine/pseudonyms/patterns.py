r"""Identifiers made from a pattern: `#` is a digit, `?` a letter, `^` a lower-case letter or digit.

`{{column}}` stands for the value of another column of the same row, and a backslash takes the next sign as it is.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.permutation import Rows, draw_permutation
from avatar_gitops.engine.pseudonyms.kinds import LetterCase, PatternPseudonym
from avatar_gitops.errors import EngineError

_WORD: Final = 1 << 62  # so many numbers a permutation can hold

_LETTERS: Final = {
    LetterCase.BOTH: string.ascii_letters,
    LetterCase.UPPER: string.ascii_uppercase,
    LetterCase.LOWER: string.ascii_lowercase,
}


@dataclass(slots=True, frozen=True)
class Signs:
    """One sign out of some; a single one is a sign as it is."""

    choice: str


@dataclass(slots=True, frozen=True)
class Reference:
    """The value of another column."""

    column: str


Token = Signs | Reference


def parse(pseudonym: PatternPseudonym) -> tuple[Token, ...]:
    """The parts of a pattern; raises EngineError for an unfinished one."""
    tokens: list[Token] = []
    pattern, at = pseudonym.pattern, 0
    wild = {"#": string.digits, "?": _LETTERS[pseudonym.letter_case], "^": string.ascii_lowercase + string.digits}
    while at < len(pattern):
        if pattern.startswith("{{", at):
            end = pattern.find("}}", at)
            if end < 0 or not pattern[at + 2 : end].strip():
                raise EngineError("A pseudonym pattern opens {{ but names no column.", hint="Write {{column}}.")
            tokens.append(Reference(pattern[at + 2 : end].strip()))
            at = end + 2
        elif pattern[at] == "\\":
            if at + 1 == len(pattern):
                raise EngineError("A pseudonym pattern ends with a backslash.", hint="Write two for one backslash.")
            tokens.append(Signs(pattern[at + 1]))
            at += 2
        else:
            tokens.append(Signs(wild.get(pattern[at], pattern[at])))
            at += 1
    return tuple(tokens)


def references(pseudonym: PatternPseudonym) -> tuple[str, ...]:
    """Columns that a pattern takes values from."""
    return tuple(token.column for token in parse(pseudonym) if isinstance(token, Reference))


def capacity(tokens: Sequence[Token]) -> int:
    """How many different texts a pattern makes when the other columns stay the same."""
    number = 1
    for token in tokens:
        number *= len(token.choice) if isinstance(token, Signs) else 1
    return number


def draw(tokens: Sequence[Token], count: int, random: np.random.Generator, *, different: bool) -> list[list[str]]:
    """Texts of the signs between the references (count x (references + 1)), all different if wanted.

    Raises EngineError when the pattern cannot make so many.
    """
    most = capacity(tokens)
    if different:
        check_capacity(tokens, count)
    radices = _radices(tokens)
    if different and most <= 4 * count:
        digits = _digits(random.permutation(most)[:count], radices)
    else:
        digits = random.integers(0, np.array(radices, dtype=np.int64), (count, len(radices)))
        while different and len(again := _repeated(digits)):
            digits[again] = random.integers(0, np.array(radices, dtype=np.int64), (len(again), len(radices)))
    return [_text(tokens, row) for row in digits.tolist()]


def check_capacity(tokens: Sequence[Token], count: int) -> None:
    """Raises EngineError when a pattern cannot make so many different texts."""
    if capacity(tokens) < count:
        raise EngineError(
            "A pseudonym pattern makes fewer different texts than the column has different values.",
            hint="Add # or ? or ^ to the pattern.",
        )


class Scrambled:
    """Texts of a pattern that follow from a number: those of different numbers differ where the pattern makes enough.

    The signs of a pattern are the digits of a number in mixed radices. They are taken in runs that a word can count;
    the longest one is a permutation of the numbers, so that it alone tells them apart, the others are spread at random.
    """

    def __init__(self, tokens: Sequence[Token], random: np.random.Generator) -> None:
        self._tokens = tokens
        self._runs = _runs(_radices(tokens))
        self._orders = [draw_permutation(_WORD, random) for _ in self._runs]
        sizes = [math.prod(run) for run in self._runs]
        self._longest = sizes.index(max(sizes))
        self._orders[self._longest] = draw_permutation(sizes[self._longest], random)

    def texts(self, numbers: Rows) -> list[list[str]]:
        """Texts of the signs between the references (numbers x (references + 1)); numbers are counted from 0."""
        digits = []
        for place, (run, order) in enumerate(zip(self._runs, self._orders, strict=True)):
            size = math.prod(run)
            drawn = order.places(numbers % size if place == self._longest else numbers) % size
            digits.append(_digits(drawn, run))
        return [_text(self._tokens, row) for row in np.hstack(digits).tolist()]


def _radices(tokens: Sequence[Token]) -> list[int]:
    return [len(token.choice) for token in tokens if isinstance(token, Signs)]


def _runs(radices: Sequence[int]) -> list[list[int]]:
    """Radices in runs whose products are at most a word; one at least."""
    runs: list[list[int]] = [[]]
    for radix in radices:
        if math.prod(runs[-1]) * radix > _WORD:
            runs.append([])
        runs[-1].append(radix)
    return runs


def _digits(numbers: np.ndarray, radices: Sequence[int]) -> np.ndarray:
    digits = np.empty((len(numbers), len(radices)), dtype=np.int64)
    for place in range(len(radices) - 1, -1, -1):
        digits[:, place] = numbers % radices[place]
        numbers = numbers // radices[place]
    return digits


def _repeated(digits: np.ndarray) -> np.ndarray:
    """Rows that are equal to an earlier one."""
    first = np.unique(digits, axis=0, return_index=True)[1]
    return np.setdiff1d(np.arange(len(digits)), first)


def _text(tokens: Sequence[Token], digits: Sequence[int]) -> list[str]:
    parts, at = [""], 0
    for token in tokens:
        if isinstance(token, Reference):
            parts.append("")
        else:
            parts[-1] += token.choice[digits[at]]
            at += 1
    return parts
