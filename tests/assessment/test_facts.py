"""Facts: what is read from a result block and a parameter record, and what they refuse to hold."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.assessment import (
    Family,
    MetricValue,
    TableFacts,
    metric_facts,
    parameter_facts,
    pia_context,
    row_bucket,
)
from avatar_gitops.assessment.facts import BUCKETS, PARAMETER_WORDS
from avatar_gitops.errors import AvatarGitOpsError


def test_a_whole_result_block_gives_its_metrics_only() -> None:
    block: dict[str, Any] = {
        "hidden_rate": 91.4,
        "metadata": {"table_name": "t"},
        "seed": 3,
        "targets": {"hidden_rate": "> 90"},
        "flag": True,
    }
    assert metric_facts(block, targets=block["targets"]) == (MetricValue("hidden_rate", 91.4, target="> 90"),)


def test_the_newer_name_wins_over_the_older_one() -> None:
    for values in (
        {"correlation_protection_rate": 1.0, "knowledge_protection_rate": 2.0},
        {"knowledge_protection_rate": 2.0, "correlation_protection_rate": 1.0},
    ):
        (metric,) = metric_facts(values)
        assert (metric.name, metric.value, metric.family) == ("knowledge_protection_rate", 2.0, Family.LINKABILITY)


def test_an_older_name_with_a_value_wins_over_a_newer_one_without() -> None:
    (metric,) = metric_facts({"knowledge_protection_rate": None, "correlation_protection_rate": 1.0})
    assert metric.value == 1.0


def test_an_older_name_carries_its_target_and_interval() -> None:
    (metric,) = metric_facts(
        {"correlation_protection_rate": 98},
        targets={"correlation_protection_rate": 95},
        intervals={"correlation_protection_rate": (97, 99)},
    )
    assert metric == MetricValue("knowledge_protection_rate", 98.0, 97.0, 99.0, ">= 95")


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_measured(missing: float | None) -> None:
    assert metric_facts({"hidden_rate": missing})[0].value is None


def test_an_unknown_metric_is_kept_when_it_has_a_target() -> None:
    assert metric_facts({"new_rate": 5.0}) == ()
    assert metric_facts({"new_rate": 5.0}, targets={"new_rate": 4})[0].family is Family.OTHER


@pytest.mark.parametrize(
    ("name", "target", "written"),
    [
        ("hidden_rate", 90, ">= 90"),
        ("hidden_rate", "90", ">= 90"),
        ("hidden_rate", "≥ 90 %", ">= 90"),
        ("hellinger_mean", 0.1, "<= 0.1"),
        ("hellinger_mean", "< 0.1", "< 0.1"),
    ],
)
def test_a_target_without_operator_takes_the_direction_of_the_metric(name: str, target: object, written: str) -> None:
    assert metric_facts({name: 1.0}, targets={name: target})[0].target == written


def test_a_target_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(AvatarGitOpsError):
        metric_facts({"hidden_rate": 1.0}, targets={"hidden_rate": "ninety"})
    with pytest.raises(AvatarGitOpsError):
        MetricValue("hidden_rate", 1.0, target="90")


def test_parameters_are_flat_and_hold_no_modality() -> None:
    record: dict[str, Any] = {
        "k": 15,
        "use_categorical_reduction": True,
        "imputation": {"method": "knn", "k": None},
        "column_weights": {"Class": 3},
        "data_augmentation": {"augmentation_strategy": {"CANARY-value": 2.0}, "target_column": "Class"},
        "exclude_variables": {"variable_names": ["site"], "replacement_strategy": "row_order"},
        "avatarization_processors_parameters": [
            {"target": "x"},
            {"target": "y"},
            {"id_variable": "x"},
            {"kind": "perturbation", "perturbation_level": {"site": 0.9}},
            {"kind": "group_modalities", "new_category": "CANARY-label"},
            {"kind": "CANARY-kind"},
            "CANARY-text",
        ],
    }
    assert parameter_facts(record) == {
        "k": 15,
        "use_categorical_reduction": True,
        "imputation.method": "knn",
        "column_weights.Class": 3,
        "data_augmentation.augmentation_strategy": "by_modality",
        "data_augmentation.target_column": "set",
        "processors.relative_difference": 2,
        "processors.inter_record_range_difference": 1,
        "processors.perturbation": 1,
        "processors.perturbation.site": 0.9,
        "processors.group_modalities": 1,
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.dictionaries(st.text(min_size=1), inner) | st.lists(inner),
        max_leaves=8,
    )
)
def test_no_free_text_survives_in_parameter_values(value: Any) -> None:
    facts = parameter_facts({"x": value})
    assert all(not isinstance(fact, str) or fact in PARAMETER_WORDS for fact in facts.values())
    TableFacts("t", parameters=facts)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"k": "CANARY-7f3a"}},
        {"pseudonymized": {"name": "CANARY-7f3a"}},
        {"replacement_strategy": "CANARY-7f3a"},
        {"method": "CANARY-7f3a"},
        {"rows": "1234"},
    ],
)
def test_a_table_refuses_free_text_and_exact_counts_without_repeating_them(changes: dict[str, Any]) -> None:
    with pytest.raises(AvatarGitOpsError) as raised:
        dataclasses.replace(TableFacts("t"), **changes)
    assert "CANARY" not in str(raised.value)
    assert "1234" not in str(raised.value)


@given(st.integers(min_value=0, max_value=10**8))
def test_every_count_has_a_bucket_and_buckets_keep_the_order(rows: int) -> None:
    assert BUCKETS.index(row_bucket(rows)) <= BUCKETS.index(row_bucket(rows + 1))


def test_bucket_bounds() -> None:
    assert [row_bucket(n) for n in (0, 99, 100, 999, 1000, 10**6, None)] == [
        "<100",
        "<100",
        "100-1k",
        "100-1k",
        "1k-10k",
        ">1M",
        "unknown",
    ]


def test_the_context_of_a_metadata_document_is_unknown_where_it_says_nothing() -> None:
    context = pia_context({"datarecipient": "internal"}, purpose="x")
    assert (context.data_recipient, context.data_type, context.sensitivity_level, context.purpose) == (
        "internal",
        "unknown",
        "Undefined",
        "x",
    )
    assert pia_context(None).data_subject == "unknown"


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("generation", "barycentre"),
        ("generation", "local_gaussian"),
        ("mechanism", "gmm"),
        ("method", "fast_knn"),
        ("replacement_strategy", "coordinate_similarity"),
    ],
)
def test_the_words_of_the_platform_are_shown_as_they_are(name: str, word: str) -> None:
    assert parameter_facts({name: word}) == {name: word}
