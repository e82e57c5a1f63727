"""Policy files become one policy, and what is wrong with them is said where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.plan.model import Privacy
from avatar_gitops.policy.book import Policies, build
from avatar_gitops.policy.engine import Book
from avatar_gitops.policy.model import Facts, Level, Rule, Stage, Violation
from avatar_gitops.policy.rules.sets import SETS
from avatar_gitops.report.diagnostics import as_text
from avatar_gitops.spec.parse import parse_policy, parse_waivers
from avatar_gitops.spec.policies import RuleSet
from tests.support.planning import wish

HEAD = "apiVersion: avatar-gitops/v1\n"
WAIVER = "{rule: P013, sets: ['*'], owner: dpo, reason: Pilot, granted: 2026-09-15, expires: 2026-12-31}"


@dataclass(frozen=True)
class Foreign:
    """A rule of another package."""

    id: str = "H001"
    title: str = "a hospital rule"
    why: str = "the hospital wants it"
    severity: Level = Level.WARN
    stage: Stage = Stage.BEFORE

    def check(self, facts: Facts) -> Iterator[Violation]:
        weaker = any(change.privacy is Privacy.WEAKER for change in facts.fields)
        yield from [Violation("weaker")] * weaker


def load(name: str) -> Sequence[Rule]:
    if name == "hospital":
        return [Foreign()]
    raise ValueError("no installed package declares it")


def made(*policies: str, waivers: str = "") -> tuple[Book, tuple[Diagnostic, ...]]:
    files = [parse_policy(HEAD + "kind: Policy\n" + text, f"policies/{n}.yaml") for n, text in enumerate(policies)]
    entries = [parse_waivers(HEAD + "kind: Waivers\n" + waivers, "policies/waivers.yaml")] if waivers else []
    return build(Policies(tuple(files), tuple(entries)), load)


def ids(book: Book) -> set[str]:
    return {rule.id for rule in book.rules}


def codes(*policies: str, waivers: str = "") -> list[str]:
    return [finding.code for finding in made(*policies, waivers=waivers)[1]]


def test_without_a_file_the_baseline_is_looked_at_and_only_warns() -> None:
    book, found = made()
    assert (ids(book), found, book.assumed) == ({rule.id for rule in SETS[RuleSet.BASELINE]}, (), True)
    assert {book.severity(rule) for rule in book.rules} == {Level.WARN}


def test_an_empty_policy_is_the_baseline_in_earnest() -> None:
    book, found = made("")
    assert (ids(book), found, book.assumed) == ({rule.id for rule in SETS[RuleSet.BASELINE]}, (), False)
    assert {book.severity(rule) for rule in book.rules} == {Level.FAIL, Level.WARN}


def test_files_add_up_and_the_worse_of_two_severities_counts() -> None:
    book, found = made(
        "enabled: [health]\nseverity: {P010: warn, P013: fail}\nrequired_approvers: [dpo]\n",
        "enabled: []\ndisabled: [P040]\nseverity: {P010: fail, P013: info}\nrules: [hospital]\n"
        "thresholds: [{id: X-h, metric: hidden_rate, condition: '>= 90'}]\nrequired_approvers: [ciso, dpo]\n",
    )
    assert found == ()
    assert ids(book) == {rule.id for rule in SETS[RuleSet.HEALTH]} - {"P040"} | {"H001", "X-h"}
    assert (book.severities, book.required_approvers) == ({"P010": Level.FAIL, "P013": Level.FAIL}, ("dpo", "ciso"))


def test_a_rule_can_be_added_and_switched_off() -> None:
    book, found = made("enabled: []\ndisabled: [H001]\nrules: [hospital]\n")
    assert (ids(book), found) == (set(), ())


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("disabled: [P13]", "X050"),
        ("severity: {P999: warn}", "X050"),
        ("thresholds: [{id: P010, metric: hidden_rate, condition: '>= 90'}]", "X052"),
        ("rules: [hospital, hospital]", "X052"),
        ("rules: [nobody]", "X053"),
        ("thresholds: [{id: X-a, metric: hidden, condition: '>= 90'}]", "X013"),
        ("thresholds: [{id: X-a, metric: hidden_rate, condition: '<= 90'}]", "X014"),
        ("thresholds: [{id: X-a, metric: hidden_rate, condition: '90'}]", "S006"),
        ("enabled: [basic]", "S003"),
        ("enable: [baseline]", "S002"),
        ("severity: {P010: error}", "S003"),
    ],
)
def test_what_is_wrong_with_a_policy_has_a_code(text: str, code: str) -> None:
    assert codes(text + "\n") == [code]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (WAIVER, []),
        (WAIVER.replace("2026-12-31", "2027-03-14"), []),
        (WAIVER.replace("2026-12-31", "2027-03-15"), ["X051"]),
        (WAIVER.replace("2026-12-31", "2026-09-14"), ["X051"]),
        (WAIVER.replace("2026-12-31", "2026-11-31"), ["X051"]),
        (WAIVER.replace("2026-12-31", "soon"), ["S006"]),
        (WAIVER.replace(", expires: 2026-12-31", ""), ["S001"]),
        (WAIVER.replace("owner: dpo, ", ""), ["S001"]),
        (WAIVER.replace("sets: ['*']", "sets: []"), ["S007"]),
        (WAIVER.replace("P013", "P999"), ["X050"]),
    ],
)
def test_what_is_wrong_with_a_waiver_has_a_code(entry: str, found: list[str]) -> None:
    assert codes(waivers=f"waivers:\n  - {entry}\n") == found


def test_findings_about_policy_files_show_the_place_and_the_way_out(golden: Callable[[str, str], None]) -> None:
    policy = (
        "enabled: [baseline]\ndisabled: [P13]\nthresholds:\n  - id: P010\n    metric: hidden_rate\n"
        '    condition: "<= 90"\nrules: [nobody]\n'
    )
    waivers = f"waivers:\n  - {WAIVER.replace('2026-12-31', '2027-12-31')}\n"
    _, found = made(policy, waivers=waivers)
    sources = {
        "policies/0.yaml": HEAD + "kind: Policy\n" + policy,
        "policies/waivers.yaml": HEAD + "kind: Waivers\n" + waivers,
    }
    golden("policy/diagnostics.txt", as_text(found, sources))


def test_a_threshold_is_about_its_sets_and_about_what_was_measured() -> None:
    book, _ = made("enabled: []\nthresholds: [{id: X-h, metric: hidden_rate, condition: '>= 90', sets: [claims-*]}]\n")
    (rule,) = book.rules

    def details(name: str, metrics: dict[str, dict[str, float]] | None) -> list[str]:
        return [hit.detail for hit in rule.check(Facts(wish(name), metrics=metrics))]

    assert details("claims-1", {"a": {"hidden_rate": 95.0}, "b": {"hidden_rate": 88.26}}) == ["88.3, asked for >= 90"]
    assert details("claims-1", {"a": {"hidden_rate": 90.0}}) == []
    assert details("claims-1", {"a": {}}) == ["not measured, asked for >= 90"]
    assert details("claims-1", None) == []
    assert details("patients", {"a": {"hidden_rate": 1.0}}) == []


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["required_approvers: ['@acme/dpo']\n"], ["X054"]),
        (["required_approvers: ['@acme/dpo']\n", "approvers: {Acme/dpo: [a.martin]}\n"], []),
        (["approvers: {dpo: [a.martin]}\n"], ["X054"]),
        (["required_approvers: [dpo]\napprovers: {dpo: [a.martin]}\n"], []),
        (["required_approvers: [dpo]\n"], []),
        (["required_approvers: [dpo]\napprovers: {dpo: []}\n"], ["S007"]),
    ],
)
def test_approvers_that_are_asked_for_in_vain_are_told(texts: list[str], found: list[str]) -> None:
    assert codes(*texts) == found


def test_groups_and_limits_of_several_files_add_up() -> None:
    book, _ = made(
        "required_approvers: [dpo]\napprovers: {dpo: [a]}\nledger: {max_releases: 3}\n",
        "approvers: {dpo: [b]}\nledger: {max_epsilon: 2, max_releases: 9}\n",
    )
    assert book.approvers == {"dpo": ["a", "b"]}
    assert (book.ledger.max_releases, book.ledger.max_epsilon) == (3, 2.0)
    assert {"P070", "P071", "P072"} <= ids(book)
    assert book.counts_releases
    assert not made("enabled: [baseline]\n")[0].counts_releases
    assert made("enabled: [baseline]\nrules: [hospital]\n")[0].counts_releases


def test_a_regression_has_an_id_a_metric_that_exists_and_a_severity() -> None:
    book, found = made("regressions: [{metric: hidden_rate, severity: warn}, {metric: local_cloaking, id: X-cloak}]\n")
    assert found == ()
    assert {"worse-hidden_rate", "X-cloak"} <= ids(book)
    assert book.regressive
    assert codes("regressions: [{metric: hidden_rat}]\n") == ["X013"]
    assert codes("regressions: [{metric: hidden_rate}, {metric: hidden_rate}]\n") == ["X052"]
