"""Several tables with links through the unmodified official client, against the embedded platform."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from avatar_gitops.server import start
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

VERSIONS = ("1.30.0", "1.22.0")
SCRIPT = Path(__file__).with_name("multi_table_script.py")
ROWS = {"patient": 130, "doctor": 50, "visit": 300}


def clinic(folder: Path) -> Path:
    """Patients and doctors with visits between them, of the shape of the guide's own example."""
    random = np.random.default_rng(11)
    age, height = random.normal(60, 12, 130), random.normal(168, 9, 130)
    gender = np.where(random.random(130) < 0.5, "Female", "Male")
    weight = height - 100 + random.normal(0, 8, 130)
    job = random.choice(["pediatrician", "general practitioner"], 50)
    patient = {"p_id": range(130), "gender": gender, "height": height, "age": age, "weight": weight}
    doctor = {"d_id": range(50), "job": job, "age": random.normal(45, 9, 50)}
    visit = {
        "visit_id": range(300),
        "patient_id": random.integers(0, 130, 300),
        "doctor_id": random.integers(0, 50, 300),
        "day_visit": random.choice(["Monday", "Tuesday", "Friday"], 300),
        "exam": random.choice(["routine_check", "vaccine"], 300),
    }
    for name, columns in {"patient": patient, "doctor": doctor, "visit": visit}.items():
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's own tables where `AVATAR_FIXTURES` says that they are, else tables of their shape."""
    given = os.environ.get("AVATAR_FIXTURES")
    return Path(given) if given else clinic(tmp_path_factory.mktemp("clinic"))


@pytest.fixture(scope="module", params=VERSIONS)
def seen(request: pytest.FixtureRequest, tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """What one version of the client saw on a fresh platform."""
    version: str = request.param
    python = environment(version)
    folder = tmp_path_factory.mktemp(f"multi-{version}")
    with start(tmp_path_factory.mktemp(f"multi-state-{version}")) as server:
        arguments = [server.base_url, server.api_key, str(tables), str(folder)]
        result = subprocess.run(
            [str(python), str(SCRIPT), *arguments], capture_output=True, text=True, env=clean_environment(), check=False
        )
    assert result.returncode == 0, result.stderr[-4000:]
    yield json.loads((folder / "seen.json").read_text(encoding="utf-8"))


def test_every_table_comes_back_with_keys_that_hold(seen: Any) -> None:
    assert {name: shape[0] for name, shape in seen["shapes"].items()} == ROWS
    assert seen["columns_kept"]
    assert seen["integrity_shuffled"] == seen["integrity_sensitive_unshuffled"] == [True, True, True]
    assert {name: [part[0] for part in shapes] for name, shapes in seen["projections"].items()} == {
        name: [rows, rows] for name, rows in ROWS.items()
    }


def test_the_first_entry_of_each_table_is_of_the_table_alone(seen: Any) -> None:
    for family in ("privacy", "signal"):
        for name, entries in seen[family].items():
            about = entries[0]["metadata"]
            assert (about["table_name"], about["computation_type"], about["reference"]) == (name, "standalone", None)


def test_every_entry_that_clients_read_is_there(seen: Any) -> None:
    def kinds(family: str, name: str) -> set[tuple[str, str | None]]:
        found = (entry["metadata"] for entry in seen[family][name])
        return {(about["computation_type"], about["reference"]) for about in found} - {("standalone", None)}

    for parent in ("patient", "doctor"):
        assert kinds("privacy", parent) == kinds("signal", parent) == {("to_top_enriched", "visit")}
    parents = ("patient", "doctor")
    down = ("to_bottom_id_propagated", "full_enriched")
    assert kinds("privacy", "visit") == {(kind, parent) for kind in down for parent in parents}
    assert kinds("signal", "visit") == {("to_bottom_information_propagated", parent) for parent in parents}


def test_the_figures_of_every_entry_can_be_read(seen: Any) -> None:
    for entries in seen["privacy"].values():
        for entry in entries:
            assert 0 <= entry["hidden_rate"] <= 100
            assert entry["local_cloaking"] >= 0
    for entries in seen["signal"].values():
        assert all(0 <= entry["hellinger_mean"] <= 100 for entry in entries)
    assert seen["privacy"]["patient"][0]["knowledge_protection_rate"] is not None
    assert seen["privacy"]["doctor"][1]["inference_categorical"] is not None


def test_the_summary_has_a_cell_for_each_pair(seen: Any) -> None:
    assert seen["summary_rows"] == ["doctor", "patient", "visit"]
    cells = {f"{reference}/{kind}" for reference in ROWS for kind in ("privacy", "signal")}
    assert set(seen["summary_columns"]) == cells


def test_reports_and_a_second_look_work_as_for_one_table(seen: Any) -> None:
    assert seen["reports"] == ["%PDF-", "PK"]
    assert seen["figures"] == ""
    assert seen["again"]


def test_the_original_order_is_what_its_name_says(seen: Any) -> None:
    assert seen["original_order"]


def test_an_orphan_is_the_exception_of_the_job(seen: Any) -> None:
    assert seen["orphans"] == (
        "ValueError: Job standard failed with exception: Table 'visit': some values of 'patient_id' are no key of table"
        " 'patient'. Add the missing parents, remove those rows, or leave their key empty."
    )


def test_advised_links_are_applied_by_the_client(seen: Any) -> None:
    if seen["version"] == "1.30.0":
        assert [link[:4] for link in seen["advice"]] == [
            ["doctor", "d_id", "visit", "doctor_id"],
            ["patient", "p_id", "visit", "patient_id"],
        ]
        assert seen["advice_run"] == [300, 5]
