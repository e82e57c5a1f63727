"""The published schema and the models accept and refuse the same documents, valid ones and damaged ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from avatar_gitops.spec.parse import (
    Parsed,
    parse_defaults,
    parse_policy,
    parse_policy_tests,
    parse_project,
    parse_run,
    parse_signoffs,
    parse_waivers,
)
from avatar_gitops.spec.schema import ROOTS, Kind, file_name, published, schema, schema_text
from avatar_gitops.spec.structure import validator
from tests.support.from_schema import from_schema

PUBLISHED = Path(__file__).parents[2] / "schemas"
GENERATED, DAMAGED = 100, 400


def relaxed(examples: int) -> settings:
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=slow)


ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 2, -1, 5.0, 0.5, 101, 2**31, 2**53, 1e300, "", "x", "5", "env/X", "k\n", [], [1],
    ["a"], {}, {"a": 1}, {"kind": "FAKER"}, {"uri": "x"}, {"epsilon": 1}, "FAKER", "minority", ">= 90",
    ">= 90\n", "é" * 2001,
)  # fmt: skip
MINIMAL: dict[Kind, dict[str, Any]] = {
    "run": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "AvatarRun",
        "metadata": {"name": "patients", "owner": "anna", "labels": {"domain": "health"}},
        "spec": {
            "seed": 5.0,
            "tables": {
                "patients": {
                    "source": {
                        "uri": "data.csv",
                        "format": "csv",
                        "digest": "sha256:" + "0" * 64,
                        "options": {"a": "b"},
                    },
                    "columns": {
                        "id": {"primary_key": True, "pseudonymization": {"kind": "SPECIFIC_ID", "pattern": "##"}},
                        "mail": {"tag": "identifier", "pseudonymization": {"kind": "FAKER", "pii_type": "EMAIL"}},
                        "age": {"type": "int", "tag": "quasi_identifier"},
                    },
                    "avatarization": {
                        "k": 20,
                        "ncp": 5,
                        "column_weights": {"age": 3},
                        "exclude_variables": {"variable_names": ["id"], "replacement_strategy": "row_order"},
                        "imputation": {"method": "fast_knn", "k": 3, "training_fraction": 1},
                        "data_augmentation": {"augmentation_strategy": {"a": 2}, "target_column": "sex"},
                        "avatarization_processors_parameters": [
                            {"target": "a", "references": ["b"], "scaling_unit": 2},
                            {"id_variable": "a", "target_start_variable": "b", "target_end_variable": "c"},
                        ],
                    },
                    "processors": [
                        {"kind": "datetime"},
                        {"kind": "group_modalities", "min_unique": 9, "global_threshold": 2, "new_category": "rest"},
                        {"kind": "to_categorical", "to_categorical_threshold": 5.0, "keep_continuous": True},
                        {"kind": "proportions", "variable_names": ["a", "b"], "reference": "c", "decimal_count": 2},
                        {"kind": "perturbation", "perturbation_level": {"a": 0.5, "b": 1}},
                        {"kind": "expected_mean", "target_variables": ["a"], "groupby_variables": ["b"]},
                        {
                            "kind": "geolocation_normalization",
                            "latitude_variable": "a",
                            "longitude_variable": "b",
                            "n_reference_lat": 9,
                            "n_bins": 9,
                        },
                        {"kind": "inter_record_cumulated_difference", "id_variable": "a", "target_variable": "b"},
                        {
                            "kind": "inter_record_bounded_range_difference",
                            "id_variable": "a",
                            "target_start_variable": "b",
                            "target_end_variable": "c",
                            "sort_by_variable": None,
                        },
                    ],
                    "privacy_metrics": {"known_variables": ["age"], "target": "sex", "quantile_threshold": 5},
                    "signal_metrics": {"ncp": 2},
                },
                "visits": {"source": "v.csv", "avatarization": {"fast_dp": {"epsilon": 1, "bounds_percentile": 5}}},
                "labs": {"source": "l.csv", "avatarization": {"open_dp": {"epsilon": 1.5}}},
            },
            "jobs": ["standard", "privacy_metrics"],
            "gates": {"hidden_rate": ">= 90"},
            "pia": {"purpose": "test", "sensitivity_level": "Very High"},
            "results": {"format": "parquet", "max_distribution_plots": -1},
            "lifecycle": {"protect": True, "keep_versions": 2},
        },
    },
    "project": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "Project",
        "metadata": {"name": "demo"},
        "spec": {
            "server": "prod",
            "servers": {"prod": {"base_url": "https://x.example", "api_key": "env/KEY", "verify_tls": True}},
            "specs": "configs",
            "prune": "owned",
            "thresholds": {"max_delete_percent": 30, "min_sets": 10},
            "parallelism": 4,
            "digest_key": "env/DIGEST",
            "signing": {"key": "env/KEY", "trusted": [{"name": "release", "key": "ed25519:" + "0f" * 32}]},
            "defaults": {"spec": {"gates": {"hidden_rate": ">= 90", "local_cloaking": None}}},
        },
    },
    "defaults": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "Defaults",
        "metadata": {"owner": "anna", "labels": {"domain": "health", "site": None}},
        "spec": {
            "seed": None,
            "tables": {
                "*": {
                    "columns": {"id": {"pseudonymization": {"kind": "FAKER", "pii_type": "EMAIL"}}},
                    "avatarization": {"k": 20, "exclude_variables": {"replacement_strategy": "row_order"}},
                },
                "visits": {"source": {"format": "csv"}, "avatarization": {"open_dp": {}}},
            },
            "pia": {"language": "fr"},
        },
    },
    "policy": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "Policy",
        "enabled": ["baseline", "health"],
        "disabled": ["P013"],
        "severity": {"P010": "warn"},
        "thresholds": [
            {
                "id": "X-hidden",
                "metric": "hidden_rate",
                "condition": ">= 90",
                "sets": ["claims-*"],
                "stage": "before",
                "severity": "info",
                "reason": "the contract says so",
            }
        ],
        "rules": ["hospital"],
        "required_approvers": ["dpo"],
    },
    "waivers": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "Waivers",
        "waivers": [
            {
                "rule": "P013",
                "sets": ["*"],
                "owner": "dpo",
                "reason": "Pilot",
                "ticket": "DPO-311",
                "granted": "2026-09-15",
                "expires": "2026-12-31",
            }
        ],
    },
    "signoffs": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "SignOffs",
        "metadata": {"name": "patients"},
        "signatures": [
            {
                "person": "dpo@example.org",
                "role": "dpo",
                "date": "2026-09-17",
                "decision": "approved",
                "statement": "sha256:" + "0" * 64,
                "run": "4f2a",
                "note": "For open data only",
            }
        ],
    },
    "policy-test": {
        "apiVersion": "avatar-gitops/v1",
        "kind": "PolicyTest",
        "tests": [
            {
                "name": "k is low",
                "metadata": {"owner": None},
                "spec": {"seed": None},
                "published": {"seed": 1},
                "metrics": {"hidden_rate": 91},
                "rows": "<100",
                "stage": "before",
                "approved_by": ["dpo"],
                "expect": ["P010"],
            }
        ],
    },
}
PARSE: dict[Kind, Callable[[str, str], Parsed[Any]]] = {
    "run": parse_run,
    "project": parse_project,
    "defaults": parse_defaults,
    "policy": parse_policy,
    "waivers": parse_waivers,
    "policy-test": parse_policy_tests,
    "signoffs": parse_signoffs,
}


def schema_accepts(kind: Kind, document: Any) -> bool:
    return bool(validator(kind).is_valid(document))


def model_accepts(kind: Kind, document: Any) -> bool:
    try:
        ROOTS[kind][0].model_validate_json(json.dumps(document))
    except ValidationError:
        return False
    return True


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, child in inner for place in places(child, (*path, key)))]


def damaged(document: Any, chance: random.Random) -> Any:
    """The document with one or two places replaced, removed, renamed or added."""
    result = copy.deepcopy(document)
    for _ in range(chance.randint(1, 2)):
        path = chance.choice(places(result)[1:] or [()])
        if not path:
            return chance.choice(ODD_VALUES)
        parent = result
        for key in path[:-1]:
            parent = parent[key]
        match chance.randint(0, 3):
            case 0:
                del parent[path[-1]]
            case 1 if isinstance(parent, dict):
                parent[chance.choice(("", "x y", "Zebra", "k", "kind", "a" * 501, "name\n"))] = parent.pop(path[-1])
            case _:
                parent[path[-1]] = copy.deepcopy(chance.choice(ODD_VALUES))
    return result


@pytest.mark.parametrize("kind", list(ROOTS))
def test_the_published_schema_is_the_generated_one(kind: Kind) -> None:
    assert (PUBLISHED / file_name(kind)).read_bytes() == schema_text(kind).encode()
    Draft202012Validator.check_schema(schema(kind))


@pytest.mark.parametrize("kind", list(ROOTS))
def test_a_full_example_is_accepted_by_both(kind: Kind) -> None:
    assert schema_accepts(kind, MINIMAL[kind])
    assert model_accepts(kind, MINIMAL[kind])


@seed(20261121)
@relaxed(GENERATED)
@given(document=from_schema(schema("run"), schema("run")))
def test_generated_runs_are_accepted_by_both(document: Any) -> None:
    assert schema_accepts("run", document)
    assert model_accepts("run", document)


@seed(20261123)
@relaxed(DAMAGED)
@given(chance=st.randoms(use_true_random=False))
def test_editors_are_told_nothing_wrong_about_a_spec(chance: random.Random) -> None:
    document = damaged(MINIMAL["run"], chance)
    if schema_accepts("run", document):
        assert Draft202012Validator(published("run")).is_valid(document), document


@pytest.mark.parametrize("kind", list(ROOTS))
@seed(20261121)
@relaxed(DAMAGED)
@given(chance=st.randoms(use_true_random=False))
def test_damaged_documents_get_one_verdict(kind: Kind, chance: random.Random) -> None:
    document = damaged(MINIMAL[kind], chance)
    assert schema_accepts(kind, document) == model_accepts(kind, document), document


def test_damage_is_usually_noticed() -> None:
    verdicts = [schema_accepts("run", damaged(MINIMAL["run"], random.Random(number))) for number in range(120)]
    assert 5 < sum(verdicts) < 115


@pytest.mark.parametrize("kind", list(ROOTS))
@seed(20261122)
@relaxed(100)
@given(chance=st.randoms(use_true_random=False))
def test_a_refused_document_always_gets_words_and_an_accepted_one_none(kind: Kind, chance: random.Random) -> None:
    document = damaged(MINIMAL[kind], chance)
    parsed = PARSE[kind](json.dumps(document), "a.yaml")
    found = {finding.code for finding in parsed.diagnostics}
    if schema_accepts(kind, document):
        assert found <= {"S020"}, document
    else:
        assert found, document
    assert "S009" not in found, document
    assert (parsed.run is None) is bool(found)
    assert all(finding.message and finding.span.line == 1 for finding in parsed.diagnostics)
