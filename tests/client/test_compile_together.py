"""Documents of tables that belong together, links and series, against those of the official client."""

from __future__ import annotations

from tests.client.compiled import Plain, desired, documents


def test_several_tables_with_links_are_those_of_example_2() -> None:
    """Keys, types and links as in appendix A; that a table is at the level of people goes without saying."""

    def link(field: str, foreign: str, method: str) -> Plain:
        return {"field": field, "to": {"table": "visit", "field": foreign}, "method": method}

    tables: Plain = {
        "patient": {
            "source": "patient.parquet",
            "columns": {"p_id": {"type": "int", "primary_key": True}, "gender": {"type": "category"}},
            "links": [link("p_id", "patient_id", "linear_sum_assignment")],
            "avatarization": {"k": 5},
            "privacy_metrics": {"known_variables": ["gender"]},
        },
        "doctor": {
            "source": "doctor.parquet",
            "columns": {"d_id": {"type": "int", "primary_key": True}},
            "links": [link("d_id", "doctor_id", "minimum_distance_assignment")],
            "avatarization": {"k": 5},
        },
        "visit": {
            "source": "visit.parquet",
            "individual_level": False,
            "columns": {"patient_id": {"identifier": True}, "doctor_id": {"identifier": True}},
            "avatarization": {"k": 5},
        },
    }
    _, original, avatarized, parameters, privacy, *_ = documents(desired("tutorial_multitable", tables))
    told = {table.pop("name"): table for table in original["spec"]["tables"]}
    for table in told.values():
        del table["data"]
    assert told == {
        "patient": {
            "columns": [
                {"field": "p_id", "type": "int", "primary_key": True},
                {"field": "gender", "type": "category"},
            ],
            "links": [link("p_id", "patient_id", "linear_sum_assignment")],
        },
        "doctor": {
            "columns": [{"field": "d_id", "type": "int", "primary_key": True}],
            "links": [link("d_id", "doctor_id", "minimum_distance_assignment")],
        },
        "visit": {
            "individual_level": False,
            "columns": [{"field": "patient_id", "identifier": True}, {"field": "doctor_id", "identifier": True}],
        },
    }
    assert [table["name"] for table in avatarized["spec"]["tables"]] == ["patient", "doctor", "visit"]
    assert "links" not in avatarized["spec"]["tables"][0]
    assert set(parameters["spec"]["avatarization"]) == {"patient", "doctor", "visit"}
    assert privacy["spec"]["privacy_metrics"] == {"patient": {"known_variables": ["gender"]}}


def test_series_are_those_of_example_3() -> None:
    """A time column, a link of the method time_series, and the settings of the series in all three documents."""
    tables = {
        "vanilla": {
            "source": "vanilla.csv",
            "columns": {"id": {"type": "int", "primary_key": True}},
            "links": [{"field": "id", "to": {"table": "sensor1", "field": "id"}, "method": "time_series"}],
            "avatarization": {"k": 5},
        },
        "sensor1": {
            "source": "sensor1.csv",
            "columns": {
                "t": {"time_series_time": True},
                "primary_key": {"primary_key": True},
                "id": {"identifier": True},
            },
            "time_series": {"projection": {"nf": 10}, "alignment": {"nb_points": 20, "method": "mean"}},
        },
    }
    found = {part["metadata"]["name"]: part["spec"] for part in documents(desired("tutorial_time_series", tables))}
    settings = {
        "sensor1": {
            "projection": {"projection_type": None, "nf": 10},
            "alignment": {"nb_points": 20, "method": "mean"},
        }
    }
    assert found["standard"]["avatarization"] == {"vanilla": {"k": 5}}
    for name in ("standard", "privacy_metrics", "signal_metrics"):
        assert found[name]["time_series"] == settings
    [vanilla, sensor] = found["schema"]["tables"]
    assert vanilla["links"] == [{"field": "id", "to": {"table": "sensor1", "field": "id"}, "method": "time_series"}]
    assert sensor["columns"] == [
        {"field": "t", "time_series_time": True},
        {"field": "primary_key", "primary_key": True},
        {"field": "id", "identifier": True},
    ]
