"""Digests: order and defaults never change them, fields that matter do; a plan's digest is what was reviewed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields as attributes
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.desired import DesiredSet, Digests, TableInput, avatars_input, desire, input_digest
from avatar_gitops.plan.diff import spec_changes
from avatar_gitops.plan.model import Action, Consequence, Plan, Privacy
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.planner import Options, plan, restrict
from avatar_gitops.plan.reviewed import Moved, moved, read, reviewed_digest
from avatar_gitops.plan.serial import document
from avatar_gitops.spec.models import AvatarRun
from tests.support.laws import law
from tests.support.planning import PROJECT, a_lock, a_version, an_input, plain, wish

Drawn = dict[str, Any]
K20: Drawn = {"avatarization": {"k": 20}}


@st.composite
def runs(draw: st.DrawFn) -> Drawn:
    """Runs that differ in fields of every consequence class and every ordered direction."""
    recipient = st.sampled_from(["internal", "trusted_thirdparty", "contractual_thirdparty", "outside_eu", "opendata"])
    columns = {"city": {"drop": draw(st.booleans())}, "sex": {"tag": draw(st.sampled_from(["sensitive", None]))}}
    table = {
        "columns": columns,
        "avatarization": {"k": draw(st.integers(2, 40)), "ncp": draw(st.sampled_from([None, 5]))},
        "privacy_metrics": {"known_variables": draw(st.sampled_from([["age"], ["age", "sex"]]))},
    }
    return {
        "table": table,
        "gates": {"hidden_rate": f">= {draw(st.integers(80, 95))}", "hellinger_mean": "<= 0.1"},
        "pia": {"data_recipient": draw(recipient), "language": draw(st.sampled_from(["en", "fr"]))},
        "metadata": {"owner": draw(st.sampled_from(["anna", "ben"]))},
    }


def differing(one: DesiredSet, other: DesiredSet) -> set[str]:
    return {a.name for a in attributes(Digests) if getattr(one.digests, a.name) != getattr(other.digests, a.name)}


def reordered(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: reordered(content[key]) for key in reversed(content)}
    return content


@law(2, examples=50)
@given(runs())
def test_the_order_of_keys_changes_no_digest(drawn: Drawn) -> None:
    text = json.dumps(reordered(plain(**drawn)))
    other = desire(AvatarRun.model_validate_json(text), "elsewhere.yaml", [an_input()], {("spec",): 99})
    assert other.digests == wish(**drawn).digests


CHANGES: list[tuple[Drawn, set[str]]] = [
    ({"table": {"avatarization": {"k": 21}}}, {"spec", "standard"}),
    ({"table": {**K20, "columns": {"age": {"type": "int"}}}}, {"spec", "standard"}),
    ({"table": {**K20, "columns": {"age": {"drop": True}}}}, {"spec", "standard"}),
    ({"table": {**K20, "source": "data/other.csv"}}, {"spec", "standard"}),
    ({"seed": 1}, {"spec", "standard"}),
    ({"results": {"format": "parquet"}}, {"spec", "standard"}),
    ({"table": {**K20, "privacy_metrics": {"target": "city"}}}, {"spec", "metrics"}),
    ({"table": {**K20, "signal_metrics": {"ncp": 3}}}, {"spec", "metrics"}),
    ({"pia": {"data_recipient": "internal"}}, {"spec", "metrics"}),
    ({"pia": {"data_type": "health"}}, {"spec", "reports"}),
    ({"pia": {"language": "fr"}}, {"spec", "reports"}),
    ({"results": {"report_format": "docx"}}, {"spec", "reports"}),
    ({"metadata": {"owner": "anna"}}, {"spec"}),
    ({"metadata": {"labels": {"a": "b"}}}, {"spec"}),
    ({"gates": {"hidden_rate": ">= 1"}}, {"spec"}),
    ({"pia": {"purpose": "care", "controller": "us", "legal_basis": "x", "retention": "1 y"}}, {"spec"}),
    ({"lifecycle": {"protect": True, "keep_versions": 2}}, {"spec"}),
    ({"jobs": ["standard"]}, {"spec"}),
    ({"table": {**K20, "columns": {"age": {"tag": "sensitive"}}}}, {"spec"}),
    ({"data": an_input("b")}, {"input"}),
]


@pytest.mark.parametrize(("change", "digests"), CHANGES)
def test_a_field_changes_the_digest_of_its_stage_and_no_other(change: Drawn, digests: set[str]) -> None:
    assert differing(wish(), wish(**change)) == digests


@pytest.mark.parametrize(
    "same",
    [
        {"pia": {"language": "en"}},
        {"lifecycle": {"keep_versions": 1}},
        {"table": {**K20, "source": {"uri": "data/patients.csv"}}},
        {"jobs": ["report_pia", "report", "signal_metrics", "privacy_metrics", "standard"]},
        {"table": {"avatarization": {"k": 20.0, "generation": "barycentre"}}},
    ],
)
def test_saying_a_default_changes_nothing(same: Drawn) -> None:
    assert wish(**same).digests == wish().digests


def test_declaring_a_column_without_saying_anything_runs_nothing_again() -> None:
    declared = wish(table={**K20, "columns": {"age": {}}})
    assert differing(wish(), declared) == {"spec"}
    assert spec_changes(wish().resolved, declared.resolved, {}) == ()


def test_the_input_digest_names_tables_and_knows_no_order() -> None:
    one, two = an_input("a"), TableInput("visits", "sha256:" + "b" * 64, 1, (), "<100")
    assert input_digest([one, two]) == input_digest([two, one])
    assert input_digest([one]) != input_digest([replace(one, table=avatars_input("patients"))])
    assert input_digest([replace(one, bytes=2, rows="<100", columns=("x",))]) == input_digest([one])


@law(2, examples=100)
@given(runs(), runs())
def test_every_difference_of_two_specs_is_shown_and_none_else(before: Drawn, after: Drawn) -> None:
    old, new = wish(**before), wish(**after)
    found = spec_changes(old.resolved, new.resolved, new.lines)
    assert all(change.before != change.after for change in found)
    stages = {change.consequence for change in found}
    names = {
        "standard": Consequence.RERUN_ALL,
        "metrics": Consequence.RERUN_METRICS,
        "reports": Consequence.RERUN_REPORTS,
    }
    assert {name for name, stage in names.items() if stage in stages} == differing(old, new) - {"spec"}
    assert bool(found) == (old.digests.spec != new.digests.spec)
    back = spec_changes(new.resolved, old.resolved, {})
    assert {(c.path, c.before, c.after) for c in map(_frozen, back)} == {
        (c.path, c.after, c.before) for c in map(_frozen, found)
    }


def _frozen(change: Any) -> Any:
    return replace(change, before=json.dumps(change.before), after=json.dumps(change.after))


@law(7, examples=100)
@given(runs(), runs())
def test_a_weaker_field_makes_the_change_weaker_and_is_never_neutral(before: Drawn, after: Drawn) -> None:
    version = a_version(wish(**before))
    lock = a_lock(wish(**before), version)
    (change,) = plan([wish(**after)], Observed("s", (version,)), {"patients": lock}, Options(), PROJECT).changes
    old, new = before["table"]["avatarization"]["k"], after["table"]["avatarization"]["k"]
    circle = ["internal", "trusted_thirdparty", "contractual_thirdparty", "outside_eu", "opendata"]
    weaker = (
        new < old
        or after["gates"]["hidden_rate"] < before["gates"]["hidden_rate"]
        or circle.index(after["pia"]["data_recipient"]) > circle.index(before["pia"]["data_recipient"])
        or after["table"]["columns"]["city"]["drop"] < before["table"]["columns"]["city"]["drop"]
        or len(after["table"]["privacy_metrics"]["known_variables"])
        < len(before["table"]["privacy_metrics"]["known_variables"])
        or (before["table"]["columns"]["sex"]["tag"] and not after["table"]["columns"]["sex"]["tag"])
    )
    assert (change.privacy is Privacy.WEAKER) == bool(weaker)
    assert [field.privacy for field in change.fields if field.privacy is Privacy.WEAKER] == [
        field.privacy for field in change.fields[: sum(f.privacy is Privacy.WEAKER for f in change.fields)]
    ]


def whole(desired: Sequence[DesiredSet], versions: Sequence[ServerSet] = (), server: str = "prod") -> Plan:
    return plan(desired, Observed(server, tuple(versions)), {}, Options(), PROJECT)


def test_ids_times_and_lines_are_no_part_of_a_digest() -> None:
    version = a_version(wish())
    later = replace(version, id="other", created_at=version.created_at + timedelta(days=1))
    moved_down = replace(wish(), lines={("metadata", "name"): 77})
    assert whole([wish()], [version]).digest == whole([moved_down], [later]).digest


def test_everything_that_was_reviewed_is_part_of_a_digest() -> None:
    plans = [
        whole([wish()]),
        whole([wish()], server="test"),
        whole([wish(seed=1)]),
        whole([wish(data=an_input("b"))]),
        whole([wish(), wish("ants")]),
        whole([wish()], [a_version(wish())]),
        replace(whole([])),
    ]
    assert len({item.digest for item in plans}) == len(plans)


def test_a_set_that_stays_as_it_is_does_not_move_the_digest() -> None:
    stays = wish("stays")
    version = a_version(stays)
    lock = {"stays": a_lock(stays, version)}
    beside = plan([wish(), stays], Observed("prod", (version,)), lock, Options(), PROJECT)
    assert beside.digest == whole([wish()]).digest
    assert restrict(beside, {"patients"}).digest == beside.digest


def test_what_moved_since_the_review_is_named() -> None:
    content = json.loads(json.dumps(document(whole([wish("ants"), wish("bees"), wish("wasps")]))))
    done = a_version(wish("bees"))
    now = whole([wish("ants"), wish("bees"), wish("cats")], [done])
    assert moved(content, now) == (
        Moved("bees", Action.LAUNCH, Action.COLLECT),
        Moved("cats", None, Action.LAUNCH),
        Moved("wasps", Action.LAUNCH, None),
    )
    assert moved(document(now), now) == ()
    reviewed = read(content)
    assert reviewed_digest(content) == content["digest"]
    assert (reviewed.digest, reviewed.project, reviewed.server) == (content["digest"], PROJECT, "prod")


@pytest.mark.parametrize("broken", [{}, {"format": "else"}, {"version": "2.0"}, {"digest": None}, {"changes": "no"}])
def test_a_file_that_is_no_plan_is_refused(broken: Drawn) -> None:
    content = {**document(whole([wish()])), **broken} if broken else {}
    with pytest.raises(IntegrityError, match="not a plan"):
        read(content)


def test_a_field_that_this_version_does_not_know_is_shown_as_consequential() -> None:
    (change,) = spec_changes({"spec": {"teleport": 1}}, {"spec": {}}, {})
    assert (change.path, change.before, change.after) == (("spec", "teleport"), 1, None)
    assert (change.consequence, change.privacy, change.line) == (Consequence.RERUN_ALL, Privacy.UNKNOWN, 0)
