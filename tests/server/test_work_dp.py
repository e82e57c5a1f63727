"""Differential privacy through the worker: releases, promises, metrics without a link, reports, refusals."""

from __future__ import annotations

import csv
import io

import pytest

from avatar_gitops.engine.unlinked import LINKED
from tests.server.api import documents, people
from tests.server.workshop import Plain, Workshop, edited

PUBLIC = {
    "age": {"lower": 18, "upper": 90, "complete": True},
    "weight": {"lower": 30, "upper": 160, "complete": True},
    "height": {"lower": 120, "upper": 220, "complete": True},
    "sector": {"categories": ["north", "south", "east", "west"], "complete": True},
    "smoker": {"categories": ["yes", "no"], "complete": True},
}
OPEN: Plain = {"avatarization": None, "avatarization_open_dp": {"people": {"epsilon": 5}}}


def fast(**record: object) -> Plain:
    """Parameters of a run with `fast_dp`."""
    return {"avatarization": None, "avatarization_fast_dp": {"people": {"epsilon": 5, **record}}}


def private(spec: Plain, public: Plain | None = None, **about: object) -> str:
    """A set under differential privacy whose columns are public as said."""

    def change(specs: dict[str, Plain]) -> None:
        table = specs["schema"]["tables"][0]
        table |= about
        if public:
            table["columns"] = [{"field": name, "public": said} for name, said in public.items()]

    return edited(change, **spec)


@pytest.fixture(scope="module")
def released(workshop: Workshop) -> dict[str, str]:
    """The five jobs of a run with `open_dp` and public values, by parameters name."""
    set_id = workshop.put_set(private(OPEN, PUBLIC), "private-run")
    names = {"standard": workshop.launch(set_id, "standard")}
    for metrics in ("signal_metrics", "privacy_metrics"):
        names[metrics] = workshop.launch(set_id, metrics, [names["standard"]])
    both = [names["privacy_metrics"], names["signal_metrics"]]
    names |= {report: workshop.launch(set_id, report, both) for report in ("report", "report_pia")}
    workshop.work()
    assert [workshop.job(name)["exception"] for name in names.values()] == [""] * 5
    return names


def test_the_promise_stands_in_the_metadata_and_adds_up(workshop: Workshop, released: dict[str, str]) -> None:
    promise = workshop.json(released["standard"], "run_metadata.avatarize.json")["tables"]["people"][
        "differential_privacy"
    ]
    assert promise["declared"] == 5
    assert 5 * (1 - 1e-5) <= promise["epsilon"] <= 5
    assert promise["delta"] == 0
    assert sum(stage["loss"] for stage in promise["stages"]) == pytest.approx(promise["epsilon"])
    assert promise["unit"] == "person"
    assert promise["neighbours"] == "tables that differ by all the rows of one person, added or removed"
    assert promise["learned"] == []
    assert "bounds of weight" in promise["public"]
    assert promise["reproducible"] is False


def test_rows_belong_to_nobody_and_there_are_no_projections(workshop: Workshop, released: dict[str, str]) -> None:
    files = workshop.files(released["standard"])
    assert set(files) == {"people.shuffled-0.csv", "people.unshuffled-0.csv", "run_metadata.avatarize.json"}
    assert files["people.shuffled-0.csv"] == files["people.unshuffled-0.csv"]
    rows = list(csv.DictReader(io.StringIO(files["people.shuffled-0.csv"].decode())))
    assert {row["smoker"] for row in rows} <= {"yes", "no"}
    assert all(18 <= int(row["age"]) <= 90 for row in rows)


def test_metrics_say_what_is_undefined_and_that_they_are_not_private(
    workshop: Workshop, released: dict[str, str]
) -> None:
    entry = workshop.json(released["privacy_metrics"], "people_standalone.privacy.json")
    about = entry["metadata"]
    gone = LINKED & entry.keys()
    assert {"hidden_rate", "local_cloaking"} <= gone
    assert all(entry[name] is None and "no row of the output belongs" in about["notes"][name] for name in gone)
    assert not gone & (about["population"].keys() | about["intervals"].keys())
    for name in ("distance_to_closest", "closest_rate", "row_direct_match_protection"):
        assert entry[name] is not None
        assert "not differentially private" in about["notes"][name]
    assert about["differential_privacy"]["declared"] == 5
    assert about["meta"] is not None
    signal = workshop.json(released["signal_metrics"], "people_standalone.signal.json")
    assert 0 <= signal["hellinger_mean"] <= 100
    assert "not differentially private" in signal["metadata"]["notes"]["hellinger_mean"]


def test_the_guide_s_call_without_declarations_works(workshop: Workshop) -> None:
    workshop.upload("many.csv", people(700, 5))
    job = workshop.run(
        documents(file="many.csv", avatarization=None, avatarization_open_dp={"people": {"epsilon": 10}})
    )
    assert job["exception"] == ""
    facts = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]["people"]
    assert len(facts["differential_privacy"]["learned"]) == 5
    assert 0 < facts["differential_privacy"]["delta"] <= 1e-9
    assert facts["differential_privacy"]["epsilon"] <= 10


