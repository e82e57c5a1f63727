"""A loss fails when chance does not explain it, and is never passed over in silence when nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.noise import Family, NoiseBand, Spread, family, tolerance
from avatar_gitops.policy.model import Facts, Level, Violation
from avatar_gitops.policy.regressions import RegressionRule
from avatar_gitops.spec.policies import Regression
from tests.support.planning import wish

WISH = wish("patients")
SPREAD = Spread(93.0, 1.0, 8)
ALLOWED = tolerance(SPREAD) or 0.0


def lock(metrics: Mapping[str, Mapping[str, float]], noise: Mapping[str, Mapping[str, float]] | None = None) -> Lock:
    return Lock(
        set="patients",
        path=WISH.path,
        digests=WISH.digests,
        spec=WISH.resolved,
        inputs=WISH.inputs,
        run="r1",
        started="",
        finished="",
        jobs={},
        engine="engine 1",
        metrics=metrics,
        noise=noise or {},
    )


def band(of: Family | None = None, **metrics: Spread) -> NoiseBand:
    return NoiseBand("patients", of or family(WISH), "engine 1", tuple(range(8)), {"patients": metrics})


def said(
    before: Lock | None, after: Mapping[str, Mapping[str, float]], noise: NoiseBand | None = None, **rule: Any
) -> list[Violation]:
    wanted = Regression(**{"metric": "hidden_rate", **rule})
    facts = Facts(WISH, metrics=after, published=before, noise=noise)
    return list(RegressionRule(wanted).check(facts))


def one(value: float, metric: str = "hidden_rate") -> dict[str, dict[str, float]]:
    return {"patients": {metric: value}}


@given(st.floats(0, 30), st.floats(0, 10) | st.none())
def test_a_loss_beyond_band_and_at_most_fails_and_no_other(loss: float, at_most: float | None) -> None:
    found = said(lock(one(93.0)), one(93.0 - loss), band(hidden_rate=SPREAD), at_most=at_most)
    allowed = max(ALLOWED, at_most or 0.0)
    if abs(loss - allowed) > 1e-6:
        assert bool(found) is (loss > allowed)
    assert all(hit.level is None for hit in found)


@given(st.floats(0, 100), st.floats(0, 100), st.sampled_from(["hidden_rate", "hellinger_mean"]))
def test_what_gets_better_never_objects(before: float, after: float, metric: str) -> None:
    better = after >= before if metric == "hidden_rate" else after <= before
    found = said(lock(one(before, metric)), one(after, metric), metric=metric)
    assert bool(found) is (not better and abs(before - after) > 1e-9)


def test_a_finding_says_what_was_allowed_and_how_that_is_known() -> None:
    (measured,) = said(lock(one(93.0)), one(84.2), band(hidden_rate=SPREAD))
    assert measured.message == "hidden_rate is worse than published"
    assert measured.detail == "93 -> 84.2, 3.3441 allowed: band of 8 seeds"
    (sampled,) = said(lock(one(93.0), one(2.5)), one(84.2))
    assert sampled.detail == "93 -> 84.2, 2.5 allowed: interval of the sample, no band of repeated seeds is there"
    assert said(lock(one(93.0), one(2.5)), one(91.0)) == []
    (chosen,) = said(lock(one(93.0)), one(84.2), at_most=5)
    assert chosen.detail == "93 -> 84.2, 5 allowed: at_most of the policy"


def test_without_band_and_interval_nobody_can_tell() -> None:
    (hit,) = said(lock(one(93.0)), one(92.9))
    assert hit.level is Level.INFO
    assert hit.message == "nobody can tell whether hidden_rate got worse by chance"
    assert hit.detail == "93 -> 92.9; measure a band: avatar-gitops noise patients"
    few = band(hidden_rate=replace(SPREAD, n=2))
    assert said(lock(one(93.0)), one(92.9), few) == [hit]


def test_a_band_for_other_data_is_named_and_never_passes_a_loss_in_silence() -> None:
    other = band(replace(family(WISH), input="other", standard="other"), hidden_rate=SPREAD)
    (within,) = said(lock(one(93.0)), one(91.0), other)
    assert within.level is Level.INFO
    assert within.detail.endswith("band of 8 seeds, measured for other data and other parameters")
    (beyond,) = said(lock(one(93.0)), one(84.2), other)
    assert beyond.level is None


def test_a_band_for_the_published_run_is_good_for_a_change_of_parameters() -> None:
    weaker = wish("patients", table={"avatarization": {"k": 15}})
    facts = Facts(weaker, metrics=one(91.0), published=lock(one(93.0)), noise=band(hidden_rate=SPREAD))
    assert list(RegressionRule(Regression(metric="hidden_rate")).check(facts)) == []


def test_a_seed_change_keeps_the_band() -> None:
    assert family(wish("patients", seed=1)) == family(wish("patients", seed=2))
    assert family(wish("patients", seed=1)) != family(wish("patients", table={"avatarization": {"k": 15}}))


def test_the_worst_table_of_each_run_counts() -> None:
    before = lock({"a": {"hidden_rate": 95.0}, "b": {"hidden_rate": 91.0}})
    assert said(before, {"a": {"hidden_rate": 91.0}, "b": {"hidden_rate": 95.0}}) == []
    wide = NoiseBand("s", family(WISH), "", (1, 2, 3), {"a": {"hidden_rate": replace(SPREAD, sd=4.0)}})
    assert said(before, {"a": {"hidden_rate": 85.0}, "b": {"hidden_rate": 95.0}}, wide) == []


def test_a_metric_that_is_gone_fails_and_a_new_one_does_not() -> None:
    (gone,) = said(lock(one(93.0)), {"patients": {}})
    assert (gone.message, gone.level) == ("hidden_rate is not measured any more", None)
    assert said(lock({"patients": {}}), one(1.0)) == []
    assert said(None, one(1.0)) == []


@pytest.mark.parametrize(("sets", "hits"), [(["pat*"], 1), (["other"], 0)])
def test_only_the_sets_that_are_named(sets: list[str], hits: int) -> None:
    assert len(said(lock(one(93.0)), one(10.0), at_most=1, sets=sets)) == hits
