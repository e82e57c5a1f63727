"""Two runs compared: noise decides what a difference is, and the texts say all that changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.compare import Verdict, compare
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.noise import NoiseBand, Spread, lock_family
from avatar_gitops.report.comparison import markdown, render, to_json
from avatar_gitops.spec.gates import METRICS
from tests.support.planning import a_lock, a_version, an_input, wish

Golden = Callable[[str, str], None]
LABELS = ("patients@77aa10b", "patients@4f2a91c")


def lock(values: dict[str, float], noise: dict[str, float] | None = None, **spec: Any) -> Lock:
    item = wish("patients", **spec)
    made = a_lock(item, a_version(item), {"patients": values})
    return replace(made, noise={"patients": noise} if noise else {})


def sides() -> tuple[Lock, Lock]:
    before = lock(
        {"hidden_rate": 93.1, "local_cloaking": 14, "hellinger_mean": 0.062, "correlation_difference_ratio": 4.1,
         "closest_rate": 80.0, "home_made": 1.0, "linkability_protection_rate": 99.0},
        {"hidden_rate": 0.9, "hellinger_mean": 0.003, "correlation_difference_ratio": 0.4},
        table={"avatarization": {"k": 20}, "privacy_metrics": {"known_variables": ["age"]}},
    )  # fmt: skip
    after = lock(
        {"hidden_rate": 91.4, "local_cloaking": 14, "hellinger_mean": 0.051, "correlation_difference_ratio": 3.9,
         "closest_rate": 81.0, "home_made": 2.0, "hidden_rate_strict": 90.0},
        {"hidden_rate": 0.8, "hellinger_mean": 0.002, "correlation_difference_ratio": 0.3},
        table={"avatarization": {"k": 15}, "privacy_metrics": {"known_variables": ["age", "sex"]}},
        data=an_input("b", rows="10k-100k"),
    )  # fmt: skip
    gates = (GateResult("hidden_rate", ">= 92", 91.4, False), GateResult("hellinger_mean", "<= 0.1", 0.051, True))
    return before, replace(after, run="patients-v2", engine="1.5.0", gates=gates)


def test_all_that_can_differ(golden: Golden) -> None:
    found = compare(*sides())
    golden("plan/compare.txt", render(found, LABELS))
    golden("plan/compare.md", markdown(found, LABELS))
    golden("plan/compare.json", to_json(found, LABELS))
    assert render(found, LABELS, ascii_only=True).isascii()
    assert [one.metric for one in found.regressions] == ["hidden_rate", "linkability_protection_rate"]


def test_a_measured_band_decides_instead_of_the_interval() -> None:
    before, after = sides()
    spread = {"patients": {"hidden_rate": Spread(93.0, 0.8, 8)}}
    band = NoiseBand("patients", lock_family(before), before.engine, tuple(range(8)), spread)
    found = compare(before, after, band)
    one = next(one for one in found.metrics if one.metric == "hidden_rate")
    assert (one.verdict, one.measured) == (Verdict.NOISE, True)
    assert found.doubt == ""
    assert "The noise is that of 8 seeds.\n" in render(found, LABELS)
    other = compare(before, after, replace(band, family=replace(band.family, input="other")))
    assert "it was measured for other data and other parameters and another engine" in render(other, LABELS)
    sources = {metric["metric"]: metric["noise_from"] for metric in json.loads(to_json(found, LABELS))["metrics"]}
    assert (sources["hidden_rate"], sources["hellinger_mean"], sources["closest_rate"]) == ("seeds", "interval", None)


def test_the_same_run(golden: Golden) -> None:
    before, _ = sides()
    found = compare(before, before)
    golden("plan/compare-same.txt", render(found, LABELS) + markdown(found, LABELS))
    assert not found.regressions
    assert not found.fields


def test_what_is_only_noise_is_no_regression_and_data_of_the_same_size_are_said_once() -> None:
    before = lock({"hidden_rate": 90.0}, {"hidden_rate": 1.0})
    after = replace(lock({"hidden_rate": 89.5}, data=an_input("b")), run="patients-v2")
    text = render(compare(before, after), LABELS)
    assert text.endswith("No metric got worse by more than its noise.\n")
    assert text.count("\ninput ") == 1
    assert "rows" not in text


def test_tables_are_named_when_there_are_several_and_inputs_that_come_and_go() -> None:
    before, after = sides()
    after = replace(after, inputs=(), metrics={**after.metrics, "visits": {"hidden_rate": 99.0}})
    text = render(compare(before, after), LABELS)
    assert "patients.hidden_rate" in text
    assert "visits.hidden_rate" in text
    assert json.loads(to_json(compare(before, after), LABELS))["inputs"] == [{"table": "patients", "same": False}]


@pytest.mark.parametrize(
    ("metric", "before", "after", "noise", "verdict"),
    [
        ("hidden_rate", 90.0, 89.0, 1.0, Verdict.NOISE),
        ("hidden_rate", 90.0, 88.9, 1.0, Verdict.WORSE),
        ("hidden_rate", 90.0, 91.1, 1.0, Verdict.BETTER),
        ("hellinger_mean", 0.1, 0.2, 0.05, Verdict.WORSE),
        ("hellinger_mean", 0.2, 0.1, 0.05, Verdict.BETTER),
        ("local_cloaking", 10.0, 9.0, None, Verdict.WORSE),
        ("local_cloaking", 10.0, 10.0, None, Verdict.SAME),
        ("home_made", 1.0, 2.0, 0.5, Verdict.CHANGED),
        ("pmse_ratio", 0.167, 0.962, None, Verdict.CHANGED),
        ("pmse_ratio", 1.3, 1.1, None, Verdict.BETTER),
        ("pmse_ratio", 0.75, 1.25, None, Verdict.WORSE),
    ],
)
def test_verdicts(metric: str, before: float, after: float, noise: float | None, verdict: Verdict) -> None:
    width = None if noise is None else {metric: noise}
    (change,) = compare(lock({metric: before}, width), lock({metric: after})).metrics
    assert change.verdict is verdict


def test_metrics_stand_with_their_family_and_only_what_is_not_drawn_is_exact() -> None:
    before = lock({"pmse_ratio": 0.5, "range_coverage_mean": 0.8, "closest_rate": 90.0, "hellinger_std": 0.1})
    after = lock({"pmse_ratio": 0.6, "range_coverage_mean": 0.9, "closest_rate": 91.0, "hellinger_std": 0.2})
    found = compare(before, after)
    assert [one.metric for one in found.metrics if not one.utility] == ["closest_rate"]
    lines = render(found, LABELS).splitlines()
    exact = [one.metric for one in found.metrics if any(one.metric in line and "exact" in line for line in lines)]
    assert exact == ["range_coverage_mean"]


@given(
    st.sampled_from(sorted(METRICS)),
    st.floats(0, 100),
    st.floats(0, 100),
    st.none() | st.floats(0, 10),
    st.none() | st.floats(0, 10),
)
def test_what_is_worse_one_way_is_better_the_other_way(
    metric: str, before: float, after: float, one: float | None, other: float | None
) -> None:
    first = lock({metric: before}, None if one is None else {metric: one})
    second = lock({metric: after}, None if other is None else {metric: other})
    there, back = compare(first, second).metrics[0].verdict, compare(second, first).metrics[0].verdict
    turned = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    assert back is turned.get(there, there)
