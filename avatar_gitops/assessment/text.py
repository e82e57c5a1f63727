"""Texts in both languages, and how numbers, values and targets are written in each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from avatar_gitops.assessment.targets import Target, parse_target

NBSP: Final = "\u00a0"
_BEFORE: Final = re.compile(r" ([:;?!%»])")
_AFTER: Final = re.compile(r"« ")
_SIGNS: Final = {">=": "≥", "<=": "≤", ">": ">", "<": "<"}
_MAX_DECIMALS: Final = 6


@dataclass(slots=True, frozen=True)
class Text:
    """One text in every language of the documents."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        """The text in a language, with the spaces that the language wants before its punctuation."""
        return typeset(self.fr, language) if language == "fr" else self.en


@dataclass(slots=True, frozen=True)
class MetricText:
    """`meaning` completes "this is the …" for a lay reader; `definition` says how it is computed and what it misses."""

    label: Text
    meaning: Text
    definition: Text


def typeset(text: str, language: str) -> str:
    """French wants a non-breaking space before `: ; ? ! % »` and after `«`; English text is returned unchanged."""
    if language != "fr":
        return text
    return _AFTER.sub("«" + NBSP, _BEFORE.sub(NBSP + r"\1", text))


def number(value: float, decimals: int, language: str) -> str:
    """A number with a fixed count of decimals; French writes a comma. Never "-0"."""
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace(".", ",") if language == "fr" else text


def bare(value: float, language: str) -> str:
    """A number as short as it can be written (90, 0.05)."""
    text = f"{value:.10g}"
    return text.replace(".", ",") if language == "fr" else text


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
