"""Metrics entries of the platform's generations in natural units."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.client.metrics import blocks, entries, real_name
from avatar_gitops.plan.outcome import MetricBlock
from avatar_gitops.wire.metrics import SCORES, to_score

META = {"table_name": "patient", "computation_type": "standalone", "reference": None}


def one(**entry: Any) -> MetricBlock:
    (block,) = blocks(entries(json.dumps({"metadata": META, **entry}).encode()), "signal")
    return block


def test_scores_become_natural_values_without_noise() -> None:
    block = one(
        hellinger_mean=94.9,
        hellinger_std=3.2,
        correlation_difference_ratio=88.4,
        targets={"hellinger_mean": "> 90", "correlation_difference_ratio": ">= 70", "hellinger_std": "< 5"},
    )
    assert block.values == {"hellinger_mean": 0.051, "hellinger_std": 0.032, "correlation_difference_ratio": 11.6}
    assert block.targets == {
        "hellinger_mean": "< 0.1",
        "correlation_difference_ratio": "<= 30",
        "hellinger_std": "< 0.05",
    }


def test_natural_values_of_the_older_generation_stay_as_they_are() -> None:
    block = one(hellinger_mean=0.051, targets={"hellinger_mean": "< 0.1"})
    assert (block.values, block.targets) == ({"hellinger_mean": 0.051}, {"hellinger_mean": "< 0.1"})


def test_intervals_and_references_are_on_the_same_scale_as_the_values() -> None:
    metadata = {
        **META,
        "intervals": {"hellinger_mean": [90.0, 96.0], "broken": [1], "odd": [None, 2]},
        "references": {"hellinger_mean": 95.0},
        "population": {"hellinger_mean": 40},
    }
    block = one(hellinger_mean=94.0, targets={"hellinger_mean": "> 90"}, metadata=metadata)
    assert block.intervals == {"hellinger_mean": (0.04, 0.1)}
    assert block.metadata == {"references": {"hellinger_mean": 0.05}, "population": {"hellinger_mean": 40}}


def test_what_is_no_number_is_no_value() -> None:
    text = (
        b'{"metadata": {"table_name": "t"}, "hidden_rate": NaN, "local_cloaking": null, "closest_rate": Infinity,'
        b' "note": "x", "flag": true, "kept": 5}'
    )
    (block,) = blocks(entries(text), "privacy")
    assert block.values == {"kept": 5.0}
    assert block.not_measured == ("closest_rate", "hidden_rate", "local_cloaking")
    assert block.computation_type == "standalone"


@pytest.mark.parametrize(
    "text", [b"", b"null", b"3", b"[1, 2]", b"{}", b'{"metadata": []}', b'{"metadata": {}}', b"\xff"]
)
def test_entries_that_name_no_table_are_no_blocks(text: bytes) -> None:
    assert blocks(entries(text), "privacy") == ()


def test_lists_and_escaped_names_are_understood() -> None:
    entry = {"metadata": {"table_name": "a_dot_b", "computation_type": "to_top_enriched", "reference": "c_slash_d"}}
    (block,) = blocks(entries(json.dumps([entry]).encode()), "signal")
    assert (block.table, block.reference, block.computation_type) == ("a.b", "c/d", "to_top_enriched")
    assert real_name("x_dot_y_plus_z_ampersand_") == "x.y+z&"


@settings(deadline=None)
@given(st.sampled_from(sorted(SCORES)), st.decimals(0, 1, places=6))
def test_a_value_survives_the_way_over_the_wire(name: str, natural: Any) -> None:
    value = float(natural)
    score = to_score(name, value)
    assert one(**{name: score}, targets={"hellinger_mean": "> 90"}).values == {name: value}
