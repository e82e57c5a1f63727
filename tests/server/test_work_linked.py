"""The jobs of a set with links: keys that hold together, an entry for every pair of tables, advice on links."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.csv as pcsv
import pytest

from tests.engine.hospital import LINKS, hospital
from tests.server.api import join
from tests.server.workshop import Plain, Workshop, with_document

TABLES = ("visit", "patient", "doctor", "ward")
KEYS = {"visit": "visit", "patient": "id", "doctor": "code", "ward": "ward"}
JOBS = ("privacy_metrics", "signal_metrics")


def content(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pcsv.write_csv(table, sink)
    return sink.getvalue()


def schema_table(name: str) -> Plain:
    links = [
        {"field": link.key, "to": {"table": link.child, "field": link.foreign_key}, "method": link.method.value}
        for link in LINKS
        if link.parent == name
    ]
    foreign = [{"field": link.foreign_key, "identifier": True} for link in LINKS if link.child == name]
    columns = [{"field": KEYS[name], "primary_key": True}, *foreign]
    return {
        "name": name,
        "data": {"volume": "input", "file": f"{name}.csv"},
        "individual_level": name != "visit",
        "columns": columns,
        **({"links": links} if links else {}),
    }


def document(kind: str, name: str, **spec: Any) -> Plain:
    return {"kind": f"Avatar{kind}", "metadata": {"name": name}, "spec": spec}


def hospital_set(k: int = 3, **more: Any) -> str:
    return join(
        [
            document("Metadata", "avatar-metadata-x", display_name="x"),
            document("Schema", "schema", tables=[schema_table(name) for name in TABLES]),
            document(
                "Schema",
                "schema_avatarized",
                tables=[{"name": name, "avatars_data": {"auto": True}} for name in TABLES],
                schema_ref="schema",
            ),
            document("Parameters", "standard", schema="schema", seed=4, **{
                "avatarization": {name: {"k": k} for name in TABLES}, "compute_figures": False, **more
            }),
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def hospital_run(workshop: Workshop) -> dict[str, str]:
    """The five jobs of the hospital by parameters name."""
    for table in hospital():
        workshop.upload(f"{table.name}.csv", content(table.rows))
    set_id = workshop.put_set(hospital_set(), "hospital")
    names = {"standard": workshop.launch(set_id, "standard")}
    names |= {job: workshop.launch(set_id, job, [names["standard"]]) for job in JOBS}
    names["report"] = workshop.launch(set_id, "report", [names[job] for job in JOBS])
    workshop.work()
    for name in names.values():
        assert workshop.job(name)["exception"] == ""
    return names


def test_each_table_has_its_files(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    listing = workshop.listing(hospital_run["standard"])
    for kind, form in (("shuffled", "shuffled"), ("unshuffled", "unshuffled"), ("original_projections", "projections")):
        assert [url.rpartition("/")[2].partition(f".{form}")[0] for url in listing[kind]] == list(TABLES)


def test_every_key_of_the_files_holds(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    files = workshop.files(hospital_run["standard"])
    for form in ("shuffled", "unshuffled"):
        tables = {name: pcsv.read_csv(io.BytesIO(files[f"{name}.{form}-0.csv"])) for name in TABLES}
        for link in LINKS:
            keys = tables[link.parent][link.key].to_pylist()
            foreign = [key for key in tables[link.child][link.foreign_key].to_pylist() if key not in (None, "")]
            assert len(set(keys)) == len(keys)
            assert foreign
            assert set(foreign) <= set(keys)


def entries(workshop: Workshop, hospital_run: dict[str, str], job: str) -> list[Plain]:
    """Entries in the order in which clients see them."""
    what = job.removesuffix("_metrics")
    urls = workshop.listing(hospital_run[job])[job]
    return [workshop.json(hospital_run[job], url.rpartition("/")[2]) for url in urls if f".{what}.json" in url]


@pytest.mark.parametrize("job", JOBS)
def test_tables_alone_come_first_and_every_pair_has_its_entry(
    workshop: Workshop, hospital_run: dict[str, str], job: str
) -> None:
    found = [
        (about["table_name"], about["computation_type"], about["reference"])
        for about in (entry["metadata"] for entry in entries(workshop, hospital_run, job))
    ]
    assert found[:4] == [(name, "standalone", None) for name in TABLES]
    pairs = {("patient", "ward"), ("visit", "patient"), ("visit", "doctor"), ("visit", "ward")}
    down = {
        "privacy_metrics": ("to_bottom_id_propagated", "full_enriched"),
        "signal_metrics": ("to_bottom_information_propagated",),
    }[job]
    expected = {(child, kind, parent) for child, parent in pairs for kind in down}
    assert set(found[4:]) == expected | {(parent, "to_top_enriched", child) for child, parent in pairs}
    assert len(found) == len(set(found))


def test_what_clients_need_is_in_every_entry(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    for entry in entries(workshop, hospital_run, "privacy_metrics"):
        assert all(isinstance(entry[name], float) for name in ("hidden_rate", "local_cloaking", "distance_to_closest"))
        assert entry["metadata"]["rows"] in {"<100", "100-1k"}
    for entry in entries(workshop, hospital_run, "signal_metrics"):
        assert isinstance(entry["hellinger_mean"], float)


@pytest.mark.parametrize("job", JOBS)
def test_a_table_has_one_size_whatever_it_is_seen_with(
    workshop: Workshop, hospital_run: dict[str, str], job: str
) -> None:
    about = [entry["metadata"] for entry in entries(workshop, hospital_run, job)]
    assert len({(item["table_name"], item["rows"], item["columns"]) for item in about}) == len(TABLES)


@pytest.mark.parametrize("job", JOBS)
def test_the_summary_has_the_least_number_of_each_pair(
    workshop: Workshop, hospital_run: dict[str, str], job: str
) -> None:
    expected: dict[str, dict[str, float]] = {}
    for entry in entries(workshop, hospital_run, job):
        about = entry["metadata"]
        cells = expected.setdefault(about["table_name"], {})
        reference = about["reference"] or about["table_name"]
        cells[reference] = min(about["meta"], cells.get(reference, 1_000.0))
    assert workshop.json(hospital_run[job], f"{job}_summary.json") == expected


def test_files_of_pairs_are_named_after_both_tables(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    files = workshop.files(hospital_run["privacy_metrics"])
    assert "visit_standalone.privacy.json" in files
    assert "visit_full_enriched_ward.privacy.json" in files


def test_the_same_seed_gives_the_same_files(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    again = workshop.run(hospital_set())
    assert again["exception"] == ""
    first, second = workshop.files(hospital_run["standard"]), workshop.files(again["name"])
    for name in TABLES:
        assert first[f"{name}.shuffled-0.csv"] == second[f"{name}.shuffled-0.csv"]


def test_faults_of_keys_and_parameters_end_the_job_in_words(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    without = hospital_set(avatarization={name: {"k": 3} for name in TABLES[1:]})
    assert workshop.error(without).startswith(
        "Table 'visit' is linked but has no method. Set k for every linked table."
    )
    assert workshop.error(hospital_set(k=14)).startswith("Table 'ward': k is 14 but must be smaller than the number")
    rows = {table.name: table.rows for table in hospital()}["visit"]
    orphaned = rows.set_column(1, "patient_id", pa.array([99_999] * rows.num_rows))
    workshop.upload("visit.csv", content(orphaned))
    exception = workshop.error(hospital_set())
    assert exception.startswith("Table 'visit': some values of 'patient_id' are no key of table 'patient'.")
    assert "99999" not in exception
    workshop.upload("visit.csv", content(rows))


def test_a_table_of_keys_only_is_measured_with_its_parents(workshop: Workshop, hospital_run: dict[str, str]) -> None:
    rows = {table.name: table.rows for table in hospital()}["visit"]
    workshop.upload("visit.csv", content(rows.drop_columns(["cost"])))
    set_id = workshop.put_set(hospital_set())
    standard = workshop.launch(set_id, "standard")
    privacy = workshop.launch(set_id, "privacy_metrics", [standard])
    workshop.work()
    assert workshop.job(privacy)["exception"] == ""
    files = workshop.files(privacy)
    assert "visit_standalone.privacy.json" not in files
    assert "visit_full_enriched_patient.privacy.json" in files
    workshop.upload("visit.csv", content(rows))


def test_linked_avatars_that_the_user_supplies_are_measured_alike(
    workshop: Workshop, hospital_run: dict[str, str]
) -> None:
    files = workshop.files(hospital_run["standard"])
    for name in TABLES:
        workshop.upload(f"{name}-avatars.csv", files[f"{name}.unshuffled-0.csv"])
    text = hospital_set()
    for name in TABLES:
        auto = json.dumps({"name": name, "avatars_data": {"auto": True}})
        assert auto in text
        text = text.replace(auto, json.dumps({"name": name, "avatars_data": {"file": f"{name}-avatars.csv"}}))
    job = workshop.run(text, "privacy_metrics")
    assert job["exception"] == ""
    for file in ("patient_standalone.privacy.json", "visit_full_enriched_ward.privacy.json"):
        assert workshop.json(job["name"], file) == workshop.json(hospital_run["privacy_metrics"], file)


def test_advice_on_links_goes_by_the_names_of_keys(workshop: Workshop) -> None:
    tables = [
        {"name": "patient", "columns": [{"field": "p_id", "primary_key": True}]},
        {"name": "doctor", "columns": [{"field": "d_id", "primary_key": True}]},
        {
            "name": "visit",
            "columns": [{"field": "patient_id", "identifier": True}, {"field": "xyz", "identifier": True}],
        },
    ]
    made = [
        document("Metadata", "avatar-metadata-x", display_name="x"),
        document("Schema", "schema", tables=tables, check_links_between_tables=False),
        document("AdviceParameters", "advice", schema="schema", advice={"advisor_type": ["tables_links"]}),
    ]
    job = workshop.run(join(made), "advice")
    assert job["exception"] == ""
    [patient] = workshop.json(job["name"], "patient.advice.json")
    assert patient["advice"] == {
        "links": [
            {
                "field": "p_id",
                "to": {"table": "visit", "field": "patient_id"},
                "method": "linear_sum_assignment",
                "confidence": "medium",
            }
        ],
        "unlinked_foreign_keys": [],
    }
    [visit] = workshop.json(job["name"], "visit.advice.json")
    assert visit["advice"] == {"links": [], "unlinked_foreign_keys": [{"field": "xyz", "candidate_tables": []}]}


@pytest.mark.parametrize("in_metrics", [True, False])
def test_excluded_texts_of_linked_tables_are_left_out_of_every_view(workshop: Workshop, in_metrics: bool) -> None:
    for table in hospital():
        rows = table.rows.append_column("note", pa.array([f"n{i}" for i in range(table.rows.num_rows)]))
        workshop.upload(f"noted-{table.name}.csv", content(rows))
    excluded = {"variable_names": ["note"], "replacement_strategy": "coordinate_similarity"}
    text = hospital_set(
        avatarization={name: {"k": 3, "exclude_variables": excluded} for name in TABLES}, compute_figures=True
    )
    for name in TABLES:
        text = text.replace(f'"{name}.csv"', f'"noted-{name}.csv"')
    if not in_metrics:
        metrics = {name: {"exclude_variables": {"variable_names": ["note"]}} for name in TABLES}
        for job in JOBS:
            spec = {"schema": "schema_avatarized", "avatarization_ref": "standard", job: metrics}
            kind = "AvatarPrivacyMetricsParameters" if job == JOBS[0] else "AvatarSignalMetricsParameters"
            text = with_document(kind, job, spec, text)
    set_id = workshop.put_set(text)
    standard = workshop.launch(set_id, "standard")
    names = [workshop.launch(set_id, job, [standard]) for job in JOBS]
    workshop.work()
    for name in (standard, *names):
        assert workshop.job(name)["exception"] == ""
    assert "figures" in workshop.listing(standard)
