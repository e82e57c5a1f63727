"""Laws of the second person: an author alone never approves, and a waiver of one's own does not count."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.model import Consequence, FieldChange, Privacy
from avatar_gitops.policy.approvals import Approval, by_their_author
from avatar_gitops.policy.engine import Book, expiring, judge
from avatar_gitops.policy.model import Facts, Stage, Waiver
from avatar_gitops.policy.rules.sets import BUILT_IN
from tests.support.planning import wish

PEOPLE = ("anna", "bob", "dpo-lead", "@acme/dpo", "d.lead")
NAMES = st.sampled_from(PEOPLE).flatmap(
    lambda name: st.sampled_from([name, name.upper(), f"@{name.removeprefix('@')}", f" {name} "])
)
LISTS = st.lists(NAMES, max_size=3).map(tuple)
GROUPS = st.dictionaries(st.sampled_from(["dpo", "acme/dpo", "@Acme/dpo"]), st.lists(NAMES, min_size=1, max_size=3))
REQUIRED = st.lists(st.one_of(NAMES, st.just("dpo")), max_size=2).map(tuple)
APPROVALS = st.builds(Approval, LISTS, LISTS, REQUIRED, GROUPS)
WEAKER = FieldChange(
    ("spec", "tables", "people", "avatarization", "k"), 30, 20, Consequence.RERUN_ALL, Privacy.WEAKER, 9
)


def plain(name: str) -> str:
    return name.strip().lstrip("@").lower()


def objections(approval: Approval) -> list[str]:
    facts = Facts(
        wish(),
        fields=(WEAKER,),
        approvals=approval.given,
        authors=approval.authors,
        required_approvers=approval.required,
        approvers=approval.people,
    )
    return [found.rule for found in judge(Book((BUILT_IN["P031"],)), Stage.BEFORE, [facts], date.min).failed]


@given(APPROVALS)
def test_no_set_of_approvals_of_authors_only_ever_passes(approval: Approval) -> None:
    only = replace(
        approval, given=tuple(name for name in approval.given if plain(name) in map(plain, approval.authors))
    )
    assert only.counting == ()
    assert objections(only) == ["P031"]


@given(APPROVALS)
def test_weaker_privacy_passes_exactly_with_somebody_who_counts(approval: Approval) -> None:
    authors = {plain(name) for name in approval.authors}
    assert (objections(approval) == []) is bool(approval.counting)
    assert all(plain(name) not in authors for name in approval.counting)
    assert set(approval.counting) <= set(approval.given)


@given(APPROVALS, NAMES)
def test_one_more_author_never_makes_an_approval_count(approval: Approval, name: str) -> None:
    more = replace(approval, authors=(*approval.authors, name))
    assert set(more.counting) <= set(approval.counting)


def test_a_group_counts_by_its_people_and_a_team_that_is_not_listed_by_nobody() -> None:
    group = Approval(("dpo",), required=("dpo",), people={"dpo": ["d.lead"]})
    assert group.counting == ()
    assert replace(group, given=("D.Lead",)).counting == ("D.Lead",)
    team = Approval(("dpo-team", "acme/dpo-team"), required=("@acme/dpo-team",))
    assert (team.counting, team.unreadable) == ((), ("@acme/dpo-team",))
    listed = replace(team, given=("d.lead",), people={"acme/dpo-team": ["d.lead"]})
    assert (listed.counting, listed.unreadable) == (("d.lead",), ())


def test_a_finding_says_who_approved_in_vain_and_what_to_do_about_a_team() -> None:
    facts = Facts(
        wish(), (WEAKER,), approvals=("bob", "anna"), authors=("Anna",), required_approvers=("@acme/dpo-team",)
    )
    (hit,) = BUILT_IN["P031"].check(facts)
    assert hit.message == "weaker privacy needs approval by @acme/dpo-team other than its author"
    assert hit.detail == (
        "tables.people.avatarization.k; approvals: anna (author), bob; who is in @acme/dpo-team cannot be read, "
        "list the people under approvers"
    )


GRANTED, EXPIRES = date(2026, 1, 1), date(2026, 3, 1)
OLD = Waiver("P010", ("pilot",), "anna", "Pilot", GRANTED, EXPIRES, path="policies/w.yaml", line=4)
LONGER = replace(OLD, expires=date(2026, 4, 1))
WIDER = replace(OLD, sets=("*",))


def test_a_waiver_is_added_when_nothing_before_allowed_the_same() -> None:
    reworded = replace(OLD, reason="Pilot, second part", ticket="DPO-1", line=9)
    assert by_their_author([OLD, reworded], [OLD], ["Anna"]) == ()
    assert by_their_author([LONGER, WIDER], [OLD], ["@anna"]) == (LONGER, WIDER)
    assert by_their_author([LONGER, WIDER], [OLD], ["bob"]) == ()
    assert by_their_author([OLD], None, ["anna"]) == (OLD,)
    assert by_their_author([OLD], [], []) == ()


def test_a_withheld_waiver_waives_nothing_and_is_told() -> None:
    low = wish("pilot", table={"avatarization": {"k": 3}})
    book = Book((BUILT_IN["P010"], BUILT_IN["P032"], BUILT_IN["P090"]), waivers=(OLD,))
    today = date(2026, 2, 1)
    assert judge(book, Stage.BEFORE, [Facts(low)], today).failed == ()
    report = judge(replace(book, withheld=(OLD,)), Stage.BEFORE, [Facts(low)], today)
    low_k, own = report.failed
    assert (low_k.rule, low_k.set) == ("P010", "pilot")
    assert (own.rule, own.set, own.path, own.line) == ("P032", "", "policies/w.yaml", 4)
    assert own.detail == "P010 for pilot, owner anna"
    assert low_k.note == "waived by the author of the change only, which does not count"
    second = replace(OLD, owner="dpo-lead")
    both = replace(book, waivers=(OLD, second), withheld=(OLD,))
    assert [found.rule for found in judge(both, Stage.BEFORE, [Facts(low)], today).failed] == ["P032"]


def test_waivers_that_end_within_two_weeks_are_counted() -> None:
    late = replace(OLD, rule="P011", expires=date(2026, 3, 10))
    far = replace(OLD, rule="P013", expires=date(2026, 3, 16))
    today = date(2026, 3, 1)
    assert expiring([far, late, OLD], today) == ((OLD, 0), (late, 9))
    assert expiring([OLD], date(2026, 3, 2)) == ()
