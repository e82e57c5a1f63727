"""What a server does not offer is known before anything is sent."""

from __future__ import annotations

import re
from typing import Any

import pytest

from avatar_gitops.client.preflight import needs, preflight
from avatar_gitops.errors import RemoteRefused
from tests.support.planning import wish

EVERYTHING = {
    "avatarization": {
        "k": 5,
        "generation": "local_gaussian",
        "column_weights": {"a": 2},
        "use_categorical_reduction": True,
        "transform_skewed": True,
        "exclude_variables": {"variable_names": ["a"], "replacement_strategy": "row_order"},
        "imputation": {"method": "median"},
        "data_augmentation": {"augmentation_strategy": 2},
        "holdout_share": 0.2,
        "avatarization_processors_parameters": [{"target": "a", "references": ["b"]}],
    },
    "processors": [{"kind": "datetime"}, {"kind": "perturbation", "perturbation_level": {"a": 0.9}}],
    "individual_level": False,
    "holdout": "others.csv",
    "privacy_metrics": {"shadow_run": True, "groups": ["a"]},
    "signal_metrics": {"target": "a"},
    "links": [{"field": "a", "to": {"table": "u", "field": "t"}}],
    "columns": {
        "a": {"type": "int", "drop": True, "pseudonymization": {"kind": "UUID4"}},
        "b": {"pseudonymization": {"kind": "FAKER", "pii_type": "EMAIL", "locale": "fr_FR"}},
        "c": {"pseudonymization": {"kind": "HASH_SHA256", "key": "env/AVATAR_PSEUDONYM_KEY_A"}},
        "t": {"time_series_time": True},
    },
}


def test_every_feature_of_a_spec_is_a_need() -> None:
    found = {need.feature for need in needs(wish(table=EVERYTHING, results={"format": "csv"}))}
    assert found == {
        "avatarization",
        "generation:local_gaussian",
        "column_weights",
        "use_categorical_reduction",
        "transform_skewed",
        "exclude_variables",
        "imputation:median",
        "data_augmentation",
        "avatarization_processors_parameters",
        "processors:datetime",
        "processors:perturbation",
        "individual_level:false",
        "holdout",
        "holdout_share",
        "shadow_run",
        "groups",
        "signal_target",
        "links:linear_sum_assignment",
        "column_types",
        "drop",
        "pseudonymization",
        "pseudonymization:key",
        "pseudonymization:locale",
        "time_series",
        "privacy_metrics",
        "signal_metrics",
        "report:pdf",
        "report_pia:docx",
        "results:csv",
    }


def test_a_refusal_names_table_parameter_server_and_what_to_do() -> None:
    item = wish(table={"avatarization": {"open_dp": {"epsilon": 1}}})
    offered = {need.feature for need in needs(item)} - {"open_dp"}
    with pytest.raises(RemoteRefused) as caught:
        preflight(item, offered, "https://a.example.org")
    assert (
        str(caught.value) == "patients: table patients: avatarization.open_dp is not offered by https://a.example.org"
    )
    assert "configs/patients.yaml" in str(caught.value.hint)


def test_a_server_that_offers_everything_needed_is_fine() -> None:
    item = wish(table=EVERYTHING)
    preflight(item, {need.feature for need in needs(item)}, "server")


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"k": 5}, False),
        ({"open_dp": {"epsilon": 1, "preprocess_budget_ratio": 0.2}}, False),
        ({"open_dp": {"epsilon": 1, "delta": 1e-9}}, True),
        ({"fast_dp": {"epsilon": 1, "bounds_percentile": 2}}, False),
        ({"fast_dp": {"epsilon": 1, "preprocess_budget_ratio": 0.2}}, True),
        ({"k": 5, "generation": "local_gaussian"}, True),
    ],
)
def test_a_server_that_says_nothing_lacks_only_our_own_additions(said: dict[str, Any], refused: bool) -> None:
    item = wish(table={"avatarization": said})
    if not refused:
        preflight(item, None, "server")
        return
    with pytest.raises(RemoteRefused, match=r"local_gaussian|delta|preprocess_budget_ratio"):
        preflight(item, None, "server")


@pytest.mark.parametrize(
    ("said", "parameter"),
    [
        ({"avatarization": {"k": 5, "transform_skewed": True}}, "avatarization.transform_skewed"),
        (
            {"columns": {"a": {"pseudonymization": {"kind": "HASH_SHA256", "key": "env/AVATAR_PSEUDONYM_KEY_A"}}}},
            "columns.a.pseudonymization.key",
        ),
        (
            {"columns": {"a": {"pseudonymization": {"kind": "FAKER", "pii_type": "SSN", "locale": "fr_FR"}}}},
            "columns.a.pseudonymization.locale",
        ),
    ],
)
def test_the_hosted_platform_has_no_additions_of_ours_to_its_methods(said: dict[str, Any], parameter: str) -> None:
    with pytest.raises(RemoteRefused, match=re.escape(f"{parameter} is not offered")):
        preflight(wish(table=said), None, "server")


def test_the_hosted_platform_has_no_processors_of_ours() -> None:
    own = {"avatarization_processors_parameters": [{"target": "a", "references": ["b"]}]}
    preflight(wish(table={"avatarization": {"k": 5, **own}}), None, "server")
    item = wish(table={"avatarization": {"k": 5}, "processors": [{"kind": "expected_mean", "target_variables": ["a"]}]})
    with pytest.raises(RemoteRefused, match="table patients: processors: expected_mean is not offered by server"):
        preflight(item, None, "server")
