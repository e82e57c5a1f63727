"""The sets that one spec makes, compared: what differs between them, privacy against utility, and the Pareto front.

A set is on the front when no other one is at least as good in both metrics and better in one (Pareto 1906): only among
these is there a choice to make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from avatar_gitops.assessment.catalogue import written_value
from avatar_gitops.assessment.drawing import Axis, Point, scatter
from avatar_gitops.report.words import WORDS, Language

PRIVACY: Final = "hidden_rate"
UTILITY: Final = "hellinger_mean"
FEWEST: Final = 2


@dataclass(slots=True, frozen=True)
class Candidate:
    """One published set: what the spec says differently in it, and its worst values; None = not measured."""

    set_name: str
    settings: Mapping[str, str] = field(default_factory=dict)
    privacy: float | None = None
    utility: float | None = None
    gates: str = "–"
    bounds: Mapping[str, str] = field(default_factory=dict)

    def beats(self, other: Candidate) -> bool:
        """Whether this set is at least as good in both metrics and better in one."""
        if self.privacy is None or self.utility is None or other.privacy is None or other.utility is None:
            return False
        pairs = ((self.privacy, other.privacy), (-self.utility, -other.utility))
        return all(mine >= theirs for mine, theirs in pairs) and any(mine > theirs for mine, theirs in pairs)


@dataclass(slots=True, frozen=True)
class Siblings:
    """The sets of one spec; `picture` is the name of the plot beside the index, empty when there is none."""

    path: str
    candidates: tuple[Candidate, ...]
    picture: str = ""

    @property
    def settings(self) -> tuple[str, ...]:
        """The names of what differs, in the order of the sets."""
        return tuple(dict.fromkeys(name for item in self.candidates for name in item.settings))

    def is_best(self, item: Candidate) -> bool:
        """Whether a set is on the front; one that lacks a metric is not."""
        measured = item.privacy is not None and item.utility is not None
        return measured and not any(other.beats(item) for other in self.candidates)


def plot(siblings: Siblings, language: Language) -> str | None:
    """Privacy against utility as SVG; None when fewer than two sets have both metrics."""
    points = [
        Point(item.set_name, item.utility, item.privacy, siblings.is_best(item))
        for item in siblings.candidates
        if item.privacy is not None and item.utility is not None
    ]
    if len(points) < FEWEST:
        return None
    axes = (
        _axis("axis.utility", UTILITY, [p.x for p in points], language),
        _axis("axis.privacy", PRIVACY, [p.y for p in points], language),
    )
    return scatter(points, axes, described(siblings, language))


def described(siblings: Siblings, language: Language) -> str:
    """What the plot shows, for who cannot see it."""
    best = ", ".join(item.set_name for item in siblings.candidates if siblings.is_best(item))
    return WORDS["pareto.alt"].in_(language).format(count=len(siblings.candidates), best=best)


def rows(siblings: Siblings, language: Language) -> list[tuple[str, ...]]:
    """One row per set: name, what differs, privacy, utility, gates, and whether it is on the front."""
    return [
        (
            item.set_name,
            *(item.settings.get(name, "–") for name in siblings.settings),
            _value(PRIVACY, item.privacy, item, language),
            _value(UTILITY, item.utility, item, language),
            item.gates,
            WORDS["pareto.best"].in_(language) if siblings.is_best(item) else "–",
        )
        for item in siblings.candidates
    ]


def _value(name: str, value: float | None, item: Candidate, language: Language) -> str:
    return "–" if value is None else written_value(name, value, language, item.bounds.get(name))


def _axis(key: str, name: str, values: Sequence[float], language: Language) -> Axis:
    ends = (written_value(name, min(values), language), written_value(name, max(values), language))
    return Axis(WORDS[key].in_(language), ends)
