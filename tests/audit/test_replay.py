"""The verdict about a repeated run: bytes first, then what differs around it, then how much its metrics may."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from avatar_gitops.app.replaying import Replayed
from avatar_gitops.audit.documents import ReplayStatement, problem
from avatar_gitops.audit.replay import Original, Side, compare, replay_statement
from avatar_gitops.audit.statement import statement_bytes
from avatar_gitops.report.replay import render, to_json

Golden = Callable[[str, str], None]
A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
ENVIRONMENT: dict[str, Any] = {
    "python": "CPython 3.11.7",
    "platform": "linux x86_64",
    "libraries": {"numpy": "2.4.6"},
    "blas": [{"name": "openblas", "version": "0.3.30", "architecture": "SkylakeX", "threads": 1}],
    "kernels": {"variant": "avx512", "digest": ""},
    "processor": ["X86_V4"],
}
METRICS = {("people", "privacy standalone", "hidden_rate"): 90.0, ("people", "signal standalone", "hellinger"): 0.05}
RUN = Side({"avatars/people.csv": A, "metrics.json": B}, METRICS, "engine/1", ENVIRONMENT)
OTHER_BLAS = {**ENVIRONMENT, "blas": [{**ENVIRONMENT["blas"][0], "architecture": "Haswell"}]}
ORIGINAL = Original("people", "run-1", A, B, 7, statement=C)


def nobody(table: str, metric: str) -> float | None:
    return None


def moved(environment: Any, by: float, files: dict[str, str] | None = None) -> Side:
    metrics = {**METRICS, ("people", "privacy standalone", "hidden_rate"): 90.0 + by}
    return Side(files or {**RUN.files, "metrics.json": C}, metrics, "engine/1", environment)


def test_equal_bytes_are_exact_wherever_they_were_made() -> None:
    for environment in (ENVIRONMENT, OTHER_BLAS, {}):
        assert compare(RUN, replace(RUN, environment=environment), nobody).result == "exact"


def test_other_bytes_in_the_same_environment_are_a_difference_whatever_the_metrics() -> None:
    found = compare(RUN, moved(ENVIRONMENT, 1e-9), nobody)
    assert (found.same_environment, found.result) == (True, "different")


@pytest.mark.parametrize(
    ("by", "band", "result"),
    [
        (1e-7, None, "within_band"),
        (1e-3, None, "different"),
        (1e-3, 0.5, "within_band"),
        (0.7, 0.5, "different"),
    ],
)
def test_elsewhere_metrics_may_differ_within_a_band(by: float, band: float | None, result: str) -> None:
    found = compare(RUN, moved(OTHER_BLAS, by), lambda table, metric: band)
    assert found.differs == ("blas openblas 0.3.30 SkylakeX 1 -> openblas 0.3.30 Haswell 1",)
    assert found.result == result


@pytest.mark.parametrize("part", ["python", "kernels", "processor"])
def test_what_changes_no_byte_is_told_and_excuses_nothing(part: str) -> None:
    other = {**ENVIRONMENT, part: {"variant": "portable", "digest": ""} if part == "kernels" else "another"}
    found = compare(RUN, moved(other, 1e-9), nobody)
    assert (len(found.differs), found.same_environment, found.result) == (1, True, "different")


def test_a_metric_or_file_of_one_side_only_is_a_difference() -> None:
    less = Side({"avatars/people.csv": A}, dict(list(METRICS.items())[:1]), "engine/2", {})
    found = compare(RUN, less, nobody)
    assert (found.exact, found.result, found.differs) == (False, "different", ("engine engine/1 -> engine/2",))


def test_the_statement_has_the_form_of_its_schema_and_says_what_was_compared() -> None:
    repeated = moved(OTHER_BLAS, 1e-7)
    made = replay_statement(ORIGINAL, repeated, compare(RUN, repeated, nobody))
    assert problem(ReplayStatement, statement_bytes(made)) == ""
    assert {item["name"] for item in made["subject"]} == set(RUN.files)
    assert made["predicate"]["result"] == "within_band"
    assert made["predicate"]["metrics"][0]["source"] == "numerical"


def test_replays_are_told(golden: Golden) -> None:
    same = replace(RUN)
    near, far = moved(OTHER_BLAS, 1e-7), moved(OTHER_BLAS, 2.5)
    here, said = compare(RUN, same, nobody), "out/set/replay.intoto.json"
    clone = compare(replace(RUN, environment={}), same, nobody)
    runs = [
        Replayed("people", here, ORIGINAL, "engine/1", keyed=True, statement=said),
        Replayed("near", compare(RUN, near, nobody), ORIGINAL, "engine/1", statement=said, signed=True),
        Replayed("far", compare(RUN, far, nobody), ORIGINAL, "engine/1", unchecked=("far",), statement=said),
        Replayed("clone", clone, ORIGINAL, "engine/1", statement=said),
        Replayed("lost", problem="the data of lost cannot be read: there is no such file"),
    ]
    golden("evidence/replay.txt", render(runs))
    golden("evidence/replay-ascii.txt", render(runs, ascii_only=True))
    assert [run["result"] for run in json.loads(to_json(runs))["runs"]] == [
        "exact",
        "within_band",
        "different",
        "exact",
        "not_repeated",
    ]
