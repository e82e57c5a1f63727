"""Documents against those of the official client (appendix A of its protocol), and what a spec adds to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from avatar_gitops.client.compile import object_key, to_yaml
from avatar_gitops.errors import AvatarGitOpsError
from tests.client.compiled import Plain, desired, documents


def without_client(found: list[Plain]) -> list[Plain]:
    return [{key: value for key, value in part.items() if key != "annotations"} for part in found]


def metadata(name: str) -> Plain:
    pia = {
        "datarecipient": "unknown",
        "data_type": "unknown",
        "datasubject": "unknown",
        "sensitivity_level": "Undefined",
    }
    return {
        "kind": "AvatarMetadata",
        "metadata": {"name": f"avatar-metadata-{name}"},
        "spec": {"display_name": name, "pia_metadata": pia},
    }


def document(kind: str, name: str, **spec: Any) -> Plain:
    return {"kind": f"Avatar{kind}", "metadata": {"name": name}, "spec": spec}


def schemas(table: str, file: str, **more: Any) -> list[Plain]:
    columns = {"columns": more["columns"]} if "columns" in more else {}
    avatars = more.get("avatars", {"auto": True})
    return [
        document("Schema", "schema", tables=[{"name": table, "data": {"volume": "input", "file": file}, **columns}]),
        document("Schema", "schema_avatarized", tables=[{"name": table, "avatars_data": avatars}], schema_ref="schema"),
    ]


def results(path: str, **more: Any) -> Plain:
    return {"volume": "results", "path": path, **more}


def metrics(
    privacy: Plain | None = None, signal: Plain | None = None, seed: Plain | None = None, **more: Any
) -> list[Plain]:
    found = []
    for kind, name, records in (
        ("PrivacyMetricsParameters", "privacy_metrics", privacy),
        ("SignalMetricsParameters", "signal_metrics", signal),
    ):
        told = {name: records} if records else {}
        found.append(
            document(
                kind,
                name,
                schema="schema_avatarized",
                avatarization_ref="standard",
                **told,
                results=results(name, **more),
                **(seed or {}),
            )
        )
    return found


METRICS = ["standard", "privacy_metrics", "signal_metrics"]


def test_example_1_one_table_with_a_seed() -> None:
    item = desired("test_wbcd", {"wbcd": {"source": "wbcd.csv", "avatarization": {"k": 15}}}, seed=42)
    assert without_client(documents(item)) == [
        metadata("test_wbcd"),
        *schemas("wbcd", "wbcd-0123456789abcdef.csv"),
        document(
            "Parameters",
            "standard",
            schema="schema",
            avatarization={"wbcd": {"k": 15}},
            results=results("standard"),
            seed=42,
        ),
        *metrics(seed={"seed": 42}),
        document(
            "ReportParameters",
            "report",
            report_type="basic",
            output_format="pdf",
            language="en",
            results=results("report"),
        ),
        document(
            "ReportParameters",
            "report_pia",
            report_type="pia",
            output_format="docx",
            language="en",
            results=results("report_pia"),
        ),
    ]


def test_example_7_metrics_only() -> None:
    table = {"source": "iris.csv", "avatars": "iris_avatarized.csv", "avatarization": {"k": 10}}
    item = desired("only_metrics", {"iris": table}, jobs=["privacy_metrics", "signal_metrics"])
    avatars = {"volume": "input", "file": "iris_avatars-0123456789abcdef.csv"}
    assert without_client(documents(item)) == [
        metadata("only_metrics"),
        *schemas("iris", "iris-0123456789abcdef.csv", avatars=avatars),
        document(
            "Parameters", "standard", schema="schema", avatarization={"iris": {"k": 10}}, results=results("standard")
        ),
        *metrics(),
    ]


def test_example_8_metrics_without_any_anonymization_refer_to_none() -> None:
    table = {
        "source": "iris.csv",
        "avatars": "iris_avatars.csv",
        "privacy_metrics": {"known_variables": ["sepal.length"], "target": "variety", "quantile_threshold": 5},
    }
    found = {part["metadata"]["name"]: part["spec"] for part in documents(desired("assess", {"iris": table}))}
    assert "standard" not in found
    assert "avatarization_ref" not in found["privacy_metrics"] | found["signal_metrics"]
    expected = {"known_variables": ["sepal.length"], "target": "variety", "quantile_threshold": 5}
    assert found["privacy_metrics"]["privacy_metrics"] == {"iris": expected}
    assert "signal_metrics" not in found["signal_metrics"]


def test_a_holdout_stands_beside_the_originals_and_a_shadow_run_in_the_privacy_metrics() -> None:
    table = {
        "source": "iris.csv",
        "holdout": "others.csv",
        "avatarization": {"k": 10},
        "privacy_metrics": {"shadow_run": True, "groups": ["variety"]},
        "signal_metrics": {"target": "variety"},
    }
    found = {part["metadata"]["name"]: part["spec"] for part in documents(desired("attacked", {"iris": table}))}
    (original,), (avatarized,) = found["schema"]["tables"], found["schema_avatarized"]["tables"]
    assert original["holdout_data"] == {"volume": "input", "file": "iris_holdout-0123456789abcdef.csv"}
    assert "holdout_data" not in avatarized
    assert found["privacy_metrics"]["privacy_metrics"] == {"iris": {"shadow_run": True, "groups": ["variety"]}}
    assert found["signal_metrics"]["signal_metrics"] == {"iris": {"target": "variety"}}


def test_example_12_metrics_follow_the_anonymization_and_judge_excluded_columns() -> None:
    """As with the client's `use_excluded_variables_in_metrics=True`: excluded columns are in the deliverable."""
    followed = {"ncp": 5, "use_categorical_reduction": True, "column_weights": {"variety": 3.0}}
    excluded = {"variable_names": ["variety"], "replacement_strategy": "coordinate_similarity"}
    shared = {**followed, "exclude_variables": excluded}
    item = desired("iris_multi", {"iris": {"source": "iris.csv", "avatarization": {"k": 30, **shared}}}, jobs=METRICS)
    assert without_client(documents(item)) == [
        metadata("iris_multi"),
        *schemas("iris", "iris-0123456789abcdef.csv"),
        document(
            "Parameters",
            "standard",
            schema="schema",
            avatarization={"iris": {"k": 30, **shared}},
            results=results("standard"),
        ),
        *metrics({"iris": followed}, {"iris": followed}),
    ]


