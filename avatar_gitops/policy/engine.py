"""Rules applied to facts: findings with their places, waivers that count only while they last, and one report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from avatar_gitops.policy.declarative import ThresholdRule
from avatar_gitops.policy.model import (
    BuiltIn,
    Facts,
    Finding,
    Level,
    PolicyReport,
    Rule,
    Stage,
    Violation,
    Waiver,
    worst_first,
)
from avatar_gitops.policy.regressions import RegressionRule
from avatar_gitops.policy.rules.sets import LEDGER
from avatar_gitops.spec.policies import LedgerLimits

UNUSED_WAIVER: Final = "P090"
OWN_WAIVER: Final = "P032"
SOON: Final = 14
"""Days before its end at which a waiver is spoken of."""


@dataclass(frozen=True, slots=True)
class Book:
    """The policy of a project: its rules, how bad their findings are where that was changed, waivers, approvers.

    `approvers` says who is in a group of `required_approvers`. `withheld` are waivers that do not count, because the
    author of the change that adds them answers for them. `assumed` = there is no policy file; then nothing is worse
    than a warning.
    """

    rules: tuple[Rule, ...]
    severities: Mapping[str, Level] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    required_approvers: tuple[str, ...] = ()
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ledger: LedgerLimits = field(default_factory=LedgerLimits)
    withheld: tuple[Waiver, ...] = ()
    assumed: bool = False

    def severity(self, rule: Rule) -> Level:
        """How bad a finding of a rule is in this project."""
        level = self.severities.get(rule.id, rule.severity)
        return Level.WARN if self.assumed and level is Level.FAIL else level

    @property
    def counts_releases(self) -> bool:
        """Whether a rule may look at the ledger: one of ours that does, or one of another package."""
        ours = (BuiltIn, ThresholdRule, RegressionRule)
        return any(rule in LEDGER or not isinstance(rule, ours) for rule in self.rules)

    @property
    def regressive(self) -> bool:
        """Whether a rule compares with the published run, so that the noise of repeated seeds is wanted."""
        return any(isinstance(rule, RegressionRule) for rule in self.rules)

    def at(self, stage: Stage) -> tuple[Rule, ...]:
        """The rules that look at this stage, by id."""
        return tuple(sorted((rule for rule in self.rules if rule.stage is stage), key=lambda rule: rule.id))


def judge(book: Book, stage: Stage, sets: Sequence[Facts], today: date, *, complete: bool = True) -> PolicyReport:
    """Every rule of a stage applied to every set, and the waivers.

    Unused waivers are found before a run only, and only when the sets are `complete`: all of the project.
    """
    rules = book.at(stage)
    raw = [finding for rule in rules for facts in sets for finding in _findings(book, rule, facts)]
    if stage is Stage.BEFORE and complete:
        raw += _unused(book, raw, today)
    if stage is Stage.BEFORE:
        raw += _own(book, today)
    findings = sorted((_settle(finding, book, today) for finding in raw), key=worst_first)
    hit = {finding.rule for finding in findings}
    passed = tuple(rule.id for rule in rules if rule.id not in hit)
    return PolicyReport(tuple(findings), passed, book.assumed, expiring(book.waivers, today))


def expiring(waivers: Sequence[Waiver], today: date) -> tuple[tuple[Waiver, int], ...]:
    """Waivers that count today and end soon, with the days that are left; the first to end first."""
    left = [(waiver, (waiver.expires - today).days) for waiver in waivers if waiver.active(today)]
    return tuple(sorted(((waiver, days) for waiver, days in left if days <= SOON), key=lambda item: item[1]))


def _findings(book: Book, rule: Rule, facts: Facts) -> Iterator[Finding]:
    desired, severity = facts.desired, book.severity(rule)
    for violation in _violations(rule, facts):
        file, line = desired.place(violation.path)
        yield Finding(
            rule=rule.id,
            severity=violation.level or severity,
            set=desired.name,
            message=violation.message,
            detail=violation.detail,
            path=file,
            line=line,
        )


def _violations(rule: Rule, facts: Facts) -> list[Violation]:
    """What a rule says; one that breaks objects, because nobody knows what it would have said."""
    try:
        return list(rule.check(facts))
    except Exception as error:
        # Its text may hold anything, so only the kind is told.
        return [Violation("the rule itself broke, so it counts as not passed", type(error).__name__)]


def _settle(finding: Finding, book: Book, today: date) -> Finding:
    """The finding with what its waivers make of it: waived while one lasts, failed when the last one has ended."""
    mine = [waiver for waiver in book.waivers if finding.set and waiver.covers(finding.rule, finding.set)]
    active = [waiver for waiver in mine if waiver.active(today) and waiver not in book.withheld]
    if active:
        best = max(active, key=lambda waiver: waiver.expires)
        ticket = f", {best.ticket}" if best.ticket else ""
        return replace(finding, waiver=best, note=f"until {best.expires}{ticket}")
    if any(waiver.active(today) for waiver in mine):
        return replace(finding, note="waived by the author of the change only, which does not count")
    ended = [waiver for waiver in mine if waiver.expires < today]
    if ended:
        last = max(ended, key=lambda waiver: waiver.expires)
        severity = Level.WARN if book.assumed else Level.FAIL
        return replace(finding, severity=severity, note=f"waiver {expired(last, today)}")
    coming = [waiver for waiver in mine if today < waiver.granted]
    return replace(finding, note=f"waiver starts on {min(w.granted for w in coming)}") if coming else finding


def expired(waiver: Waiver, today: date) -> str:
    """`expired 3 days ago`."""
    days = (today - waiver.expires).days
    return "expired yesterday" if days == 1 else f"expired {days} days ago"


def _own(book: Book, today: date) -> Iterator[Finding]:
    """Waivers that a change adds for which its own author answers."""
    checker = next((rule for rule in book.rules if rule.id == OWN_WAIVER), None)
    for waiver in book.withheld if checker else ():
        if checker and waiver.expires >= today:
            detail = f"{waiver.rule} for {', '.join(waiver.sets)}, owner {waiver.owner}"
            message = "the author of a change cannot waive what it needs"
            yield Finding(OWN_WAIVER, book.severity(checker), "", message, detail, waiver.path, waiver.line)


def _unused(book: Book, found: Sequence[Finding], today: date) -> Iterator[Finding]:
    """Waivers that no finding needs; those of rules that look after a run cannot be judged yet."""
    checker = next((rule for rule in book.rules if rule.id == UNUSED_WAIVER), None)
    if checker is None:
        return
    later = {rule.id for rule in book.at(Stage.AFTER)}
    for waiver in book.waivers:
        used = any(finding.set and waiver.covers(finding.rule, finding.set) for finding in found)
        if used or waiver.rule in later or today < waiver.granted:
            continue
        detail = f"{waiver.rule} for {', '.join(waiver.sets)}"
        if waiver.expires < today:
            detail += f", {expired(waiver, today)}"
        severity = book.severity(checker)
        yield Finding(UNUSED_WAIVER, severity, "", "this waiver waives nothing", detail, waiver.path, waiver.line)
