"""One language's way of saying the facts: phrases, values, targets and sources as spans of a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from avatar_gitops.assessment.catalogue import is_exact, written_interval, written_target, written_value
from avatar_gitops.assessment.document import Cell, Inline, Tone, code, fill, joined, plain, strong
from avatar_gitops.assessment.facts import AssessmentFacts, MetricValue
from avatar_gitops.assessment.risk import Check, Level
from avatar_gitops.assessment.text import Text, typeset

SPEC_FIELDS: Final = {
    "owner": "metadata.owner",
    **{
        name: f"pia.{name}"
        for name in (
            "purpose",
            "controller",
            "legal_basis",
            "retention",
            "data_recipient",
            "data_type",
            "data_subject",
            "sensitivity_level",
        )
    },
}


@dataclass(slots=True, frozen=True)
class Voice:
    """Phrases of a document in one language; an unknown fact is always the bold word for unknown."""

    language: str
    phrases: Mapping[str, Text]

    def say(self, key: str, **parts: Inline | str) -> Inline:
        """A phrase with its places filled."""
        return fill(self.phrases[key].in_(self.language), **parts)

    def word(self, key: str) -> str:
        """A phrase without places as bare text."""
        return self.phrases[key].in_(self.language)

    def unknown(self) -> Inline:
        """The bold word for what nobody stated."""
        return strong(self.word("unknown"))

    def cite(self, *names: str) -> Inline:
        """What a statement rests on, by the names of known sources."""
        return self.listed(*(self.say(f"source.{name}") for name in names))

    def listed(self, *parts: Inline) -> Inline:
        """Several sources on one line."""
        return joined(parts, typeset(" ; ", "fr") if self.language == "fr" else "; ")

    def stated(self, text: str | None) -> Inline:
        """What somebody stated, or unknown."""
        return plain(text) if text else self.unknown()

    def coded(self, text: str | None) -> Inline:
        """A name or a digest, or unknown."""
        return code(text) if text else self.unknown()

    def choice(self, group: str, value: str) -> Inline:
        """A value of one of the platform's enumerations in words; unknown, undefined and not listed are bold."""
        if value in {"unknown", "Undefined"} or f"{group}.{value}" not in self.phrases:
            return strong(self.word(f"{group}.{value}") if f"{group}.{value}" in self.phrases else value)
        return self.say(f"{group}.{value}")

    def value(self, metric: MetricValue, target: str | None = None) -> Inline:
        """A measured value with its unit, or bold "not measured"."""
        if metric.value is None:
            return strong(self.word("finding.not_measured"))
        return plain(written_value(metric.name, metric.value, self.language, target or metric.target))

    def interval(self, metric: MetricValue, target: str | None = None) -> Inline:
        """Both ends of the interval, or unknown for a measured value that has none."""
        if metric.value is None:
            return plain("–")
        if metric.low is None or metric.high is None:
            return self._no_interval(metric, target)
        wanted = target or metric.target
        return plain(written_interval(metric.name, metric.low, metric.high, self.language, wanted))

    def _no_interval(self, metric: MetricValue, target: str | None) -> Inline:
        if is_exact(metric.name):
            return plain(self.word("exact"))
        return self.unknown() if target or metric.target else plain("–")

    def target(self, item: Check) -> Inline:
        """The target of a check; one that the run did not name is marked as the default."""
        text = written_target(item.metric.name, item.target, self.language)
        return plain(f"{text} ({self.word('default_target')})" if item.is_default_target else text)

    def metric_name(self, metric: MetricValue, label: Inline) -> Inline:
        """Label, scope and worst column of a metric on one line."""
        line = label
        if metric.scope != "standalone":
            known = f"scope.{metric.scope}"
            scope = self.word(known) if known in self.phrases else metric.scope
            other = fill(", {table}", table=code(metric.reference)) if metric.reference else ()
            line = (*line, *fill(" ({scope}{other})", scope=scope, other=other))
        if metric.column:
            line = (*line, *fill(", {column}", column=code(metric.column)))
        return line

    def level(self, level: Level) -> Inline:
        """A level of risk, strong."""
        return strong(self.word(f"level.{level}"))

    def level_cell(self, level: Level) -> Cell:
        """A level of risk in the colour of its tone."""
        return Cell(self.level(level), tone(level))

    def scale(self, axis: str, value: int) -> Inline:
        """A step of a CNIL scale, for example "3 significant"."""
        return plain(f"{value} {self.word(f'{axis}.{value}')}")

    def bucket(self, rows: str) -> Inline:
        """A size in the words of the language, or unknown."""
        return self.unknown() if rows == "unknown" else self.say(f"bucket.{rows}")

    def yes_no(self, value: bool | None) -> Inline:
        """Yes, no, or unknown."""
        return self.unknown() if value is None else plain(self.word("yes" if value else "no"))

    def names(self, names: tuple[str, ...]) -> Inline:
        """Column names as code, or "none"."""
        return joined(tuple(code(name) for name in names)) if names else plain(self.word("none.feminine"))

    def head(self, *names: str) -> tuple[Inline, ...]:
        """The header of a table."""
        return tuple(self.say(f"head.{name}") for name in names)

    def source(self, facts: AssessmentFacts, name: str) -> Inline:
        """Where a statement comes from, or the field of the spec that would state it, or that it is written by hand."""
        known = facts.provenance.sources.get(name) or SPEC_FIELDS.get(name)
        return code(known) if known else self.say("by_hand")


def tone(level: Level) -> Tone:
    """The tone of a level."""
    match level:
        case Level.LOW:
            return "low"
        case Level.MODERATE:
            return "moderate"
        case Level.HIGH:
            return "high"
        case Level.VERY_HIGH:
            return "very_high"
