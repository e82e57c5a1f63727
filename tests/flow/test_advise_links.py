"""Advice on links through the command line: keys and links proposed, compared, written; and no value ever shown."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.flow import Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
Golden = Callable[[str, str], None]

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: NAME}
spec:
  seed: 7
  tables:
    patient:
      source: data/patient.csv
      avatarization: {k: 5}  # agreed in May
    doctor:
      source: data/doctor.csv
      avatarization: {k: 5}

    # one row per consultation
    visit:
      source: data/visit.csv
      individual_level: LEVEL
      avatarization: {k: 5}
"""
DECLARED = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: NAME}
spec:
  seed: 7
  tables:
    patient:
      source: data/patient.csv
      columns: {p_id: {primary_key: true}}
      links:
        - {field: p_id, to: {table: visit, field: patient_id}, method: sensitive_original_order_assignment}  # fast
      avatarization: {k: 5}
    doctor:
      source: data/doctor.csv
      avatarization: {k: 5}
      columns: {d_id: {primary_key: true}}
      links: [{field: d_id, to: {table: visit, field: doctor_id}}]
    visit:
      source: data/visit.csv
      individual_level: false
      avatarization: {k: 5}
      columns: {visit_id: {primary_key: true}, patient_id: {identifier: true}, doctor_id: {identifier: true}}
