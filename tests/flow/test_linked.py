"""Linked tables through the command line: keys that hold, gates on the worst block, blocks in every document."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pcsv
import pytest

from tests.engine.hospital import LINKS, hospital
from tests.support.flow import FIVE, Cli, Platform

Unique = Callable[[str], str]

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: {name}
spec:
  seed: 7
  tables:
    ward:
      source: data/ward.csv
      columns: {{ward: {{primary_key: true}}}}
      links: [{{field: ward, to: {{table: patient, field: ward}}}}]
      avatarization: {{k: 3}}
    patient:
      source: data/patient.csv
      columns: {{id: {{primary_key: true}}, ward: {{identifier: true}}}}
      links: [{{field: id, to: {{table: visit, field: patient_id}}, method: {method}}}]
      avatarization: {{k: 4}}
      privacy_metrics: {{known_variables: [sex], target: age}}
    doctor:
      source: data/doctor.csv
      columns: {{code: {{primary_key: true}}}}
      links: [{{field: code, to: {{table: visit, field: doctor}}, method: minimum_distance_assignment}}]
      avatarization: {{k: 3}}
    visit:
      source: data/visit.csv
      individual_level: false
      columns: {{visit: {{primary_key: true}}, patient_id: {{identifier: true}}, doctor: {{identifier: true}}}}
      avatarization: {{k: 4}}
  gates: {{hidden_rate: ">= {gate}"}}
"""


def write_spec(cli: Cli, name: str, method: str = "linear_sum_assignment", gate: int = 5) -> None:
    for table in hospital():
        pcsv.write_csv(table.rows, cli.root / "data" / f"{table.name}.csv")
    (cli.root / "configs").mkdir(exist_ok=True)
    (cli.root / "configs" / f"{name}.yaml").write_text(SPEC.format(name=name, method=method, gate=gate))


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "avatars" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_linked_tables_are_anonymized_published_and_documented(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("linked")
    write_spec(cli, name)
    assert cli("validate").code == 0
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE
    folder = cli.root / "out" / name
    for link in LINKS:
        keys = [row[link.key] for row in rows(folder, link.parent)]
        foreign = {row[link.foreign_key] for row in rows(folder, link.child)} - {""}
        assert len(set(keys)) == len(keys)
        assert foreign
        assert foreign <= set(keys)
    blocks = json.loads((folder / "metrics.json").read_text())["blocks"]
    kinds = {(block["table"], block["computation_type"], block["reference"]) for block in blocks}
    assert {
        ("visit", "full_enriched", "ward"),
        ("visit", "to_bottom_id_propagated", "patient"),
        ("visit", "to_bottom_information_propagated", "doctor"),
        ("patient", "to_top_enriched", "visit"),
        ("patient", "standalone", None),
    } <= kinds
    summary, assessment = ((folder / file).read_text() for file in ("summary.md", "pia.md"))
    assert "(with what its child tables add, visit)" in summary
    assert "(with what its child tables add, `visit`)" in assessment
    worst = min(block["values"]["hidden_rate"] for block in blocks if "hidden_rate" in block["values"])
    lock = (cli.root / "configs" / f"{name}.lock.yaml").read_text()
    assert f"{worst:g}"[:6] in lock
    again = cli("plan", "--detailed-exitcode")
    assert again.code == 0, again.text


@pytest.mark.slow
def test_a_gate_reads_the_worst_block(cli: Cli, unique: Unique) -> None:
    """Some block hides fewer than all people, whatever the tables alone do."""
    name = unique("worst")
    write_spec(cli, name, gate=100)
    applied = cli("apply", "--yes")
    assert applied.code != 0
    assert "hidden_rate" in applied.text


def test_links_in_the_original_order_are_told_before_anything_runs(cli: Cli, unique: Unique) -> None:
    name = unique("order")
    write_spec(cli, name, method="sensitive_original_order_assignment")
    told = cli("validate")
    assert told.code == 0
    assert "X037" in told.text
    assert "P019" in cli("policy", "check").text
