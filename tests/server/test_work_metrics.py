"""The work of the two metrics jobs without HTTP: which tables are paired with which avatars, what an entry holds."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.server.api import documents, people
from tests.server.workshop import Plain, Workshop, edited, with_document

PRIVACY = "people_standalone.privacy.json"
SIGNAL = "people_standalone.signal.json"
NOT_OFFERED = "Table 'people': this version of the platform does not offer"


@pytest.fixture(scope="module")
def aligned(workshop: Workshop, default_run: dict[str, str]) -> bytes:
    """The row-aligned avatars of the default run, uploaded again as `avatars.csv`."""
    content = workshop.files(default_run["standard"])["people.unshuffled-0.csv"]
    workshop.upload("avatars.csv", content)
    return content


def supplied(file: str = "avatars.csv", **spec: Any) -> str:
    """A set that measures avatars which the user supplies."""

    def change(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["avatars_data"] = {"file": file}

    return edited(change, **spec)


def metrics(kind: str, more: Plain, text: str | None = None) -> str:
    """The default run with its own document of metrics parameters, called `mine`."""
    spec = {"schema": "schema_avatarized", "seed": 11, **more}
    return with_document(f"Avatar{kind}MetricsParameters", "mine", spec, text)


def test_the_files_of_metrics_jobs_are_listed_by_kind(workshop: Workshop, default_run: dict[str, str]) -> None:
    for what in ("privacy", "signal"):
        listing = workshop.listing(default_run[f"{what}_metrics"])
        assert {kind: [url.rpartition("/")[2] for url in urls] for kind, urls in listing.items()} == {
            f"{what}_metrics": [f"people_standalone.{what}.json"],
            f"{what}_metrics_summary": [f"{what}_metrics_summary.json"],
            "run_metadata": [f"run_metadata.{what}-metrics.json"],
        }


def test_an_entry_says_what_it_is_about_without_a_row_count(workshop: Workshop, default_run: dict[str, str]) -> None:
    entry = workshop.json(default_run["privacy_metrics"], PRIVACY)
    about = entry["metadata"]
    shown = {name: about[name] for name in ("table_name", "computation_type", "reference", "rows", "columns")}
    assert shown == {
        "table_name": "people",
        "computation_type": "standalone",
        "reference": None,
        "rows": "100-1k",
        "columns": 5,
    }
    assert entry["targets"]["hidden_rate"] == ">= 90"
    assert set(about["notes"]) >= {"inference_continuous", "knowledge_protection_rate"}


@pytest.mark.parametrize(("job", "file"), [("privacy_metrics", PRIVACY), ("signal_metrics", SIGNAL)])
def test_every_interval_holds_its_score(workshop: Workshop, default_run: dict[str, str], job: str, file: str) -> None:
    entry = workshop.json(default_run[job], file)
    for name, (low, high) in entry["metadata"]["intervals"].items():
        assert low <= entry[name] <= high, name


def test_the_summary_holds_the_meta_score_of_each_table(workshop: Workshop, default_run: dict[str, str]) -> None:
    for what, file in (("privacy", PRIVACY), ("signal", SIGNAL)):
        name = default_run[f"{what}_metrics"]
        meta = workshop.json(name, file)["metadata"]["meta"]
        assert workshop.json(name, f"{what}_metrics_summary.json") == {"people": {"people": meta}}


def test_supplied_avatars_are_measured_like_those_of_the_platform(
    workshop: Workshop, default_run: dict[str, str], aligned: bytes
) -> None:
    for what, file in (("privacy", PRIVACY), ("signal", SIGNAL)):
        job = workshop.run(supplied(), f"{what}_metrics")
        assert job["exception"] == ""
        assert workshop.json(job["name"], file) == workshop.json(default_run[f"{what}_metrics"], file)


def test_metrics_without_parents_use_the_latest_avatars_of_the_set(workshop: Workshop) -> None:
    set_id = workshop.put_set(documents())
    workshop.launch(set_id, "standard")
    workshop.work()
    metrics_job = workshop.launch(set_id, "signal_metrics")
    workshop.work()
    assert workshop.job(metrics_job)["status"] == "finished"


def test_the_settings_of_a_table_are_used(workshop: Workshop, aligned: bytes) -> None:
    record = {"known_variables": ["age", "sector"], "target": "smoker", "quantile_threshold": 10, "ncp": 2}
    job = workshop.run(metrics("Privacy", {"privacy_metrics": {"people": record}}, supplied()), "mine")
    assert job["exception"] == ""
    entry = workshop.json(job["name"], PRIVACY)
    assert entry["knowledge_protection_rate"] is not None
    assert entry["inference_categorical"] is not None


def test_groups_of_people_are_compared(workshop: Workshop, aligned: bytes) -> None:
    record = {"groups": ["sector", "smoker"]}
    job = workshop.run(metrics("Privacy", {"privacy_metrics": {"people": record}}, supplied()), "mine")
    assert job["exception"] == ""
    entry = workshop.json(job["name"], PRIVACY)
    assert entry["hidden_rate_worst_group"] <= entry["hidden_rate"]
    assert entry["membership_auc_worst_group"] is None
    assert entry["metadata"]["notes"]["hidden_rate_worst_group"].startswith("Worst of ")
    error = workshop.error(metrics("Privacy", {"privacy_metrics": {"people": {"groups": ["age"]}}}, supplied()), "mine")
    assert "compare groups of 'age', which is not a modelled categorical column" in error


def test_the_recipient_of_the_set_decides_how_strict_targets_are(workshop: Workshop, aligned: bytes) -> None:
    def inside(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["avatars_data"] = {"file": "avatars.csv"}
        specs["avatar-metadata-x"]["pia_metadata"] = {"datarecipient": "internal"}

    job = workshop.run(edited(inside), "privacy_metrics")
    assert workshop.json(job["name"], PRIVACY)["targets"]["hidden_rate"] == ">= 30"


def test_avatars_whose_columns_read_differently_get_the_types_of_the_originals(
    workshop: Workshop, default_run: dict[str, str], aligned: bytes
) -> None:
    """Numbers that happen to be written as floats in one file, and a column that the originals do not have."""
    rows = list(csv.DictReader(io.StringIO(aligned.decode())))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*rows[0], "extra"])
    writer.writeheader()
    writer.writerows([{**row, "age": f"{row['age']}.0", "extra": "1"} for row in rows])
    workshop.upload("floats.csv", text.getvalue().encode())
    job = workshop.run(supplied("floats.csv"), "signal_metrics")
    assert job["exception"] == ""
    expected = workshop.json(default_run["signal_metrics"], SIGNAL)
    assert workshop.json(job["name"], SIGNAL) == expected


def test_avatars_that_are_no_numbers_where_the_originals_are_end_in_words(workshop: Workshop, aligned: bytes) -> None:
    header, *rows = aligned.decode().splitlines()
    words = "\n".join([header, *(f"canary-value{row[row.index(',') :]}" for row in rows)])
    workshop.upload("words.csv", words.encode())
    exception = workshop.error(supplied("words.csv"), "signal_metrics")
    assert "'age'" in exception
    assert "canary-value" not in exception


def test_avatars_that_are_not_as_many_as_the_originals_have_no_link_to_them(workshop: Workshop, aligned: bytes) -> None:
    workshop.upload("shorter.csv", aligned[: aligned.rindex(b"\n", 0, -1) + 1])
    job = workshop.run(supplied("shorter.csv"), "privacy_metrics")
    assert job["exception"] == ""
    entry = workshop.json(job["name"], PRIVACY)
    assert entry["hidden_rate"] is entry["local_cloaking"] is None
    assert "none stands beside its own original" in entry["metadata"]["notes"]["hidden_rate"]
    assert entry["distance_to_closest"] is not None
    signal = workshop.json(workshop.run(supplied("shorter.csv"), "signal_metrics")["name"], SIGNAL)
    assert 50 < signal["hellinger_mean"] <= 100
    distances = signal["metadata"]["column_hellinger"]
    assert set(distances) == {"age", "weight", "height", "sector", "smoker"}
    assert signal["hellinger_mean"] == pytest.approx(100 * (1 - sum(distances.values()) / len(distances)))
    assert not any("private" in note for note in signal["metadata"]["notes"].values())


def test_linked_tables_need_an_avatar_beside_each_original(workshop: Workshop, aligned: bytes) -> None:
    """A row count is told to nobody."""
    numbered = [f"{line},{number}" for number, line in enumerate(aligned.decode().splitlines())]
    numbered[0] = f"{aligned.decode().splitlines()[0]},id"
    workshop.upload("numbered.csv", "\n".join(numbered).encode())
    workshop.upload("fewer.csv", "\n".join(numbered[:-1]).encode())
    workshop.upload("visits.csv", b"of,what\n" + b"\n".join(f"{n},{n % 3}".encode() for n in range(1, 121)))

    def link(specs: dict[str, Plain]) -> None:
        to = {"table": "visits", "field": "of"}
        people = {"field": "id", "primary_key": True}
        visits = {"name": "visits", "data": {"file": "visits.csv"}, "columns": [{"field": "of", "identifier": True}]}
        specs["schema"]["tables"][0] |= {"data": {"file": "numbered.csv"}, "columns": [people]}
        specs["schema"]["tables"][0]["links"] = [{"field": "id", "to": to, "method": "linear_sum_assignment"}]
        specs["schema"]["tables"].append({**visits, "individual_level": False})
        specs["schema_avatarized"]["tables"] = [
            {"name": "people", "avatars_data": {"file": "fewer.csv"}},
            {"name": "visits", "avatars_data": {"file": "visits.csv"}},
        ]

    exception = workshop.error(edited(link), "privacy_metrics")
    assert exception.startswith("Table 'people': the original and the avatars have different numbers of rows.")
    assert not any(count in exception for count in ("120", "119"))


def test_avatars_that_nobody_made_are_asked_for(workshop: Workshop) -> None:
    exception = workshop.error(documents(), "privacy_metrics")
    assert exception == "Table 'people' has no avatars: run the standard job first or supply a file."


def test_a_missing_file_of_avatars_is_named(workshop: Workshop) -> None:
    exception = workshop.error(supplied("nobody.csv"), "signal_metrics")
    assert exception == "Table 'people': the file 'nobody.csv' was not uploaded. Upload it and run again."


def test_a_table_that_was_not_anonymized_is_not_measured(workshop: Workshop) -> None:
    def add(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"].append({"name": "aside", "data": {"file": "people.csv"}})
        specs["schema_avatarized"]["tables"].append({"name": "aside", "avatars_data": {"auto": True}})

    set_id = workshop.put_set(edited(add))
    standard = workshop.launch(set_id, "standard")
    privacy = workshop.launch(set_id, "privacy_metrics", [standard])
    workshop.work()
    assert list(workshop.json(privacy, "privacy_metrics_summary.json")) == ["people"]


def test_several_tables_have_an_entry_each(workshop: Workshop, aligned: bytes) -> None:
    def add(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"].append({"name": "a.b", "data": {"file": "people.csv"}})
        specs["schema_avatarized"]["tables"] = [
            {"name": name, "avatars_data": {"file": "avatars.csv"}} for name in ("people", "a.b")
        ]

    job = workshop.run(edited(add), "signal_metrics")
    assert job["exception"] == ""
    assert workshop.json(job["name"], "a_dot_b_standalone.signal.json")["metadata"]["table_name"] == "a.b"
    assert list(workshop.json(job["name"], "signal_metrics_summary.json")) == ["people", "a.b"]


@pytest.mark.parametrize(
    ("kind", "more", "exception"),
    [
        ("Privacy", {"schema": "schema"}, "The schema 'schema' does not say which original schema it belongs to."),
        (
            "Signal",
            {"time_series": {"people": {}}},
            "Table 'people' has settings of time series (time_series) but is not linked as one."
            " Link it from the table of its people by the method time_series.",
        ),
    ],
)
def test_what_metrics_cannot_ask_for(workshop: Workshop, kind: str, more: Plain, exception: str) -> None:
    assert workshop.error(metrics(kind, more), "mine") == exception


def test_an_avatarized_table_without_an_original_is_named(workshop: Workshop) -> None:
    def rename(specs: dict[str, Plain]) -> None:
        specs["schema_avatarized"]["tables"][0]["name"] = "strangers"

    exception = workshop.error(edited(rename), "signal_metrics")
    assert exception == "Table 'strangers' of schema 'schema_avatarized' is not in the original schema."


def test_a_variable_that_is_not_there_is_named(workshop: Workshop, aligned: bytes) -> None:
    record = {"known_variables": ["nowhere"]}
    text = metrics("Privacy", {"privacy_metrics": {"people": record}}, supplied())
    assert "'nowhere'" in workshop.error(text, "mine")


def test_a_run_of_fewer_than_a_hundred_rows_says_only_that(workshop: Workshop) -> None:
    workshop.upload("few.csv", people(37))
    set_id = workshop.put_set(documents(file="few.csv"))
    standard = workshop.launch(set_id, "standard")
    privacy = workshop.launch(set_id, "privacy_metrics", [standard])
    workshop.work()
    assert workshop.json(privacy, PRIVACY)["metadata"]["rows"] == "<100"


@pytest.mark.parametrize("results", ["csv", "parquet"])
@pytest.mark.parametrize("kind", [pa.time64("us"), pa.time32("ms"), pa.time32("s"), pa.duration("s")])
def test_times_of_day_are_drawn_and_measured_whatever_the_format(
    workshop: Workshop, kind: pa.DataType, results: str
) -> None:
    rows = np.arange(120)
    whole = pa.array(rows * 1_000_003, pa.int64()) if pa.types.is_time64(kind) else pa.array(rows * 7, pa.int32())
    whole = whole.cast(pa.int64()) if pa.types.is_duration(kind) else whole
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"at": whole.cast(kind), "x": rows % 7, "y": (rows * 37 % 11).astype(float)}), sink)
    workshop.upload("times.parquet", sink.getvalue().to_pybytes())
    set_id = workshop.put_set(documents(file="times.parquet", results={"format": results}))
    standard = workshop.launch(set_id, "standard")
    names = [standard, *(workshop.launch(set_id, job, [standard]) for job in ("privacy_metrics", "signal_metrics"))]
    workshop.work()
    assert [workshop.job(name)["exception"] for name in names] == ["", "", ""]
    assert workshop.json(names[2], SIGNAL)["hellinger_mean"] is not None
