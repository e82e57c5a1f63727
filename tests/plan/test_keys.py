"""Keys from names and numbers: what is guessed, what is left alone, and that nothing declared is contradicted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_gitops.plan.desired import desire
from avatar_gitops.plan.keys import KeyFacts, Kind, TableKeys, guess_keys, may_be_key, with_keys
from avatar_gitops.spec.models import AvatarRun
from tests.support.planning import plain

OWN = KeyFacts(Kind.WHOLE_NUMBERS, 100, 0, 0)
SHARED = KeyFacts(Kind.WHOLE_NUMBERS, 300, 0, 290)
TWICE = KeyFacts(Kind.TEXT, 100, 0, 4)
MEASURED = KeyFacts(Kind.OTHER_NUMBERS, 100, 0, 0)


def run_of(**tables: dict[str, Any]) -> AvatarRun:
    said = {name: {"source": f"data/{name}.csv", "columns": columns} for name, columns in tables.items()}
    return AvatarRun.model_validate_json(json.dumps(plain(tables=said)))


def test_keys_are_called_after_their_table_or_after_another() -> None:
    facts = {
        "patients": {"p_id": OWN, "ward_no": SHARED},
        "wards": {"ward_no": OWN, "id_bed": OWN},
        "visit": {"visit_id": OWN, "patient_id": SHARED, "wardNo": SHARED},
        "consent": {"patient_id": OWN},
    }
    assert guess_keys(run_of(patients={}, wards={}, visit={}, consent={}), facts) == {
        "patients": TableKeys("p_id", ("ward_no",)),
        "wards": TableKeys("ward_no"),
        "visit": TableKeys("visit_id", ("patient_id", "wardNo")),
        "consent": TableKeys(None, ("patient_id",)),
    }


@pytest.mark.parametrize(
    ("about", "key"),
    [(OWN, "id"), (TWICE, "id"), (SHARED, None), (MEASURED, None), (KeyFacts(Kind.TEXT, 1, 0, 0), None)],
)
def test_a_key_has_another_value_in_each_row_or_in_nearly_each(about: KeyFacts, key: str | None) -> None:
    assert guess_keys(run_of(a={}, b={}), {"a": {"id": about}, "b": {}})["a"].primary == key


def test_a_doubtful_name_needs_values_that_leave_no_doubt() -> None:
    run = run_of(a={}, b={})
    assert guess_keys(run, {"a": {"dossier_no": OWN}, "b": {}})["a"].primary == "dossier_no"
    assert guess_keys(run, {"a": {"dossier_no": TWICE}, "b": {}})["a"].primary is None
    unknown = KeyFacts(Kind.TEXT, 9, 0, 0, known=False)
    assert guess_keys(run, {"a": {"id": unknown}, "b": {}})["a"].primary is None
    assert guess_keys(run, {"a": {"id": OWN}, "b": {"a_id": MEASURED}})["b"].foreign == ()


def test_what_is_declared_is_never_contradicted() -> None:
    run = run_of(a={"code": {"primary_key": True}, "id": {"identifier": True}}, b={"a_id": {"identifier": True}})
    keys = guess_keys(run, {"a": {"id": OWN, "code": SHARED}, "b": {"id": OWN, "a_id": OWN}})
    assert keys == {"a": TableKeys("code", ("id",)), "b": TableKeys("id", ("a_id",))}


@pytest.mark.parametrize(
    ("column", "worth"),
    [
        ("patient_id", True), ("PatientID", True), ("patientid", True), ("id_patient", True), ("ward", True),
        ("numero_patient", True), ("code", True), ("said", True), ("age", False), ("number_of_visits", False),
        ("nb_visits", False), ("visit_count", False), ("no_wards", False), ("idle", False), ("out", False),
        ("gone_id", False), ("numéro_patient", True), ("N° patient", False), ("nb_séjours", False),
        ("PATIENT_ID", True),
        ("né_le", False), ("Patient.Id", True), ("secret_id", False), ("at", False), ("--", False),
    ],
)  # fmt: skip
def test_only_what_is_called_like_a_key_is_read(column: str, worth: bool) -> None:
    columns = {
        "said": {"identifier": True},
        "gone_id": {"drop": True},
        "secret_id": {"pseudonymization": {"kind": "UUID4"}},
        "at": {"time_series_time": True},
    }
    assert may_be_key(column, "visits", run_of(visits=columns, patients={}, ward={})) is worth


def test_keys_are_declared_in_a_copy_and_links_taken_out() -> None:
    link = {"field": "id", "to": {"table": "b", "field": "a"}}
    tables = {
        "a": {"source": "a.csv", "columns": {"id": {"primary_key": True, "type": "int"}}, "links": [link]},
        "b": {"source": "b.csv", "columns": {"a": {"identifier": True}}},
    }
    item = desire(AvatarRun.model_validate_json(json.dumps(plain(tables=tables))), "x.yaml", ())
    made = with_keys(item, {"b": TableKeys("nr", ("a",))}, links=False).run.spec.tables
    assert made["b"].columns["nr"].primary_key and made["b"].columns["a"].identifier
    assert made["a"].links is None
    assert made["a"].columns == item.run.spec.tables["a"].columns
    assert with_keys(item, {}).run == item.run
    assert "nr" not in item.run.spec.tables["b"].columns
