"""Advised links beside declared ones: what is proposed is always possible, and what is not says why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.advice import KeyedTable
from avatar_gitops.engine.links.advice import advise_links as by_name
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.keys import TableKeys
from avatar_gitops.plan.link_advice import (
    AdvisedLinks,
    Ends,
    KeyCheck,
    LinkAdvice,
    Standing,
    advise_links,
    key_words,
)
from avatar_gitops.spec.checks_links import check_links
from avatar_gitops.spec.editing import with_item, with_value
from avatar_gitops.spec.fields import Privacy
from avatar_gitops.spec.models import AvatarRun, LinkMethod
from avatar_gitops.spec.parse import parse_run
from tests.support.planning import plain

SUM, NEAREST = LinkMethod.LINEAR_SUM_ASSIGNMENT, LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT
HOLDS = KeyCheck(0, 0, 0, 0, several=True)
P, D = Ends("patient", "p_id", "visit", "patient_id"), Ends("doctor", "d_id", "visit", "doctor_id")
KEYS = {
    "patient": TableKeys("p_id"),
    "doctor": TableKeys("d_id"),
    "visit": TableKeys("visit_id", ("patient_id", "doctor_id")),
}
BOTH = {P: (SUM, "medium"), D: (SUM, "high")}


def a_set(**tables: Mapping[str, Any]) -> DesiredSet:
    said = {name: {"source": f"{name}.csv", "avatarization": {"k": 5}, **table} for name, table in tables.items()}
    return desire(AvatarRun.model_validate_json(json.dumps(plain(tables=said))), "x.yaml", ())


def hospital(method: str = SUM.value, **more: Mapping[str, Any]) -> DesiredSet:
    """Three tables of which patients are linked to visits."""
    link = {"field": "p_id", "to": {"table": "visit", "field": "patient_id"}, "method": method}
    patient = {"columns": {"p_id": {"primary_key": True}}, "links": [link]}
    return a_set(patient=patient, doctor={}, visit={"columns": {"patient_id": {"identifier": True}}}, **more)


def found(item: DesiredSet, links: Mapping[Ends, tuple[LinkMethod, str]], *broken: Ends) -> LinkAdvice:
    checks = dict.fromkeys((P, D), HOLDS) | {ends: KeyCheck(0, 0, 3, 0, several=False) for ends in broken}
    return advise_links(item, KEYS, AdvisedLinks(links), checks)


def standings(advice: LinkAdvice) -> dict[str, Standing]:
    return {one.ends.foreign_key: one.standing for one in advice.findings}


def test_keys_and_links_are_proposed_together() -> None:
    made = found(a_set(patient={}, doctor={}, visit={}), BOTH)
    assert standings(made) == {"patient_id": Standing.PROPOSED, "doctor_id": Standing.PROPOSED}
    assert {one.path[2:]: one.proposed for one in made.proposals} == {
        ("patient", "columns", "p_id", "primary_key"): True,
        ("doctor", "columns", "d_id", "primary_key"): True,
        ("visit", "columns", "visit_id", "primary_key"): True,
        ("visit", "columns", "patient_id", "identifier"): True,
        ("visit", "columns", "doctor_id", "identifier"): True,
        ("patient", "links", 0): {
            "field": "p_id",
            "to": {"table": "visit", "field": "patient_id"},
            "method": "linear_sum_assignment",
        },
        ("doctor", "links", 0): {
            "field": "d_id",
            "to": {"table": "visit", "field": "doctor_id"},
            "method": "linear_sum_assignment",
        },
    }
    assert len(made.notes) == 1
    assert found(a_set(patient={}, doctor={}, visit={"individual_level": True}), BOTH).notes == ()


def test_keys_stay_keys_where_links_are_not_possible() -> None:
    made = found(a_set(patient={}, doctor={}, visit={}), BOTH, P)
    assert standings(made) == {"patient_id": Standing.BROKEN, "doctor_id": Standing.BLOCKED}
    assert len(made.proposals) == 5
    assert all(one.path[3] == "columns" for one in made.proposals)
    refused = advise_links(a_set(patient={}, doctor={}, visit={}), KEYS, AdvisedLinks(refused="too old"), {})
    assert refused.keys == KEYS
    assert len(refused.proposals) == 5


@pytest.mark.parametrize(
    ("method", "links", "standing", "why"),
    [
        (SUM, BOTH, Standing.DECLARED, "declared, as advised"),
        (NEAREST, BOTH, Standing.DIFFERS, "declared; advised: linear_sum_assignment"),
        (LinkMethod.TIME_SERIES, BOTH, Standing.DECLARED, "declared, as advised"),
        (SUM, {D: (SUM, "high")}, Standing.DECLARED, "declared; the names say nothing"),
        (
            SUM,
            {Ends("doctor", "d_id", "visit", "patient_id"): (SUM, "low")},
            Standing.DIFFERS,
            "declared; by its name it leads to doctor",
        ),
    ],
)
def test_declared_links_are_compared(
    method: LinkMethod, links: Mapping[Ends, tuple[LinkMethod, str]], standing: Standing, why: str
) -> None:
    one = found(hospital(method.value), links).findings[0]
    assert (one.declared, one.standing, one.why) == (True, standing, why)


def test_methods_are_proposed_beside_what_is_written_and_say_which_way_privacy_moves() -> None:
    for method, way in ((NEAREST, Privacy.UNKNOWN), ("sensitive_original_order_assignment", Privacy.STRONGER)):
        [proposal] = [one for one in found(hospital(str(method)), BOTH).proposals if one.path[-1] == "method"]
        assert (proposal.written, proposal.proposed, proposal.privacy) == (True, SUM, way)


def test_a_declared_link_whose_keys_do_not_hold_is_told() -> None:
    one = found(hospital(), BOTH, P).findings[0]
    assert (one.declared, one.standing) == (True, Standing.BROKEN)
    assert "leave their key empty" in one.fix


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"room": {}}, "table room would hang apart"),
        ({"doctor": {"avatarization": {"k": 5, "holdout_share": 0.2}}}, "holdout_share of doctor"),
        ({"visit": {"avatarization": {"open_dp": {"epsilon": 1}}}}, "open_dp of visit"),
        (
            {"visit": {"avatarization": {"k": 5, "data_augmentation": {"augmentation_strategy": 2}}}},
            "data_augmentation",
        ),
    ],
)
def test_links_that_no_spec_could_have_are_not_proposed(tables: dict[str, Any], why: str) -> None:
    made = found(a_set(**{"patient": {}, "doctor": {}, "visit": {}, **tables}), BOTH)
    blocked = [one for one in made.findings if one.standing is Standing.BLOCKED]
    assert any(why in one.why for one in blocked)
    assert all(one.fix for one in blocked)
    assert not any(one.path[3] == "links" for one in made.proposals)


def test_two_tables_have_one_link_and_links_no_circle() -> None:
    other = Ends("patient", "p_id", "visit", "referred_by")
    back = Ends("visit", "visit_id", "patient", "last_visit_id")
    down, round_about = Ends("visit", "visit_id", "doctor", "visit_id"), Ends("doctor", "d_id", "patient", "doctor_id")
    assert (
        found(hospital(), {P: (SUM, "high"), other: (SUM, "low")}).findings[1].why.startswith("patient and visit are")
    )
    assert standings(found(hospital(), {back: (SUM, "low")}))["last_visit_id"] is Standing.BLOCKED
    made = found(hospital(), {down: (SUM, "high"), round_about: (SUM, "low")})
    assert standings(made)["visit_id"] is Standing.PROPOSED
    assert "circle" in made.findings[-1].why


def test_a_column_of_times_may_be_that_of_a_series() -> None:
    plain_set = a_set(patient={}, doctor={}, visit={"individual_level": False})
    inputs = [TableInput("visit", "sha256:" + "a" * 64, 9, ("visit_id", "T"), "<100")]
    item = desire(plain_set.run, "x.yaml", inputs)
    [note] = found(item, BOTH).notes
    assert note.startswith("if visit.T is the time of a series of each row of patient:")
    said = a_set(patient={}, doctor={}, visit={"individual_level": False, "columns": {"T": {"time_series_time": True}}})
    assert found(desire(said.run, "x.yaml", inputs), BOTH).notes == found(plain_set, BOTH).notes == ()


def test_rows_are_said_in_buckets() -> None:
    check = KeyCheck(1, 2_000, 150, 4, several=True)
    assert key_words(P, check) == (
        "<100 rows of patient have no key; 1k-10k rows of patient share their key;"
        " 100-1k rows of visit name no row of patient"
    )
    assert key_words(P, KeyCheck(0, 0, 0, 4, several=True)) == "hold; <100 rows name none"
    assert "2000" not in repr(check) and "150" not in repr(check)


NAMES = ("patient", "doctor", "visit", "ward")


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_spec_with_all_proposals_is_valid_and_asks_for_nothing_more(data: st.DataObject) -> None:
    """Whatever keys there are and whichever of them hold: the platform's own advice, written into a spec."""
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=2, unique=True))
    foreign = st.lists(st.sampled_from([f"{name}_id" for name in NAMES] + ["other"]), unique=True, max_size=3)
    keys = {name: TableKeys(data.draw(st.sampled_from([None, "code"])), tuple(data.draw(foreign))) for name in names}
    tables = [KeyedTable(name, own.primary, own.foreign) for name, own in keys.items()]
    advice = by_name(tables)
    said = AdvisedLinks(
        {
            Ends(link.parent, link.key, link.child, link.foreign_key): (SUM, str(sure))
            for link, sure in advice.links.items()
        },
        advice.unlinked,
    )
    checks = {
        ends: data.draw(st.sampled_from([HOLDS, None, KeyCheck(0, 0, 1, 0, several=True)])) for ends in said.links
    }
    text = json.dumps(plain(tables={name: {"source": f"{name}.csv", "avatarization": {"k": 5}} for name in names}))
    item = desire(AvatarRun.model_validate_json(text), "x.yaml", ())
    for one in advise_links(item, keys, said, checks).proposals:
        is_link = one.path[-2] == "links"
        text = with_item(text, one.path[:-1], one.proposed) if is_link else with_value(text, one.path, one.proposed)
    parsed = parse_run(text, Path("x.yaml").name)
    assert parsed.value is not None, parsed.diagnostics
    assert list(check_links(parsed, parsed.value, {})) == []
    again = advise_links(desire(parsed.value, "x.yaml", ()), keys, said, checks)
    assert again.proposals == ()
    assert not any(one.standing is Standing.PROPOSED for one in again.findings)
