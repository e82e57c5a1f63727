"""Each rule objects to what its title says and to nothing else; titles, reasons and pages belong together."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from avatar_gitops.cli.commands.explain import pages, title
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.policy.cases import EXAMPLE, found, overlay
from avatar_gitops.policy.engine import UNUSED_WAIVER, Book
from avatar_gitops.policy.model import Facts, Level, Stage
from avatar_gitops.policy.regressions import RegressionRule
from avatar_gitops.policy.rules.sets import BUILT_IN, SETS, homes
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.policies import PolicyCase, Regression, RuleSet

ALL = Book(tuple(BUILT_IN.values()), required_approvers=("@DPO-team",))


def case(**parts: Any) -> PolicyCase:
    return PolicyCase.model_validate_json(json.dumps({"name": "case", **parts}))


def table(**parts: Any) -> dict[str, Any]:
    return {"tables": {"people": parts}}


def method(**parts: Any) -> dict[str, Any]:
    return table(avatarization=parts)


def waived(rule: str, owner: str, expires: str = "2026-03-01") -> dict[str, Any]:
    return {
        "rule": rule,
        "sets": ["*"],
        "owner": owner,
        "reason": "Pilot",
        "granted": "2026-01-01",
        "expires": expires,
    }


def linked(how: str) -> dict[str, Any]:
    return table(links=[{"field": "id", "to": {"table": "visit", "field": "patient_id"}, "method": how}])


def dp(epsilon: float) -> dict[str, Any]:
    return method(k=None, open_dp={"epsilon": epsilon})


EARLIER = {"recipient": "opendata", "columns": ["age", "ward"]}
EXCLUDED = {"variable_names": ["ward"], "replacement_strategy": "row_order"}
OBJECTIONS = {
    "P010": case(spec=method(k=4)),
    "P011": case(spec={**method(k=9), "pia": {"data_recipient": "outside_eu"}}),
    "P012": case(metrics={"hidden_rate": 91.2}),
    "P013": case(spec={"seed": None}),
    "P014": case(spec=table(columns={"ssn": {"tag": "identifier"}})),
    "P015": case(spec=method(exclude_variables=EXCLUDED)),
    "P016": case(
        spec=method(data_augmentation={"augmentation_strategy": 2.0, "should_anonymize_original_table": False})
    ),
    "P017": case(spec=table(columns={"letter": {"tag": "free_text"}})),
    "P018": case(spec=method(k=None, open_dp={"epsilon": 10.5})),
    "P019": case(spec=linked("sensitive_original_order_assignment")),
    "P025": case(spec=table(processors=[{"kind": "perturbation", "perturbation_level": {"age": 0.9}}])),
    "P020": case(spec={"gates": None}),
    "P021": case(
        spec={"gates": {"hidden_rate": None, "local_cloaking": ">= 5"}, "pia": {"data_recipient": "opendata"}}
    ),
    "P022": case(spec={"gates": {"hidden_rate": ">= 70"}, "pia": {"data_recipient": "outside_eu"}}),
    "P023": case(spec={"jobs": ["standard"]}),
    "P024": case(spec=table(columns={"age": {"tag": "quasi_identifier"}})),
    "P031": case(published={"tables": {"people": {"avatarization": {"k": 30}}}}),
    "P032": case(spec=method(k=4), author="anna", waivers=[waived("P010", "Anna")], expect=["P010"]),
    "P040": case(metadata={"owner": None}),
    "P041": case(rows="<100"),
    "P042": case(spec={"pia": {"data_type": "health", "retention": None}}),
    "P043": case(spec={"pia": {"data_type": None}}),
    "P044": case(spec={"pia": {"data_recipient": "opendata", "legal_basis": None}}),
    "P045": case(spec={"pia": {"data_recipient": None}}),
    "P061": case(stage="after", metrics={"hidden_rate": 29.9}),
    "P070": case(releases=[{}] * 5),
    "P071": case(spec=dp(4.5), releases=[{"epsilon": 3.0}, {"epsilon": 2.6}]),
    "P072": case(releases=[EARLIER], columns=["age", "height"]),
    "P062": case(stage="after", spec={"pia": {"data_type": "health"}}, metrics={"local_cloaking": 4.0}),
}
CONTENT = [
    case(),
    case(spec=method(k=5)),
    case(spec={**method(k=10), "pia": {"data_recipient": "outside_eu"}}),
    case(metrics={"hidden_rate": 95.0}),
    case(metrics={"hidden_rate": 60.0}),
    case(spec=table(columns={"ssn": {"tag": "identifier", "drop": True}})),
    case(spec=table(columns={"ssn": {"tag": "identifier", "pseudonymization": {"kind": "UUID4"}}})),
    case(spec=table(columns={"id": {"tag": "identifier", "primary_key": True}})),
    case(spec=method(exclude_variables={**EXCLUDED, "replacement_strategy": "coordinate_similarity"})),
    case(spec=method(k=None, open_dp={"epsilon": 10.0})),
    case(spec={"seed": None, **dp(2.0)}),
    case(spec=linked("minimum_distance_assignment")),
    case(spec={"pia": {"data_recipient": "opendata"}}),
    case(spec=table(columns={"age": {"tag": "quasi_identifier"}}, privacy_metrics={"known_variables": ["age"]})),
    case(published=method(k=10)),
    case(published=method(k=30), approved_by=["someone", "dpo-TEAM"]),
    case(rows="100-1k"),
    case(spec={"pia": {"data_type": "health"}}),
    case(stage="after", metrics={"hidden_rate": 30.0, "local_cloaking": 1.0}),
    case(stage="after", spec={"pia": {"data_type": "health"}}, metrics={"local_cloaking": 5.0}),
    case(stage="after", spec=method(k=None, open_dp={"epsilon": 1.0}), metrics={"hidden_rate": 1.0}),
    case(spec=method(k=4), author="anna", waivers=[waived("P010", "dpo")]),
    case(spec=method(k=4), author="anna", waivers=[waived("P010", "anna")], base_waivers=[waived("P010", "anna")]),
    case(published=method(k=30), approved_by=["anna", "dpo-team"], author="anna"),
    case(releases=[{}] * 4),
    case(spec=dp(4.4), releases=[{"epsilon": 3.0}, {"epsilon": 2.6}]),
    case(releases=[EARLIER], columns=["height"]),
]


@pytest.mark.parametrize("rule", OBJECTIONS)
def test_a_rule_alone_objects_to_what_it_is_for(rule: str) -> None:
    assert {*found(OBJECTIONS[rule], ALL)} == {rule, *OBJECTIONS[rule].expect}


@pytest.mark.parametrize("number", range(len(CONTENT)))
def test_no_rule_objects_to_what_is_in_order(number: int) -> None:
    assert found(CONTENT[number], ALL) == ()


def test_every_rule_is_tried() -> None:
    assert set(BUILT_IN) == {*OBJECTIONS, UNUSED_WAIVER, "P050"}


def released(name: str, digest: str) -> DesiredSet:
    run = AvatarRun.model_validate_json(json.dumps(overlay(EXAMPLE, {"metadata": {"name": name}})))
    return desire(run, f"configs/{name}.yaml", [TableInput("people", f"sha256:{digest * 64}", 1, (), "1k-10k")])


def test_data_that_are_released_in_several_sets_are_noticed_in_each() -> None:
    sets = (released("a", "1"), released("b", "1"), released("c", "2"))
    rule = BUILT_IN["P050"]
    said = {item.name: [hit.detail for hit in rule.check(Facts(item, others=sets))] for item in sets}
    assert said == {"a": ["also in b"], "b": ["also in a"], "c": []}


def test_a_release_without_published_metrics_is_not_near_any_gate() -> None:
    assert list(BUILT_IN["P012"].check(Facts(released("a", "1")))) == []
    assert list(BUILT_IN["P012"].check(Facts(released("a", "1"), metrics={}))) == []


@pytest.mark.parametrize(
    ("gate", "value", "near"),
    [
        ("hidden_rate >= 90", 90.0, True),
        ("hidden_rate >= 90", 94.9, True),
        ("hidden_rate >= 90", 95.0, False),
        ("hidden_rate >= 90", 89.0, False),
        ("local_cloaking >= 10", 10.5, True),
        ("local_cloaking >= 10", 11.0, False),
        ("correlation_difference_ratio <= 10", 9.5, True),
        ("correlation_difference_ratio <= 10", 6.7, False),
        ("hellinger_mean <= 0.1", 0.095, True),
        ("hellinger_mean <= 0.1", 0.08, False),
    ],
)
def test_near_a_gate_is_a_few_points_or_a_tenth_of_the_bound(gate: str, value: float, near: bool) -> None:
    metric, _, condition = gate.partition(" ")
    near_floor = Book((BUILT_IN["P012"],))
    tried = case(spec={"gates": {"hidden_rate": None, metric: condition}}, metrics={metric: value})
    assert bool(found(tried, near_floor)) is near


@pytest.mark.parametrize(
    ("required", "given", "passes"),
    [
        ((), (), False),
        ((), ("anna",), True),
        (("dpo",), ("anna",), False),
        (("dpo", "ciso"), ("@ciso",), True),
        (("@dpo",), ("DPO",), True),
    ],
)
def test_weaker_privacy_passes_with_the_right_name(
    required: tuple[str, ...], given: tuple[str, ...], passes: bool
) -> None:
    weaker = case(published=method(k=30), approved_by=list(given))
    assert found(weaker, Book((BUILT_IN["P031"],), required_approvers=required)) == (() if passes else ("P031",))


@pytest.mark.parametrize(
    ("value", "more", "found_it"),
    [
        (94.0, {"noise": {"hidden_rate": {"sd": 0.8}}}, False),
        (92.0, {"noise": {"hidden_rate": {"sd": 0.8}}}, True),
        (92.0, {"noise": {"hidden_rate": {"sd": 0.8, "n": 3}}}, False),
        (94.9, {}, True),
        (95.0, {}, False),
        (94.0, {"stage": "before"}, False),
    ],
)
def test_a_policy_test_can_state_what_was_published_and_how_noisy_it_is(
    value: float, more: dict[str, Any], found_it: bool
) -> None:
    rule = RegressionRule(Regression(metric="hidden_rate"))
    said: dict[str, Any] = {"stage": "after", "published_metrics": {"hidden_rate": 95.0}, **more}
    tried = case(metrics={"hidden_rate": value}, **said)
    assert found(tried, Book((rule,))) == (("worse-hidden_rate",) if found_it else ())


def test_a_finding_about_weaker_privacy_names_what_gets_weaker() -> None:
    from avatar_gitops.plan.model import Consequence, FieldChange, Privacy

    path = ("spec", "tables", "people", "avatarization", "k")
    change = FieldChange(path, 30, 20, Consequence.RERUN_ALL, Privacy.WEAKER, 9)
    (hit,) = BUILT_IN["P031"].check(Facts(released("a", "1"), fields=(change,), required_approvers=("@dpo",)))
    assert hit.message == "weaker privacy needs approval by @dpo"
    assert hit.detail == "tables.people.avatarization.k; approvals: none"
    assert hit.path == path


def test_a_set_of_rules_holds_what_it_is_called() -> None:
    assert {rule.id for rule in SETS[RuleSet.BASELINE]} < {rule.id for rule in SETS[RuleSet.STRICT]}
    assert {rule.id for rule in SETS[RuleSet.BASELINE]} < {rule.id for rule in SETS[RuleSet.HEALTH]}
    assert len(SETS[RuleSet.BASELINE]) >= 12


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_rule_has_a_title_a_reason_and_a_page_that_says_both(name: str) -> None:
    rule, page = BUILT_IN[name], pages()[name]
    assert title(page) == f"{name}  {rule.title}"
    assert len(rule.why) > 60
    assert rule.why in page
    when = "before a run" if rule.stage is Stage.BEFORE else "after a run"
    assert f"Rule sets: {', '.join(homes(name))}. Severity: {rule.severity}. Looks {when}" in page
    assert page.index("\nWrong\n") < page.index("\nRight\n") < page.index("\nSee also: ")


def test_there_is_no_page_of_a_rule_that_does_not_exist() -> None:
    assert {code for code in pages() if re.fullmatch(r"P\d{3}", code)} == set(BUILT_IN)


def test_ids_are_public_and_only_change_on_purpose() -> None:
    assert " ".join(sorted(BUILT_IN)) == (
        "P010 P011 P012 P013 P014 P015 P016 P017 P018 P019 P020 P021 P022 P023 P024 P025 P031 P032 P040 P041 P042 P043 "
        "P044 P045 P050 P061 P062 P070 P071 P072 P090"
    )
    assert Level.FAIL.value == "fail"
