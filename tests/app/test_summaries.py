"""From a spec and its results to the summary of a run."""

from __future__ import annotations

from avatar_gitops.app.facts import assessment_facts
from avatar_gitops.app.summaries import summary
from avatar_gitops.plan.outcome import MetricBlock, RunResult
from tests.support.planning import wish

PROMISE = {"epsilon": 2.999997, "declared": 3.0, "delta": 9.0909e-10, "rows_per_person": 1, "library": "opendp"}
VALUES = {"membership_auc": 0.7, "hellinger_mean": 0.2}
TARGETS = {"membership_auc": "<= 0.55", "hellinger_mean": "< 0.1"}
BLOCK = MetricBlock("patients", "privacy", "standalone", None, VALUES, {}, TARGETS, {"differential_privacy": PROMISE})
RESULT = RunResult("patients-v1", {}, {}, (BLOCK,), (), "avatar 1.4.0", "2026-09-17T09:18Z", "2026-09-17T09:18Z")
PRIVATE = wish(
    table={"avatarization": {"open_dp": {"epsilon": 3}}},
    pia={"purpose": "Teaching", "data_recipient": "internal", "language": "fr"},
)


def test_a_french_summary_is_french() -> None:
    text = summary(PRIVATE, RESULT, (), published=True)["summary.md"].decode()
    assert "[AIPD](pia.md) · [Mesures](metrics.json)" in text
    assert "epsilon 3, delta 9,09e-10" in text
    assert "9.09e-10" not in text


def test_beside_a_promise_metrics_of_privacy_only_inform() -> None:
    (table,) = assessment_facts(PRIVATE, RESULT).tables
    assert {metric.name: (metric.informs, metric.target) for metric in table.metrics} == {
        "membership_auc": (True, None),
        "hellinger_mean": (False, "< 0.1"),
    }
    text = summary(PRIVATE, RESULT, (), published=True)["summary.md"].decode()
    assert "manqués\u00a0: Distance de Hellinger moyenne 0,200." in text


def test_how_avatars_are_generated_is_no_parameter_of_differential_privacy() -> None:
    assert "generation" not in assessment_facts(PRIVATE, RESULT).tables[0].parameters
    assert assessment_facts(wish(), RESULT).tables[0].parameters["generation"] == "barycentre"


def test_a_summary_judges_by_the_recipient() -> None:
    block = MetricBlock("patients", "privacy", "standalone", None, {"hidden_rate": 60.0}, {}, {}, {})
    result = RunResult("patients-v1", {}, {}, (block,), (), "avatar 1.4.0", "2026-09-17T09:18Z", "2026-09-17T09:18Z")
    inside = wish(pia={"purpose": "Teaching", "data_recipient": "internal"})
    assert "≥ 30% (default target)" in summary(inside, result, (), published=True)["summary.md"].decode()
    assert "≥ 90% (default target)" in summary(wish(), result, (), published=True)["summary.md"].decode()
