"""Laws of findings and waivers: a waiver covers its rule in its sets while it lasts, and nothing else, ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.policy.engine import UNUSED_WAIVER, Book, judge
from avatar_gitops.policy.model import Facts, Finding, Level, PolicyReport, Rule, Stage, Violation, Waiver
from avatar_gitops.policy.rules.sets import BUILT_IN
from tests.support.planning import wish

TODAY = date(2026, 11, 22)
SETS = ("claims-1", "claims-2", "patients")
RULES = ("R1", "R2", "R3")


@dataclass(frozen=True)
class Objector:
    """A rule that objects to some sets."""

    id: str
    sets: frozenset[str]
    severity: Level = Level.FAIL
    stage: Stage = Stage.BEFORE
    title: str = "an objection"
    why: str = "to have one"

    def check(self, facts: Facts) -> Iterator[Violation]:
        if facts.desired.name in self.sets:
            yield Violation("something is wrong", "", ("metadata", "owner"))


FACTS = [Facts(wish(name)) for name in SETS]
DAYS = st.integers(-200, 200).map(lambda days: TODAY + timedelta(days=days))
WAIVERS = st.builds(
    lambda rule, sets, granted, length: Waiver(
        rule, tuple(sets), "dpo", "pilot", granted, granted + timedelta(days=length)
    ),
    st.sampled_from(RULES),
    st.lists(st.sampled_from([*SETS, "claims-*", "*"]), min_size=1, max_size=2),
    DAYS,
    st.integers(0, 180),
)
BOOKS = st.builds(
    lambda rules, waivers, assumed: Book(tuple(rules), waivers=tuple(waivers), assumed=assumed),
    st.tuples(
        *(
            st.builds(Objector, st.just(name), st.frozensets(st.sampled_from(SETS)), st.sampled_from(Level))
            for name in RULES
        )
    ),
    st.lists(WAIVERS, max_size=4),
    st.booleans(),
)


def report(book: Book, stage: Stage = Stage.BEFORE, today: date = TODAY) -> PolicyReport:
    return judge(book, stage, FACTS, today)


def keys(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(finding.rule, finding.set) for finding in findings}


@given(BOOKS)
def test_waivers_never_change_what_is_found(book: Book) -> None:
    assert keys(report(book).findings) == keys(report(replace(book, waivers=())).findings)


@given(BOOKS)
def test_a_finding_is_waived_exactly_while_a_waiver_of_its_rule_and_set_lasts(book: Book) -> None:
    for finding in report(book).findings:
        lasting = [
            waiver
            for waiver in book.waivers
            if waiver.rule == finding.rule
            and waiver.covers(finding.rule, finding.set)
            and waiver.granted <= TODAY <= waiver.expires
        ]
        assert (finding.waiver is not None) is bool(lasting)
        assert finding.waiver is None or finding.waiver in lasting


@given(BOOKS, WAIVERS)
def test_one_more_waiver_leaves_the_findings_of_other_rules_as_they_are(book: Book, waiver: Waiver) -> None:
    more = replace(book, waivers=(*book.waivers, waiver))
    others = [finding for finding in report(book).findings if finding.rule != waiver.rule]
    assert [finding for finding in report(more).findings if finding.rule != waiver.rule] == others


@given(BOOKS)
def test_nothing_is_waived_by_waivers_that_have_all_expired(book: Book) -> None:
    assert report(book, today=TODAY + timedelta(days=1000)).waived == ()


@given(BOOKS)
def test_a_project_without_policy_file_never_fails(book: Book) -> None:
    assert report(replace(book, assumed=True)).failed == ()


@given(BOOKS)
def test_every_rule_passed_or_found_something_and_the_worst_is_first(book: Book) -> None:
    made = report(book)
    assert {*made.passed, *(finding.rule for finding in made.findings)} == set(RULES)
    assert not set(made.passed) & {finding.rule for finding in made.findings}
    ranks = [3 if found.waiver else list(Level).index(found.severity) for found in made.findings]
    assert ranks == sorted(ranks)
    numbers = made.counts
    assert len(made.findings) == numbers["failed"] + numbers["warned"] + numbers["info"] + numbers["waived"]


@given(BOOKS, st.sampled_from(Level))
def test_what_breaks_a_level_breaks_every_milder_one(book: Book, level: Level) -> None:
    made = report(book)
    for milder in list(Level)[list(Level).index(level) :]:
        assert made.breaks(milder) >= made.breaks(level)


def a_waiver(rule: str = "R1", sets: tuple[str, ...] = ("*",), ago: int = -30, ticket: str = "") -> Waiver:
    """A waiver that expired so many days ago."""
    expires = TODAY - timedelta(days=ago)
    granted = expires - timedelta(days=100)
    return Waiver(rule, sets, "dpo", "pilot", granted, expires, ticket, "policies/waivers.yaml", 4)


@pytest.mark.parametrize(
    ("ago", "waived", "note"),
    [
        (0, True, "until 2026-11-22"),
        (1, False, "waiver expired yesterday"),
        (3, False, "waiver expired 3 days ago"),
        (-150, False, "waiver starts on 2027-01-11"),
    ],
)
def test_both_days_of_a_waiver_count(ago: int, waived: bool, note: str) -> None:
    book = Book((Objector("R1", frozenset({"patients"})),), waivers=(a_waiver(ago=ago),))
    (finding,) = report(book).findings
    assert (finding.waiver is not None, finding.note) == (waived, note)


def test_an_expired_waiver_turns_a_warning_into_a_failure() -> None:
    mild = Objector("R1", frozenset({"patients"}), Level.WARN)
    assert len(report(Book((mild,))).warned) == 1
    assert len(report(Book((mild,), waivers=(a_waiver(ago=3),))).failed) == 1


def test_a_newer_waiver_wins_over_an_expired_one() -> None:
    book = Book((Objector("R1", frozenset({"patients"})),), waivers=(a_waiver(ago=3), a_waiver(ticket="DPO-1")))
    (finding,) = report(book).findings
    assert finding.note == "until 2026-12-22, DPO-1"


def unused(book: Book, *, complete: bool = True, stage: Stage = Stage.BEFORE) -> list[str]:
    book = replace(book, rules=(*book.rules, BUILT_IN[UNUSED_WAIVER]))
    found = judge(book, stage, FACTS, TODAY, complete=complete).findings
    return [finding.detail for finding in found if finding.rule == UNUSED_WAIVER]


def test_a_waiver_that_waives_nothing_is_a_warning_where_it_stands() -> None:
    book = Book((Objector("R1", frozenset({"patients"})),), waivers=(a_waiver(sets=("claims-*",)),))
    assert unused(book) == ["R1 for claims-*"]
    assert unused(replace(book, waivers=(a_waiver(),))) == []
    assert unused(replace(book, waivers=(a_waiver("R2", ago=2),))) == ["R2 for *, expired 2 days ago"]


def test_a_waiver_that_cannot_be_judged_yet_is_not_called_unused() -> None:
    later = Objector("R1", frozenset(), stage=Stage.AFTER)
    assert unused(Book((later,), waivers=(a_waiver(),))) == []
    none = Book((Objector("R1", frozenset()),), waivers=(a_waiver(),))
    assert unused(none, complete=False) == []
    assert unused(none, stage=Stage.AFTER) == []
    assert unused(replace(none, waivers=(a_waiver(ago=-150),))) == []


def test_a_rule_that_breaks_objects_without_telling_what_it_saw() -> None:
    class Broken(Objector):
        def check(self, facts: Facts) -> Iterator[Violation]:
            raise RuntimeError("zqsecretx")

    made = judge(Book((Broken("R1", frozenset()),)), Stage.BEFORE, FACTS[:1], TODAY)
    assert [finding.detail for finding in made.failed] == ["RuntimeError"]
    assert "zqsecretx" not in repr(made)


def test_a_finding_has_the_place_of_its_field() -> None:
    (finding,) = report(Book((Objector("R1", frozenset({"patients"})),))).findings
    assert (finding.path, finding.line) == ("configs/patients.yaml", 6)


def test_severities_of_the_project_win() -> None:
    rules: tuple[Rule, ...] = (Objector("R1", frozenset({"patients"})),)
    assert report(Book(rules, severities={"R1": Level.INFO})).counts["info"] == 1
