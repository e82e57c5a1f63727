"""Links that names suggest: how sure they are, and when none is suggested."""

from __future__ import annotations

import pytest

from avatar_gitops.engine.links.advice import Confidence, KeyedTable, advise_links
from avatar_gitops.engine.links.model import Link

VISIT = KeyedTable("visit", "visit_id", ("patient_id", "doctor_id"))
PATIENT, DOCTOR = KeyedTable("patient", "p_id"), KeyedTable("doctors", "d_id")


def test_a_key_that_contains_the_name_of_a_table_leads_to_it() -> None:
    found = advise_links([PATIENT, DOCTOR, VISIT])
    assert found.links == {
        Link("patient", "p_id", "visit", "patient_id"): Confidence.MEDIUM,
        Link("doctors", "d_id", "visit", "doctor_id"): Confidence.MEDIUM,
    }
    assert found.unlinked == {}


def test_the_name_of_the_primary_key_and_a_single_parent_are_sure() -> None:
    patient = KeyedTable("person", "patient_id")
    found = advise_links([patient, DOCTOR, KeyedTable("visit", None, ("Patient_ID",))])
    assert found.links == {Link("person", "patient_id", "visit", "Patient_ID"): Confidence.HIGH}
    only = advise_links([KeyedTable("person", "nir"), KeyedTable("visit", "id", ("whom",))])
    assert only.links == {Link("person", "nir", "visit", "whom"): Confidence.HIGH}


def test_a_similar_name_is_a_weak_hint_and_a_foreign_one_none() -> None:
    tables = [KeyedTable("hospital", "code"), KeyedTable("person", "number")]
    weak = advise_links([*tables, KeyedTable("visit", None, ("hosp_code",))])
    assert weak.links == {Link("hospital", "code", "visit", "hosp_code"): Confidence.LOW}
    none = advise_links([*tables, KeyedTable("visit", None, ("xyz",))])
    assert none.links == {}
    assert none.unlinked == {("visit", "xyz"): ()}


@pytest.mark.parametrize(
    ("tables", "candidates"),
    [
        ([KeyedTable("a", "id"), KeyedTable("b", "id"), KeyedTable("c", None, ("id",))], ("a", "b")),
        ([PATIENT, DOCTOR, KeyedTable("visit", None, ("patient_id", "referring_patient"))], ("patient",)),
    ],
)
def test_what_is_not_clear_is_left_to_people(tables: list[KeyedTable], candidates: tuple[str, ...]) -> None:
    assert list(advise_links(tables).unlinked.values()) == [candidates]


def test_a_key_that_is_linked_already_is_left_alone() -> None:
    present = Link("doctors", "d_id", "visit", "patient_id")
    found = advise_links([PATIENT, DOCTOR, VISIT], [present])
    assert found.links == {}
    assert found.unlinked == {("visit", "doctor_id"): ("doctors",)}


def test_no_circle_is_suggested() -> None:
    tables = [
        KeyedTable("patient", "patient_id", ("stay_id",)),
        KeyedTable("stay", "stay_id", ("ward_id",)),
        KeyedTable("ward", "ward_id", ("patient_id",)),
    ]
    found = advise_links(tables)
    assert len(found.links) == 2
    assert len(found.unlinked) == 1
