"""The six kinds of substitutes, as plain values.

`consistent` gives equal values equal substitutes; otherwise every row gets its own. None of the kinds but the hash
looks at the value that it replaces: substitutes are dealt to values by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class PiiType(StrEnum):
    """What a realistic substitute looks like."""

    EMAIL = "EMAIL"
    FIRST_NAME = "FIRST_NAME"
    LAST_NAME = "LAST_NAME"
    FULL_NAME = "FULL_NAME"
    PHONE = "PHONE"
    SSN = "SSN"
    ADDRESS = "ADDRESS"
    FREE_TEXT = "FREE_TEXT"


class LetterCase(StrEnum):
    """Case of the letters of a pattern."""

    BOTH = "both"
    UPPER = "upper"
    LOWER = "lower"


DEFAULT_LOCALE: Final = "en_US"


@dataclass(slots=True, frozen=True)
class FakerPseudonym:
    """Realistic values of a locale.

    With `high_variability` each substitute is made on its own; without, substitutes are drawn from a pool that is made
    once, which is much faster. Different values may share a substitute in both cases, in the second they often do.
    """

    pii_type: PiiType
    consistent: bool = True
    high_variability: bool = False
    locale: str = DEFAULT_LOCALE


@dataclass(slots=True, frozen=True)
class HashPseudonym:
    """SHA-256 of the value as 64 hexadecimal digits, or HMAC-SHA-256 with a key.

    Without a key it is no protection for values that can be guessed: whoever hashes a list of names, numbers or
    addresses finds the people again. With a key that is what its holder can do, and nobody else.
    """

    key: bytes | None = field(default=None, repr=False)


@dataclass(slots=True, frozen=True)
class UuidPseudonym:
    """A random UUID (version 4)."""

    consistent: bool = True


@dataclass(slots=True, frozen=True)
class ConstantPseudonym:
    """One text everywhere, also where the original has no value."""

    value: str


@dataclass(slots=True, frozen=True)
class IntegerPseudonym:
    """Different whole numbers from 1 on, whose order says nothing."""

    consistent: bool = True


@dataclass(slots=True, frozen=True)
class PatternPseudonym:
    r"""Texts of a pattern, see `engine.pseudonyms.patterns`."""

    pattern: str
    letter_case: LetterCase = LetterCase.BOTH
    consistent: bool = True


Pseudonym = FakerPseudonym | HashPseudonym | UuidPseudonym | ConstantPseudonym | IntegerPseudonym | PatternPseudonym