"""


def hospital(cli: Cli, *, twice: int = 0, orphans: int = 0, empty: int = 0) -> None:
    """Three tables whose keys are words that may be shown to nobody; rows that do not fit are added."""
    draw = random.Random(5)
    patients, doctors = ([f"CANARY-{word}{number:03d}" for number in range(40)] for word in "pd")
    table = [f"{key},{draw.randint(20, 80)},{draw.choice('fm')}" for key in patients]
    table += [f"{patients[number]},44,f" for number in range(twice)]
    (cli.root / "data" / "patient.csv").write_text("p_id,age,gender\n" + "\n".join(table) + "\n")
    lines = (f"{key},{draw.choice(['surgeon', 'nurse'])},{draw.randint(30, 60)}" for key in doctors)
    (cli.root / "data" / "doctor.csv").write_text("d_id,job,seniority\n" + "\n".join(lines) + "\n")
    keys = [draw.choice(patients) for _ in range(90)] + ["CANARY-gone"] * orphans + ["NA"] * empty
    visits = (
        f"{1000 + number},{key},{draw.choice(doctors)},{draw.randint(1, 99) / 4}" for number, key in enumerate(keys)
    )
    (cli.root / "data" / "visit.csv").write_text("visit_id,patient_id,doctor_id,cost\n" + "\n".join(visits) + "\n")


def spec_of(cli: Cli, name: str, text: str = SPEC, level: str = "true") -> Any:
    spec = cli.spec(name)
    spec.write_text(text.replace("NAME", name).replace("LEVEL", level), encoding="utf-8")
    return spec


def links_of(cli: Cli, name: str) -> dict[str, Any]:
    told = cli("advise", name, "--format", "json")
    assert told.code == 0, told.text
    assert "CANARY" not in told.text
    links: dict[str, Any] = json.loads(told.out)["sets"][0]["links"]
    return links


def test_links_are_proposed_written_and_then_run(cli: Cli, platform: Platform, unique: Unique, golden: Golden) -> None:
    hospital(cli, empty=3)
    name = unique("linked")
    spec = spec_of(cli, name)
    spec.write_text(spec.read_text().replace("      individual_level: true\n", ""), encoding="utf-8")
    before = spec.read_text(encoding="utf-8")
    told = cli("advise", name, "--format", "json")
    assert spec.read_text(encoding="utf-8") == before

    written = cli("advise", name, "--write")
    assert written.code == 0, written.text
    text = spec.read_text(encoding="utf-8")
    again = cli("advise", name)
    screen = (
        f"$ avatar-gitops advise --help\n{cli('advise', '--help').out}\n$ avatar-gitops advise ward --write\n"
        f"{written.out}\n--- the spec\n{text}\n$ avatar-gitops advise ward\n{again.out}\n"
        f"$ avatar-gitops advise ward --format json | jq .sets[0].links\n"
        f"{json.dumps(json.loads(told.out)['sets'][0]['links'], indent=2)}\n"
    )
    golden("cli/advise-links.txt", screen.replace(name, "ward"))
    assert "CANARY" not in screen + told.text
    assert "avatarization: {k: 5, ncp: " in text and "}  # agreed in May" in text
    assert "\n\n    # one row per consultation\n" in text
    assert platform.jobs(name) == []
    for call in (("validate",), ("fmt", "--check"), ("plan",)):
        assert cli(*call).code == 0, call
    spec.write_text(text.replace("    visit:\n", "    visit:\n      individual_level: false\n"), encoding="utf-8")
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert "note:" not in cli("advise", name).out


@pytest.mark.parametrize("fault", ["twice", "orphans"])
def test_keys_that_do_not_hold_are_counted_coarsely_and_not_linked(
    cli: Cli, unique: Unique, golden: Golden, fault: str
) -> None:
    name = unique(fault)
    hospital(cli, **{fault: 3 if fault == "twice" else 120})
    spec = spec_of(cli, name)
    written = cli("advise", name, "--write")
    assert written.code == 0, written.text
    text = spec.read_text(encoding="utf-8")
    assert "links:" not in text
    assert "patient_id: {identifier: true}" in text and "drop" not in text
    golden(f"cli/advise-links-{fault}.txt", f"{written.out}\n--- the spec\n{text}".replace(name, "ward"))
    assert "CANARY" not in written.text
    found = {one["to"]["field"]: one for one in links_of(cli, name)["found"]}
    assert (found["patient_id"]["standing"], found["doctor_id"]["standing"]) == ("broken", "blocked")
    assert found["patient_id"]["keys"]["children_of_no_parent"] == ("100-1k" if fault == "orphans" else None)
    assert found["patient_id"]["keys"]["parents_that_share_a_key"] == ("<100" if fault == "twice" else None)
    assert cli("validate").code == 0


def test_declared_links_are_compared(cli: Cli, unique: Unique, golden: Golden) -> None:
    hospital(cli)
    name = unique("declared")
    spec = spec_of(cli, name, DECLARED)
    shown = cli("advise", name)
    assert shown.code == 0, shown.text
    kept = cli("advise", name, "--write")
    assert "sensitive_original_order_assignment}  # fast" in spec.read_text(encoding="utf-8"), kept.text
    replaced = cli("advise", name, "--write", "--overwrite")
    assert replaced.code == 0, replaced.text
    text = spec.read_text(encoding="utf-8")
    assert "field: patient_id}, method: linear_sum_assignment}  # fast" in text
    golden("cli/advise-links-declared.txt", f"{shown.out}\n--- after --write --overwrite\n{text}".replace(name, "ward"))
    assert [one["standing"] for one in links_of(cli, name)["found"]] == ["declared", "declared"]

    hospital(cli, orphans=2)
    found = links_of(cli, name)["found"]
    assert [(one["standing"], one["declared"]) for one in found] == [("broken", True), ("declared", True)]


def test_tables_without_keys_and_platforms_without_this_advice_are_told(
    cli: Cli, unique: Unique, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    hospital(cli)
    name = unique("unlinked")
    spec = spec_of(cli, name)
    monkeypatch.setattr("avatar_gitops.client.advice.ON_LINKS", "tables_joined")
    refused = cli("advise", name)
    assert refused.code == 0, refused.text
    monkeypatch.undo()
    (cli.root / "data" / "visit.csv").write_text("cost,room\n" + "".join(f"{n}.5,{n % 9}\n" for n in range(60)))
    nothing = cli("advise", name, "--write")
    assert nothing.code == 0, nothing.text
    assert "links" not in spec.read_text(encoding="utf-8")
    screen = f"--- an older platform\n{refused.out}\n--- no keys\n{nothing.out}"
    golden("cli/advise-links-none.txt", screen.replace(name, "ward").replace(cli.environment["AVATAR_BASE_URL"], "URL"))