@pytest.mark.parametrize("mechanism", ["gaussian", "histogram", "gmm"])
def test_every_mechanism_of_fast_dp(workshop: Workshop, mechanism: str) -> None:
    more = {"gmm_n_components": 2, "histogram_n_bins": 6, "bounds_percentile": 2.0, "preprocess_budget_ratio": 0.4}
    job = workshop.run(private(fast(mechanism=mechanism, ncp=3, rows=90, delta=1e-7, **more), {"age": PUBLIC["age"]}))
    assert job["exception"] == ""
    assert workshop.files(job["name"])["people.shuffled-0.csv"].count(b"\n") == 91
    promise = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]["people"]["differential_privacy"]
    assert promise["measure"] == "zero-concentrated differential privacy"
    assert promise["rho"] > 0
    assert promise["delta"] <= 1e-7


def test_one_table_under_k_and_another_under_a_budget(workshop: Workshop) -> None:
    workshop.upload("others.csv", people(400, 4))

    def change(specs: dict[str, Plain]) -> None:
        specs["schema"]["tables"].append({"name": "others", "data": {"file": "others.csv"}})

    job = workshop.run(edited(change, avatarization_open_dp={"others": {"epsilon": 30}}))
    assert job["exception"] == ""
    tables = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]
    assert {name: "differential_privacy" in facts for name, facts in tables.items()} == {
        "people": False,
        "others": True,
    }


def test_several_rows_of_a_person_need_a_unit(workshop: Workshop) -> None:
    def change(specs: dict[str, Plain]) -> None:
        several = {"name": "visits", "data": {"file": "people.csv"}, "individual_level": False}
        specs["schema"]["tables"].append(several)

    text = edited(change, avatarization_open_dp={"visits": {"epsilon": 5}})
    assert "Say which column names the person" in workshop.error(text)
    record = {"epsilon": 5, "unit": {"column": "age", "max_rows": 3}}
    spec = {"avatarization": None, "avatarization_open_dp": {"people": record}}
    job = workshop.run(private(spec, {k: v for k, v in PUBLIC.items() if k != "age"}))
    assert job["exception"] == ""
    facts = workshop.json(job["name"], "run_metadata.avatarize.json")["tables"]["people"]
    assert facts["differential_privacy"]["rows_per_person"] == 3


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (fast(mechanism="laplace"), "mechanism of fast_dp is not one of gaussian, histogram, gmm"),
        (fast(exclude_variables={"variable_names": ["age"]}), "excluded variables (exclude_variables) come back"),
        (fast(imputation={"method": "mean"}), "(imputation) looks at other rows"),
        (fast(use_categorical_reduction=True), "(use_categorical_reduction)"),
        (fast(data_augmentation={"augmentation_strategy": 2}), "(data_augmentation)"),
        (fast(avatarization_processors_parameters=[{"target": "age"}]), "(avatarization_processors_parameters)"),
        (fast(delta=0.5), "delta must be above 0"),
        (fast(epsilon=0), "epsilon must be above 0"),
        (fast(rows=1), "rows is too small"),
        (fast(epsilon=0.001), "The budget is too small to learn the bounds of column"),
    ],
)
def test_what_voids_the_promise_is_refused(workshop: Workshop, spec: Plain, message: str) -> None:
    assert message in workshop.error(private(spec))


@pytest.mark.parametrize(("parent", "child"), [("people", "visits"), ("visits", "people")])
def test_links_of_a_private_table_are_refused(workshop: Workshop, parent: str, child: str) -> None:
    def change(specs: dict[str, Plain]) -> None:
        tables = specs["schema"]["tables"]
        tables.append({"name": "visits", "data": {"file": "people.csv"}})
        for table in tables:
            table["columns"] = [{"field": "age", "primary_key": True}, {"field": "sector", "identifier": True}]
            if table["name"] == parent:
                table["links"] = [{"field": "age", "to": {"table": child, "field": "sector"}}]

    assert "Table 'people': no guarantee of differential privacy, because it is linked" in workshop.error(
        edited(change, **OPEN)
    )


def test_both_reports_state_the_promise_and_what_it_rests_on(workshop: Workshop, released: dict[str, str]) -> None:
    from docx import Document

    content = next(iter(workshop.files(released["report_pia"]).values()))
    text = "\n".join(
        cell.text for table in Document(io.BytesIO(content)).tables for row in table.rows for cell in row.cells
    )
    assert "of 5 declared, delta 0" in text
    assert "two tables are neighbours when the row of one person is added or removed" in text
    assert "bounds (age, weight, height), no missing values (age" in text
    assert "pure differential privacy" in text
    assert "no seed repeats the run" in text
    pdf = next(iter(workshop.files(released["report"]).values()))
    assert pdf.startswith(b"%PDF")
