"""The status table: one row per set, the state first, nothing that was not measured."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from avatar_gitops.plan.lock import GateResult
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.report.status import Held, Shape, age, duration, markdown, render, statuses, to_json
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, wish

Golden = Callable[[str, str], None]
NOW = datetime(2026, 1, 1, 3, 6, 40, tzinfo=UTC)
FAILED = {"standard": "finished", "privacy_metrics": "error", "signal_metrics": "finished"}
PASSED = (GateResult("hidden_rate", ">= 90", 93.1, True), GateResult("hellinger_mean", "<= 0.1", 0.05, True))


def every_state(prune: Prune = Prune.NEVER) -> Plan:
    names = ("published", "protected", "changed", "failed", "waiting", "unfinished", "missing", "removed")
    more = {"protected": {"lifecycle": {"protect": True}}}
    items = {name: wish(name, **more.get(name, {})) for name in names}  # type: ignore[arg-type]
    locks = {name: replace(a_lock(items[name], a_version(items[name])), gates=PASSED) for name in names}
    for name in ("failed", "waiting", "unfinished"):
        del locks[name]
    locks["protected"] = replace(locks["protected"], metrics={}, commit="", gates=())
    versions = [
        *(a_version(items[name]) for name in ("published", "protected", "changed", "waiting", "removed")),
        a_version(items["failed"], jobs=FAILED),
        a_version(items["unfinished"], jobs={"standard": "pending"}),
    ]
    desired = [item for name, item in items.items() if name not in {"changed", "removed"}]
    desired += [wish("changed", table={"avatarization": {"k": 15}}), wish("new")]
    return plan(desired, Observed("prod", tuple(versions)), locks, Options(prune=prune), PROJECT)


def test_table(golden: Golden) -> None:
    golden("plan/status.txt", render(every_state(), NOW))
    golden("plan/status.md", markdown(every_state(), NOW))
    golden("plan/status.json", to_json(every_state(), NOW))


def test_wide_recent_and_locked(golden: Golden) -> None:
    held = Held(
        "118",
        "github-actions, run 118",
        "https://github.com/example/data/actions/runs/118",
        "2026-09-17 09:38 UTC",
        "2026-09-17 10:08 UTC",
    )
    golden("plan/status-wide.txt", render(every_state(), NOW, Shape(wide=True), held=held))
    golden("plan/status-wide.md", markdown(every_state(), NOW, Shape(wide=True)))
    assert json.loads(to_json(every_state(), NOW, held=held))["lease"]["id"] == "118"

    row = next(row for row in statuses(every_state(), NOW) if row.published_at)
    moment = datetime.fromisoformat(row.published_at)
    assert statuses(every_state(), NOW, moment)
    assert all(row.published_at for row in statuses(every_state(), NOW, moment))
    later = Shape(since=moment + timedelta(days=400))
    assert render(every_state(), NOW, later).startswith("No set was published since ")
    assert json.loads(to_json(every_state(), NOW, later))["sets"] == []


def test_nothing_yet(golden: Golden) -> None:
    empty = plan([], Observed("prod"), {}, Options(), PROJECT)
    golden("plan/status-empty.txt", render(empty, NOW) + markdown(empty, NOW))


def test_when_all_is_published_there_is_nothing_to_do_next() -> None:
    item = wish("ants")
    version = a_version(item)
    calm = plan([item], Observed("prod", (version,)), {"ants": a_lock(item, version)}, Options(), PROJECT)
    assert "Next:" not in render(calm, NOW)
    assert render(calm, NOW, ascii_only=True).isascii()


def test_a_set_about_to_be_deleted_is_removed() -> None:
    states = {row.set: row.state for row in statuses(every_state(Prune.OWNED), NOW)}
    assert states["removed"] == "removed"
    assert states["missing"] == "missing"


def test_the_worst_table_stands_for_the_set_and_a_bad_time_for_nothing() -> None:
    item = wish("ants")
    version = a_version(item)
    lock = replace(
        a_lock(item, version, {"a": {"hidden_rate": 95.0}, "b": {"hidden_rate": 91.5}, "c": {}}),
        started="no time",
        finished="2026-01-01T03:06:00",
    )
    (row,) = statuses(plan([item], Observed("prod", (version,)), {"ants": lock}, Options(), PROJECT), NOW)
    assert (row.hidden_rate, row.seconds, row.age) == (91.5, None, "40 s")


def test_json_has_the_rows_of_the_table() -> None:
    content = json.loads(to_json(every_state(), NOW))
    assert [row["set"] for row in content["sets"]] == [row.set for row in statuses(every_state(), NOW)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (400, "6m40s"), (3599, "59m59s"), (7500, "2h05m")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(-5, "0 s"), (59, "59 s"), (60, "1 min"), (7300, "2 h"), (86400 * 41 + 1, "41 d")]
)
def test_ages(seconds: int, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text
