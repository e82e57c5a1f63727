"""Texts in both languages, and how numbers, values and targets are written in each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from avatar_gitops.assessment.targets import Target, parse_target

NBSP: Final = "\u00a0"
THIN: Final = "\u202f"  # narrow no-break space
MINUS: Final = "\u2212"
GROUPED_FROM: Final = 10_000
_BEFORE: Final = re.compile(r" ([:%»])")
_THIN_BEFORE: Final = re.compile(r" ([;?!])")
_AFTER: Final = re.compile(r"« ")
_QUOTED: Final = re.compile(r'"([^"]*)"')
_SIGNS: Final = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}
_MAX_DECIMALS: Final = 6


@dataclass(slots=True, frozen=True)
class Text:
    """One text in every language of the documents."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        """The text in a language, with the spaces that the language wants before its punctuation."""
        return typeset(self.fr if language == "fr" else self.en, language)


@dataclass(slots=True, frozen=True)
class MetricText:
    """`meaning` completes "this is the …" for a lay reader; `definition` says how it is computed and what it misses."""

    label: Text
    meaning: Text
    definition: Text


def typeset(text: str, language: str) -> str:
    """Curly apostrophes and quotation marks, and in French the spaces of the Imprimerie nationale.

    French wants a no-break space before `: % »` and after `«`, and a narrow one before `; ? !`.
    """
    curly = text.replace("'", "’")
    if language != "fr":
        return _QUOTED.sub(r"“\1”", curly)
    quoted = _QUOTED.sub(f"«{NBSP}\\1{NBSP}»", curly)
    return _THIN_BEFORE.sub(THIN + r"\1", _AFTER.sub("«" + NBSP, _BEFORE.sub(NBSP + r"\1", quoted)))


def number(value: float, decimals: int, language: str) -> str:
    """A number with a fixed count of decimals; French writes a comma. From 10 000 on in groups. Never "-0"."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return _written(text, value, language)


def bare(value: float, language: str) -> str:
    """A number as short as it can be written (90, 0.05)."""
    return _written(f"{value:.10g}", value, language)


def _written(text: str, value: float, language: str) -> str:
    whole, point, rest = text.partition(".")
    if abs(value) >= GROUPED_FROM and whole.lstrip("-").isdigit():
        whole = f"{int(whole):,}"
    if whole.startswith("-"):
        whole = MINUS + whole[1:]
    if language != "fr":
        return whole + point + rest
    return whole.replace(",", THIN) + ("," if point else "") + rest


def percent(text: str, language: str) -> str:
    """A written number as a percentage."""
    return f"{text}{NBSP}%" if language == "fr" else f"{text}%"


def decimals_for(value: float, decimals: int, target: str | None) -> int:
    """Enough decimals for the written value to stand on the same side of its target as the value itself."""
    if target is None:
        return decimals
    bound = parse_target(target)
    for count in range(decimals, _MAX_DECIMALS):
        if bound.met_by(float(f"{value:.{count}f}")) == bound.met_by(value):
            return count
    return _MAX_DECIMALS


def sign(target: Target) -> str:
    """The operator of a target as a reader writes it."""
    return _SIGNS[target.operator]
