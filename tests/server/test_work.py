"""The work of a `standard` job without HTTP: its files, and every reason why it cannot be done."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from avatar_gitops.engine import batches
from avatar_gitops.engine.large import limits as large_limits
from avatar_gitops.engine.params import ImputationMethod
from avatar_gitops.server import work_avatars
from avatar_gitops.server.limits import DIMENSIONS, LINES, MEMORY
from avatar_gitops.server.naming import ESCAPES, escaped, metrics_file, table_file, table_of, unescaped
from tests.server.api import COLUMNS, documents, people
from tests.server.workshop import Plain, Workshop, edited, with_document

NOT_OFFERED = "Table 'people': this version of the platform does not offer"
FIGURES = (
    "2d_projection",
    "3d_projection",
    "correlation",
    "correlation_difference",
    "contribution",
    "aggregate_stats",
    *(f"distribution-{at}" for at in range(len(COLUMNS))),
    "metrics_summary",
)
PARAMETERS = {"advisor_type": ["parameters"]}


def test_a_default_run_ends_well(workshop: Workshop, default_run: dict[str, str]) -> None:
    for name in default_run.values():
        job = workshop.job(name)
        assert (job["status"], job["exception"], job["progress"]) == ("finished", "", 1.0)


def test_the_files_of_a_standard_job_are_listed_by_kind(workshop: Workshop, default_run: dict[str, str]) -> None:
    listing = workshop.listing(default_run["standard"])
    assert {kind: [url.rpartition("/")[2] for url in urls] for kind, urls in listing.items()} == {
        "shuffled": ["people.shuffled-0.csv"],
        "unshuffled": ["people.unshuffled-0.csv"],
        "original_projections": ["people.projections.original-0.csv"],
        "avatar_projections": ["people.projections.avatars-0.csv"],
        "figures": [f"people.{name}.html" for name in FIGURES],
        "figures_metadata": ["figures_metadata.json"],
        "run_metadata": ["run_metadata.avatarize.json"],
    }
    avatars = list(csv.reader(io.StringIO(workshop.files(default_run["standard"])["people.shuffled-0.csv"].decode())))
    assert (tuple(avatars[0]), len(avatars)) == (COLUMNS, 121)


def test_a_run_says_what_it_did(workshop: Workshop, default_run: dict[str, str]) -> None:
    about = workshop.json(default_run["standard"], "run_metadata.avatarize.json")
    assert about["kind"] == "standard"
    assert about["engine"].startswith("avatar-gitops-engine/")
    assert about["parameters"] == {"schema": "schema", "avatarization": {"people": {"k": 5}}, "seed": 11}
    assert about["created_at"] <= about["finished_at"]


def test_the_same_seed_gives_the_same_bytes_and_no_seed_never_does(workshop: Workshop) -> None:
    def avatars(**spec: Any) -> bytes:
        job = workshop.run(documents(**spec))
        return workshop.files(job["name"])["people.shuffled-0.csv"]

    assert avatars(seed=3) == avatars(seed=3)
    assert avatars(seed=None) != avatars(seed=None)


def test_only_tables_with_a_method_are_anonymized(workshop: Workshop) -> None:
    def add(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"].append({"name": "aside", "data": {"file": "never-uploaded.csv"}})

    job = workshop.run(edited(add))
    assert job["exception"] == ""
    assert not any(name.startswith("aside") for name in workshop.files(job["name"]))


def test_results_have_the_wanted_format_or_else_that_of_the_input(workshop: Workshop) -> None:
    job = workshop.run(documents(results={"format": "parquet"}))
    parquet = workshop.files(job["name"])["people.unshuffled-0.parquet"]
    workshop.upload("people.parquet", parquet)
    again = workshop.run(documents(file="people.parquet"))
    assert "people.shuffled-0.parquet" in workshop.files(again["name"])
    as_csv = workshop.run(documents(file="people.parquet", results={"format": "csv"}))
    assert "people.shuffled-0.csv" in workshop.files(as_csv["name"])


def test_every_parameter_on_offer_is_accepted(workshop: Workshop) -> None:
    def describe(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"][0]["columns"] = [
            {"field": "age", "type": "int"},
            {"field": "sector", "type": "category"},
            {"field": "height", "drop": True},
        ]

    plain = workshop.files(workshop.run(edited(describe))["name"])["people.shuffled-0.csv"]
    assert b"height" not in plain
    for method in ImputationMethod:
        record = {
            "k": 5,
            "ncp": 3,
            "generation": "local_gaussian",
            "column_weights": {"age": 2},
            "imputation": {"method": method, "k": 3, "training_fraction": 0.5},
        }
        job = workshop.run(edited(describe, avatarization={"people": record}))
        assert job["exception"] == "", method
        assert workshop.files(job["name"])["people.shuffled-0.csv"] != plain


@pytest.mark.parametrize(
    ("spec", "exception"),
    [
        ({"avatarization": {}}, "No table has an avatarization method. Set k for at least one table."),
        ({"avatarization": {"people": {}}}, "Table 'people': expected k to be set."),
        (
            {"time_series": {"people": {}}},
            "Table 'people' has settings of time series (time_series) but is not linked as one."
            " Link it from the table of its people by the method time_series.",
        ),
        ({"results": {"format": "xlsx"}}, "Results cannot be written as 'xlsx'; use csv or parquet."),
    ],
)
def test_what_a_run_cannot_ask_for(workshop: Workshop, spec: Plain, exception: str) -> None:
    assert workshop.error(documents(**spec)) == exception


@pytest.mark.parametrize(
    ("field", "value", "exception"),
    [
        ("imputation", {"method": "magic"}, f"The imputation method is not one of {', '.join(ImputationMethod)}."),
    ],
)
def test_what_a_method_cannot_ask_for(workshop: Workshop, field: str, value: object, exception: str) -> None:
    assert workshop.error(documents(avatarization={"people": {"k": 5, field: value}})) == exception


def test_the_engine_explains_itself_in_the_job(workshop: Workshop) -> None:
    exception = workshop.error(documents(avatarization={"people": {"k": 120}}))
    assert exception.startswith("k is 120 but must be smaller than the number of rows of the table (100-1k rows).")


@pytest.mark.parametrize(
    ("more", "exception"),
    [
        (
            {"links": [{"field": "age", "to": {"table": "people", "field": "age"}}]},
            "Table 'people' is linked to itself. Remove the link; declare the column an identifier.",
        ),
        (
            {"links": [{"field": "age", "to": {"table": "people", "field": "age"}, "method": "hungarian"}]},
            "Table 'people': the method of its link to 'people' is not one of linear_sum_assignment,",
        ),
        (
            {"links": [{"field": "age", "to": {"table": "people", "field": "age"}, "method": "time_series"}]},
            "Table 'people' is linked as time series and needs exactly one time column.",
        ),
        (
            {"columns": [{"field": "age", "time_series_time": True}]},
            "Table 'people' has a time column (time_series_time) but no link of the method time_series.",
        ),
        (
            {"columns": [{"field": "age", "type": "colour"}]},
            "Table 'people': the type of column 'age' is not one of",
        ),
    ],
)
def test_what_a_schema_cannot_ask_for(workshop: Workshop, more: Plain, exception: str) -> None:
    text = edited(lambda specs: specs["schema"]["tables"][0].update(more))
    assert workshop.error(text).startswith(exception)


def test_a_table_of_events_is_named(workshop: Workshop) -> None:
    def add(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"].append({"name": "visits", "individual_level": False})

    exception = workshop.error(edited(add))
    assert exception.startswith(
        "Table 'visits' has several rows for each person (individual_level: false) but no parent"
    )


@pytest.mark.parametrize("file", ["never-uploaded.csv", ""])
def test_a_missing_input_is_named(workshop: Workshop, file: str) -> None:
    expected = f"Table 'people': the file {file!r} was not uploaded. Upload it and run again."
    assert workshop.error(documents(file=file)) == expected


def test_a_deleted_input_is_told(workshop: Workshop) -> None:
    content = people(30, seed=99)  # the beginning of no other table here
    workshop.upload("short-lived.csv", content)
    name = workshop.launch(workshop.put_set(documents(file="short-lived.csv")), "standard")
    storage = workshop.platform.storage
    [blob] = [blob for blob in storage.blobs.names() if b"".join(storage.blobs.read(blob, 0, len(content))) == content]
    storage.blobs.remove(blob)
    workshop.work()
    assert workshop.job(name)["exception"] == "A file that this job needs was deleted while it ran."
    workshop.upload("short-lived.csv", content)  # whoever reads every file of this platform finds it


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (DIMENSIONS, ("The table has ", "the limit here is 1.", "GroupModalities", "as numbers")),
        (MEMORY, ("The table needs more than 1 MiB of memory, even in batches of 2,000 rows. Drop columns",)),
    ],
)
def test_tables_beyond_the_limits_are_refused_with_advice(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, limit: str, said: tuple[str, ...]
) -> None:
    monkeypatch.setenv(limit, "1")
    monkeypatch.setattr(batches, "_FIXED_BYTES", (1 << 20, 0, 0))
    monkeypatch.setattr(large_limits, "_BATCH_BYTES", (1 << 20, 0, 0, 0))
    error = workshop.error(documents())
    for part in said:
        assert part in error


def test_more_rows_than_fit_into_one_piece_become_batches(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SMALLEST", 5)
    monkeypatch.setattr(batches, "NEIGHBOURS_A_ROW", 1)
    whole = workshop.run(documents(), "standard")
    monkeypatch.setenv(LINES, "15")
    split = workshop.run(documents(), "standard")
    made = [workshop.files(job["name"])["people.unshuffled-0.csv"] for job in (whole, split)]
    assert made[0].count(b"\n") == made[1].count(b"\n")
    assert made[0] != made[1]


def test_a_table_that_is_too_large_for_the_machine_is_told(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(work_avatars, "read_table", starve)
    assert workshop.error(documents()) == "The table needs more memory than this machine has."


def test_advice_has_the_shape_that_clients_read(workshop: Workshop) -> None:
    text = with_document("AvatarAdviceParameters", "advice", {"schema": "schema", "advice": PARAMETERS})
    job = workshop.run(text, "advice")
    assert (job["kind"], job["status"]) == ("advice", "finished")
    assert list(workshop.listing(job["name"])) == ["advice"]
    [entry] = workshop.json(job["name"], "people.advice.json")
    assert entry["table_name"] == "people"
    assert entry["advice"]["k"] >= 2
    assert entry["advice"]["use_categorical_reduction"] is False
    assert set(entry["advice"]["reasons"]) == {"k", "ncp", "use_categorical_reduction", "imputation"}
    summary = entry["advice"]["summary"]
    assert {"label", "dtype", "missing_number", "unique_number"} <= set(summary["stats"][0])
    assert {"mean", "median", "standard_deviation", "mode", "is_skewed", "is_rare"} <= set(summary["stats"][0])
    assert (summary["probable_ids"], entry["advice"]["processors"]) == ([], [])


def test_advice_on_what_nobody_knows_is_declined(workshop: Workshop) -> None:
    weather = {"advisor_type": ["weather"]}
    text = with_document("AvatarAdviceParameters", "advice", {"schema": "schema", "advice": weather})
    assert workshop.error(text, "advice") == "This version of the platform does not offer advice on weather."


@pytest.mark.parametrize("make", [escaped, lambda table: table_of(table_file(table, "shuffled", "csv"), "shuffled")])
def test_clients_read_the_table_back_from_a_file_name(make: Callable[[str], str]) -> None:
    table = "a.b/c&d+e_f g"
    assert unescaped(make(table)) == table
    assert not any(sign in escaped(table) for sign, _ in ESCAPES)
    assert metrics_file("a.b", "standalone", "privacy") == "a_dot_b_standalone.privacy.json"


def test_no_result_holds_anything_that_json_does_not_know(workshop: Workshop, default_run: dict[str, str]) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    for name in default_run.values():
        for file, content in workshop.files(name).items():
            if file.endswith(".json"):
                json.loads(content, parse_constant=refuse)
