"""The jobs of a set with time series: files, metrics and figures of people and series, and refusals in plain words."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pypdf
import pytest

from avatar_gitops.server.limits import MEMORY
from tests.server.api import join
from tests.server.workshop import Plain, Workshop

PEOPLE = 40
JOBS = ("privacy_metrics", "signal_metrics")


def content(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pcsv.write_csv(table, sink)
    return sink.getvalue()


def people() -> pa.Table:
    return pa.table({"id": np.arange(PEOPLE) + 500, "age": np.random.default_rng(3).integers(20, 80, PEOPLE)})


def pulse() -> pa.Table:
    random = np.random.default_rng(5)
    lengths = 4 + np.arange(PEOPLE) % 3
    owner = np.repeat(np.arange(PEOPLE), lengths)
    step = np.concatenate([np.arange(length) for length in lengths])
    beat = np.round(70 + random.normal(0, 5, PEOPLE)[owner] + step, 1)
    return pa.table({"row": np.arange(len(owner)) + 9_000, "person": owner + 500, "t": step, "beat": beat})


def document(kind: str, name: str, **spec: Any) -> Plain:
    return {"kind": f"Avatar{kind}", "metadata": {"name": name}, "spec": spec}


def series_set(series: Plain | None = None, method: str = "time_series", timed: bool = True, **more: Any) -> str:
    link = {"field": "id", "to": {"table": "pulse", "field": "person"}, "method": method}
    time = [{"field": "t", "time_series_time": True}] if timed else []
    tables: list[Plain] = [
        {
            "name": "people",
            "data": {"volume": "input", "file": "series_people.csv"},
            "individual_level": True,
            "columns": [{"field": "id", "primary_key": True}],
            "links": [link],
        },
        {
            "name": "pulse",
            "data": {"volume": "input", "file": "series_pulse.csv"},
            "columns": [*time, {"field": "row", "primary_key": True}, {"field": "person", "identifier": True}],
        },
    ]
    avatarized = [{"name": table["name"], "avatars_data": {"auto": True}} for table in tables]
    said = {"projection": {"projection_type": None, "nf": 3}, "alignment": {"nb_points": 20, "method": "mean"}}
    settings = {"pulse": series if series is not None else said}
    metrics = {"schema": "schema_avatarized", "avatarization_ref": "standard", "time_series": settings, "seed": 4}
    return join(
        [
            document("Metadata", "avatar-metadata-x", display_name="x"),
            document("Schema", "schema", tables=tables),
            document("Schema", "schema_avatarized", tables=avatarized, schema_ref="schema"),
            document("Parameters", "standard", schema="schema", avatarization={"people": {"k": 5}},
                     time_series=settings, seed=4),
            document("PrivacyMetricsParameters", "privacy_metrics", **metrics, **more),
            document("SignalMetricsParameters", "signal_metrics", **metrics),
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def uploaded(workshop: Workshop) -> Workshop:
    workshop.upload("series_people.csv", content(people()))
    workshop.upload("series_pulse.csv", content(pulse()))
    return workshop


@pytest.fixture(scope="module")
def done(uploaded: Workshop) -> dict[str, str]:
    """The four jobs by parameters name."""
    set_id = uploaded.put_set(series_set(), "series")
    names = {"standard": uploaded.launch(set_id, "standard")}
    names |= {job: uploaded.launch(set_id, job, [names["standard"]]) for job in JOBS}
    names["report"] = uploaded.launch(set_id, "report", [names[job] for job in JOBS])
    uploaded.work()
    for name in names.values():
        assert uploaded.job(name)["exception"] == ""
    return names


def read(files: dict[str, bytes], name: str) -> pa.Table:
    return pcsv.read_csv(io.BytesIO(files[name]))


def test_series_are_those_of_avatars_and_keys_hold(workshop: Workshop, done: dict[str, str]) -> None:
    files = workshop.files(done["standard"])
    for form in ("shuffled", "unshuffled"):
        rows, series = read(files, f"people.{form}-0.csv"), read(files, f"pulse.{form}-0.csv")
        assert series.schema == pulse().schema
        assert set(series["person"].to_pylist()) == set(rows["id"].to_pylist())
        assert not set(series["row"].to_pylist()) & set(pulse()["row"].to_pylist())
        assert not set(rows["id"].to_pylist()) & set(people()["id"].to_pylist())
    assert read(files, "pulse.projections.avatars-0.csv").num_rows == PEOPLE
    facts = workshop.json(done["standard"], "run_metadata.avatarize.json")["tables"]["pulse"]["warnings"]
    assert any("length of series differs" in text for text in facts)
    assert any("nb_points has no effect" in text for text in facts)


def test_series_have_figures_of_their_own_kinds(workshop: Workshop, done: dict[str, str]) -> None:
    listed = workshop.json(done["standard"], "figures_metadata.json")
    kinds = {item["kind"] for item in listed if item["table_name"] == "pulse"}
    assert kinds == {"raw_series", "normalized_series"}
    for form in ("shuffled", "unshuffled"):
        assert f"pulse.{form}-0.csv" in workshop.files(done["standard"])
    drawn = {name: text for name, text in workshop.files(done["standard"]).items() if "_series" in name}
    assert len(drawn) == 2
    for text in drawn.values():
        marks = sum(len(layer["data"]["values"]) for layer in json.loads(text)["layer"])
        assert 0 < marks <= 10_000


def test_sizes_are_those_of_the_tables_and_not_of_what_is_compared(workshop: Workshop, done: dict[str, str]) -> None:
    sizes = {"people": ("<100", people().num_columns), "pulse": ("100-1k", pulse().num_columns)}
    for job in JOBS:
        found = [json.loads(text) for text in workshop.files(done[job]).values()]
        about = [entry["metadata"] for entry in found if "metadata" in entry]
        assert {entry["table_name"] for entry in about} == set(sizes)
        assert all((entry["rows"], entry["columns"]) == sizes[entry["table_name"]] for entry in about)


def test_metrics_are_those_of_people_and_of_curves(workshop: Workshop, done: dict[str, str]) -> None:
    for job, name in (("privacy_metrics", "hidden_rate"), ("signal_metrics", "hellinger_mean")):
        what = job.removesuffix("_metrics")
        alone = workshop.json(done[job], f"pulse_standalone.{what}.json")
        assert 0 <= alone[name] <= 100
        assert alone["metadata"]["reference"] is None
        files = [file for file in workshop.files(done[job]) if "to_top_enriched" in file]
        [together] = [workshop.json(done[job], file) for file in files]
        assert (together["metadata"]["table_name"], together["metadata"]["reference"]) == ("people", "pulse")
        assert 0 <= together[name] <= 100
        assert not any("column_hellinger" in one["metadata"] for one in (alone, together)), "no columns of the user"
        summary = workshop.json(done[job], f"{what}_metrics_summary.json")
        assert {table: set(cells) for table, cells in summary.items()} == {
            "people": {"people", "pulse"},
            "pulse": {"pulse"},
        }
    signal = workshop.json(done["signal_metrics"], "pulse_standalone.signal.json")
    for name in ("pointwise_hellinger_mean", "density_hellinger_mean"):
        assert 50 < signal[name] <= 100
        assert signal["targets"][name] == "> 90"
    assert 0 <= signal["pointwise_hellinger_std"] <= 50
    assert signal["density_hellinger_std"] == 0
    for name in (f"{what}_hellinger_{how}" for what in ("pointwise", "density") for how in ("mean", "std")):
        low, high = signal["metadata"]["intervals"][name]
        assert low <= signal[name] <= high


def test_the_report_shows_the_series_of_each_variable(workshop: Workshop, done: dict[str, str]) -> None:
    reader = pypdf.PdfReader(io.BytesIO(workshop.files(done["report"])["report.pdf"]))
    [page] = [page for page in reader.pages if "Series of beat over time." in page.extract_text()]
    assert "Figures of pulse" in page.extract_text()
    assert len(page.images) >= 2


def test_the_same_set_gives_the_same_series(uploaded: Workshop, done: dict[str, str]) -> None:
    again = uploaded.run(series_set())
    first, second = (uploaded.files(name) for name in (done["standard"], again["name"]))
    assert first["pulse.shuffled-0.csv"] == second["pulse.shuffled-0.csv"]


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"method": "minimum_distance_assignment"}, "but no link of the method time_series"),
        ({"timed": False}, "needs exactly one time column"),
        ({"series": {"projection": {"projection_type": "fourier"}}}, "one of fpca, flatten"),
        ({"series": {"alignment": {"method": "specified"}}}, "Set nb_points, for example 20"),
        ({"series": {"exclude_variables": {"variable_names": ["beat"]}}}, "does not offer excluded variables of time"),
    ],
)
def test_what_cannot_be_run_is_said_in_plain_words(uploaded: Workshop, wrong: Plain, text: str) -> None:
    assert text in uploaded.error(series_set(**wrong))


def test_people_of_series_are_not_attacked_by_columns_that_they_do_not_have(uploaded: Workshop) -> None:
    set_id = uploaded.put_set(series_set(privacy_metrics={"pulse": {"known_variables": ["beat"]}}))
    standard = uploaded.launch(set_id, "standard")
    privacy = uploaded.launch(set_id, "privacy_metrics", [standard])
    uploaded.work()
    assert "known_variables cannot be set for time series" in uploaded.job(privacy)["exception"]


def test_series_count_for_the_memory_that_metrics_take(
    workshop: Workshop, done: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The people alone would fit: it is their series that do not."""
    set_id = workshop.put_set(series_set(), "too long")
    standard = workshop.launch(set_id, "standard")
    workshop.work()
    monkeypatch.setenv(MEMORY, "1")
    monkeypatch.setattr("avatar_gitops.engine.batches._FIXED_BYTES", (1 << 12, 0, 0))
    names = [workshop.launch(set_id, job, [standard]) for job in JOBS]
    workshop.work()
    for name in names:
        error = workshop.job(name)["exception"]
        assert "Table 'pulse'" in error
        assert "needed at once for metrics of tables with links" in error
