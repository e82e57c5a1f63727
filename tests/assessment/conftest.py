"""Facts that the assessment tests share: a complete set and one that nobody described."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from avatar_gitops.assessment import AssessmentFacts, PiaContext, Provenance, TableFacts, metric_facts
from avatar_gitops.assessment.facts import Language

DIGEST = "sha256:2e400b7967c8a1d1f0b2f1a5a1e3d7c4b6a89f00112233445566778899aabbcc"
INPUT = "hmac-sha256:32be81470a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef01234567"


def patients() -> TableFacts:
    """A table whose metrics meet their targets but for one interval."""
    return TableFacts(
        name="patients",
        rows="1k-10k",
        columns=24,
        parameters={
            "k": 15,
            "ncp": 5,
            "use_categorical_reduction": False,
            "column_weights.Class": 3,
            "imputation.method": "knn",
        },
        dropped=("birth_name",),
        pseudonymized={"record_id": "UUID4"},
        excluded=("site",),
        replacement_strategy="coordinate_similarity",
        known_variables=("age", "sex"),
        inference_target="Class",
        metrics=metric_facts(
            {
                "hidden_rate": 91.44,
                "hidden_rate_strict": 88.12,
                "local_cloaking": 11.0,
                "column_direct_match_protection": 97.31,
                "row_direct_match_protection": 99.02,
                "correlation_protection_rate": 98.04,
                "inference_accuracy_ratio": None,
                "inference_categorical": 12.5,
                "distance_to_closest": 0.386,
                "closest_distances_ratio": 0.785,
                "closest_rate": 83.52,
                "membership_auc": 0.521,
                "hellinger_mean": 0.0514,
                "correlation_difference_ratio": 7.07,
            },
            intervals={
                "hidden_rate": (89.6, 93.01),
                "local_cloaking": (9.0, 13.5),
                "correlation_protection_rate": (97.1, 98.9),
                "closest_rate": (81.05, 85.94),
                "membership_auc": (0.498, 0.544),
                "hellinger_mean": (0.0489, 0.0541),
            },
            targets={"hidden_rate": "> 90", "local_cloaking": 5, "closest_rate": ">= 90", "hellinger_mean": "< 0.1"},
            columns={"column_direct_match_protection": "Class"},
        ),
        column_hellinger={"age": 0.031, "sex": 0.012, "Class": 0.094, "site": 0.127},
    )


def _facts(language: Language = "en") -> AssessmentFacts:
    return AssessmentFacts(
        set_name="patients-2026q3",
        tables=(patients(),),
        context=PiaContext(
            purpose="Quality indicators | *regional* board",
            data_recipient="opendata",
            data_type="health",
            data_subject="patients",
            sensitivity_level="High",
            owner="oncology-data@example.org",
            controller="Example Hospital",
            legal_basis="GDPR article 6(1)(e)",
            retention="until 2028-09-30",
        ),
        language=language,
        provenance=Provenance(
            engine="avatar-gitops 0.1.0",
            seed_recorded=True,
            spec_digest=DIGEST,
            input_digests={"patients": INPUT},
            versions={"engine": "0.1.0", "platform": "1.30"},
            sources={
                "purpose": "pia.purpose, configs/patients.yaml:31",
                "data_recipient": "pia.data_recipient, configs/patients.yaml:32",
                "table.patients": "spec.tables.patients, configs/patients.yaml:9",
            },
            commit="4f2a91c0d5e6f7a8b9c0d1e2f3a4b5c6d7e8f901",
            date="2026-09-17",
        ),
    )


@pytest.fixture
def facts() -> Callable[[Language], AssessmentFacts]:
    """A set with one table and most statements, in a language."""
    return _facts


@pytest.fixture
def bare_facts() -> AssessmentFacts:
    """A set about which nobody stated or measured anything."""
    return AssessmentFacts(set_name="unstated", tables=(TableFacts("t", method="none"),))