def test_example_13_imputation_keeps_its_nulls_and_results_have_a_form() -> None:
    said = {"method": "mean", "return_data_imputed": True}
    item = desired(
        "adult_imputed",
        {"adult": {"source": "adult.csv", "avatarization": {"k": 10, "imputation": said}}},
        jobs=METRICS,
        results={"format": "parquet", "max_distribution_plots": 10},
    )
    record = {"imputation": {"method": "mean", "k": None, "training_fraction": None, "return_data_imputed": True}}
    form: Plain = {"format": "parquet", "max_distribution_plots": 10}
    assert without_client(documents(item)) == [
        metadata("adult_imputed"),
        *schemas("adult", "adult-0123456789abcdef.csv"),
        document(
            "Parameters",
            "standard",
            schema="schema",
            avatarization={"adult": {"k": 10, **record}},
            results=results("standard", **form),
        ),
        *metrics({"adult": record}, {"adult": record}, **form),
    ]


def test_example_14_columns() -> None:
    columns = {
        "Clump_Thickness": {"type": "category"},
        "Mitoses": {"type": "int", "drop": True},
        "Class": {"tag": "sensitive"},
        "seen_at": {"type": "datetime", "tag": "quasi_identifier"},
    }
    table = {"source": "wbcd.parquet", "columns": columns, "avatarization": {"k": 5}}
    found = without_client(documents(desired("wbcd_types", {"wbcd": table}, jobs=METRICS)))
    expected = [
        {"field": "Clump_Thickness", "type": "category"},
        {"field": "Mitoses", "type": "int", "drop": True},
        {"field": "seen_at", "type": "datetime"},
    ]
    assert found[1:3] == schemas("wbcd", "wbcd-0123456789abcdef.parquet", columns=expected)


@pytest.mark.parametrize(
    ("said", "where", "record"),
    [
        ({"open_dp": {"epsilon": 10}}, "avatarization_open_dp", {"epsilon": 10}),
        (
            {"fast_dp": {"epsilon": 5}, "ncp": 4},
            "avatarization_fast_dp",
            {"epsilon": 5, "mechanism": "gaussian", "ncp": 4},
        ),
        (
            {"open_dp": {"epsilon": 1, "delta": 1e-9, "unit": {"column": "who"}, "rows": 80, "bins": 9}},
            "avatarization_open_dp",
            {"epsilon": 1, "delta": 1e-9, "unit": {"column": "who", "max_rows": 1}, "rows": 80, "bins": 9},
        ),
        ({"k": 5, "generation": "barycentre"}, "avatarization", {"k": 5}),
        ({"k": 5, "generation": "local_gaussian"}, "avatarization", {"k": 5, "generation": "local_gaussian"}),
    ],
)
def test_each_method_has_its_map(said: Plain, where: str, record: Plain) -> None:
    found = documents(desired("dp", {"t": {"source": "t.csv", "avatarization": said}}))
    assert found[3]["spec"][where] == {"t": record}


