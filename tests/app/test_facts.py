"""From a spec and the results of a run to facts: what was not measured, what was set aside, what figures show."""

from __future__ import annotations

import json
from dataclasses import replace

from avatar_gitops.app import artifacts
from avatar_gitops.app.facts import assessment_facts
from avatar_gitops.assessment import TableFacts, render, report_view
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.outcome import MetricBlock, RunResult
from tests.client.compiled import Plain, desired

BLOCK = MetricBlock(
    "people", "privacy", "standalone", None, {"hidden_rate": 93.0}, {}, {}, {}, ("membership_auc", "note")
)


def wanted(**said: object) -> DesiredSet:
    table: Plain = {"source": "people.csv", "avatarization": {"k": 5}, **said}
    return desired("study", {"people": table})


def told(item: DesiredSet, *blocks: MetricBlock) -> TableFacts:
    (table,) = assessment_facts(item, RunResult("id", {}, {}, blocks, (), "engine", "", "")).tables
    return table


def test_what_was_not_measured_is_a_fact_also_after_it_was_published() -> None:
    content = artifacts.json_bytes(artifacts.metrics("study", [BLOCK]))
    assert artifacts.blocks(content) == (BLOCK,)
    found = {metric.name: metric.value for metric in told(wanted(), BLOCK).metrics}
    assert found == {"hidden_rate": 93.0, "membership_auc": None}


def test_metrics_that_were_published_before_are_read() -> None:
    plain = artifacts.metrics("study", [BLOCK])
    del plain["blocks"][0]["not_measured"]
    assert artifacts.blocks(json.dumps(plain).encode())[0].not_measured == ()


def test_the_distance_of_each_column_is_a_fact() -> None:
    signal = replace(BLOCK, family="signal", metadata={"column_hellinger": {"age": 0.04, "sector": 0.06}})
    assert told(wanted(), BLOCK, signal).column_hellinger == {"age": 0.04, "sector": 0.06}
    assert told(wanted(), BLOCK, replace(signal, computation_type="to_top_enriched")).column_hellinger == {}


def test_whom_attacks_are_compared_with_is_a_fact() -> None:
    assert told(wanted(), BLOCK).control is None
    assert told(wanted(holdout="others.csv"), BLOCK).control == "holdout"
    assert told(wanted(avatarization={"k": 5, "holdout_share": 0.2}), BLOCK).control == "share"
    assert told(wanted(privacy_metrics={"shadow_run": True}), BLOCK).control == "shadow"


def test_an_assessment_says_that_a_shadow_run_is_not_the_release() -> None:
    block = replace(BLOCK, values={"membership_auc": 0.7}, not_measured=())
    for said, sentence in (
        ({"privacy_metrics": {"shadow_run": True}}, "Not measured on the released avatars"),
        ({"holdout": "others.csv"}, "those of a data file of their own"),
        ({}, "avatars"),
    ):
        item = wanted(**said)
        result = RunResult("id", {}, {}, (block,), (), "engine", "", "")
        text = render(report_view("pia", assessment_facts(item, result)), "markdown").decode()
        assert sentence in text
        assert ("Not measured on the released avatars" in text) is ("privacy_metrics" in said)
        assert ("`people#holdout`" in text) is ("holdout" in said)