def test_what_is_public_of_a_column_stands_in_the_schema() -> None:
    columns = {
        "age": {"public": {"lower": 0, "upper": 120}},
        "sex": {"public": {"categories": ["f"], "complete": True}},
    }
    table = {"source": "t.csv", "columns": columns, "avatarization": {"open_dp": {"epsilon": 1}}}
    found = documents(desired("dp", {"t": table}))
    assert found[1]["spec"]["tables"][0]["columns"] == [
        {"field": "age", "public": {"lower": 0, "upper": 120}},
        {"field": "sex", "public": {"categories": ["f"], "complete": True}},
    ]


def test_settings_of_the_metrics_win_over_those_that_they_follow() -> None:
    table = {"source": "t.csv", "avatarization": {"k": 5, "ncp": 3}, "signal_metrics": {"ncp": 9}}
    found = {part["metadata"]["name"]: part["spec"] for part in documents(desired("own", {"t": table}))}
    assert found["privacy_metrics"]["privacy_metrics"] == {"t": {"ncp": 3}}
    assert found["signal_metrics"]["signal_metrics"] == {"t": {"ncp": 9}}


def test_processors_of_the_table_come_before_those_of_the_platform() -> None:
    own = {"target": "a", "references": ["b"], "scaling_unit": 2.0}
    ours = {"kind": "perturbation", "perturbation_level": {"a": 0.9}}
    record = {"k": 5, "avatarization_processors_parameters": [own]}
    table = {"source": "t.csv", "processors": [ours, {"kind": "datetime"}], "avatarization": record}
    found = {part["metadata"]["name"]: part["spec"] for part in documents(desired("own", {"t": table}))}
    said = found["standard"]["avatarization"]["t"]
    assert said == {"k": 5, "avatarization_processors_parameters": [ours, {"kind": "datetime"}, own]}


def test_context_and_annotations_are_on_the_metadata() -> None:
    pia = {"data_recipient": "opendata", "data_type": "health", "sensitivity_level": "Very High", "language": "fr"}
    item = desired("pia", {"t": {"source": "t.csv", "avatarization": {"k": 5}}}, pia=pia)
    found = documents(item, {"avatar-gitops/set": "pia", "avatar-gitops/commit": "1e9"})
    assert found[0]["spec"]["pia_metadata"] == {
        "datarecipient": "opendata",
        "data_type": "health",
        "datasubject": "unknown",
        "sensitivity_level": "Very High",
    }
    assert found[0]["annotations"]["client_type"] == "avatar-gitops"
    assert found[0]["annotations"]["avatar-gitops/commit"] == "1e9"
    assert {part["spec"].get("language") for part in found if part["kind"] == "AvatarReportParameters"} == {"fr"}


def test_the_text_is_stable(golden: Callable[[str, str], None]) -> None:
    table = {
        "source": "data/patients 2026.csv",
        "columns": {"no": {"pseudonymization": {"kind": "CONSTANT", "value": "yes"}}, "12:30": {"type": "int"}},
        "avatarization": {"k": 5, "column_weights": {"no": 1}, "generation": "local_gaussian"},
        "privacy_metrics": {"known_variables": ["no"], "quantile_threshold": 7},
    }
    item = desired("patients-2026", {"patients": table}, seed=1, results={"compute_figures": False, "format": "csv"})
    text = to_yaml(item, {"avatar-gitops/set": "patients-2026", "avatar-gitops/project": "hospital"})
    assert text == to_yaml(item, {"avatar-gitops/project": "hospital", "avatar-gitops/set": "patients-2026"})
    golden("client/documents.yaml", text)


def test_object_keys_say_the_content_and_hold_nothing_odd() -> None:
    item = desired("keys", {"a/../b é": {"source": "x.tar.CSV"}})
    assert object_key(item, "a/../b é", "x.tar.CSV") == "a____b__-0123456789abcdef.CSV"
    assert object_key(item, "a/../b é", "s3://bucket/a.b/c?x=.d") == "a____b__-0123456789abcdef"


def test_an_input_without_a_digest_is_an_error() -> None:
    item = desired("keys", {"t": {"source": "t.csv"}})
    with pytest.raises(AvatarGitOpsError, match="keys: the data file of u has no digest"):
        object_key(item, "u", "u.csv")
