"""An apply that is killed at any point, and an apply after it, end where one that was not killed ends."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.versions import effective, newest_first
from avatar_gitops.reconcile.executor import execute, exit_code
from avatar_gitops.spec.project import Prune, Thresholds
from tests.support.laws import law
from tests.support.memory import Crash, Memory, MemoryServer, ports
from tests.support.planning import PROJECT, wish

CALM = Options(prune=Prune.OWNED, thresholds=Thresholds(max_delete_percent=100, max_relaunch_percent=100))
Wishes = Sequence[DesiredSet]


def apply(memory: Memory, wishes: Wishes) -> int:
    """Plan and execute once, as the command does."""
    made = plan(wishes, MemoryServer(memory).observe(PROJECT), memory.locks, CALM, PROJECT)
    return exit_code(execute(made, ports(memory), parallelism=1))


def settled(memory: Memory, wishes: Wishes) -> None:
    """One version of each set counts, every job of it exists once, nothing else is on the server, nothing to do."""
    made = plan(wishes, MemoryServer(memory).observe(PROJECT), memory.locks, CALM, PROJECT)
    assert made.effective == ()
    assert set(memory.locks) == {item.name for item in wishes}
    left = {job.name for version in memory.sets.values() for job in version.jobs}
    for item in wishes:
        versions = newest_first(v for v in memory.sets.values() if v.display_name == item.name and v.jobs)
        lock = memory.locks[item.name]
        published = next(version for version in versions if version.id == lock.run)
        counting = effective(published, versions)
        assert lock.digests == item.digests
        assert lock.jobs == {job.value: counting[job].name for job in wanted(item.run)}
        left -= {entry.name for entry in counting.values()}
    assert not [name for name in left if not _links(memory, wishes, name)]


def _links(memory: Memory, wishes: Wishes, name: str) -> bool:
    """A job may stay without being needed when its version holds a chain together."""
    bases = {version.base_set for version in memory.sets.values() if version.jobs}
    return any(job.name == name for base in bases if base for job in memory.sets[base].jobs)


def crash_at(number: int) -> Callable[[int, str], None]:
    def fault(at: int, name: str) -> None:
        if at == number:
            raise Crash(name)

    return fault


GOOD: dict[str, Any] = {"gates": {"hidden_rate": ">= 90"}}
SCENARIOS: dict[str, list[Wishes]] = {
    "launch": [[wish(**GOOD)]],
    "relaunch": [[wish(**GOOD)], [wish(seed=9, **GOOD)]],
    "metrics again": [[wish(**GOOD)], [wish(table={"privacy_metrics": {"target": "sex"}}, **GOOD)]],
    "reports again": [[wish(**GOOD)], [wish(pia={"language": "fr"}, **GOOD)]],
    "metrics, then reports": [
        [wish()],
        [wish(table={"privacy_metrics": {"target": "sex"}})],
        [wish(table={"privacy_metrics": {"target": "sex"}}, pia={"language": "fr"})],
    ],
    "update": [[wish(**GOOD)], [wish(metadata={"owner": "somebody"}, **GOOD)]],
    "delete": [[wish(), wish("visits")], [wish("visits")]],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_apply_that_is_not_killed_settles(name: str) -> None:
    memory = Memory()
    for wishes in SCENARIOS[name]:
        assert apply(memory, wishes) == 0
        settled(memory, wishes)


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_apply_killed_at_any_call_and_applied_again_settles(name: str) -> None:
    *before, last = SCENARIOS[name]
    number = 0
    while True:
        memory = Memory()
        for wishes in before:
            apply(memory, wishes)
        memory.calls.clear()
        memory.fault = crash_at(number)
        try:
            apply(memory, last)
        except Crash:
            memory.fault = Memory().fault
            assert apply(memory, last) == 0
            settled(memory, last)
            number += 1
            continue
        break
    assert number == len(memory.calls) > 0


@pytest.mark.parametrize("first", range(0, 34, 5))
def test_two_kills_in_a_row_settle_too(first: int) -> None:
    wishes = [wish(**GOOD)]
    for second in range(0, 30, 3):
        memory = Memory()
        for number in (first, second):
            memory.calls.clear()
            memory.fault = crash_at(number)
            try:
                apply(memory, wishes)
            except Crash:
                continue
        memory.fault = Memory().fault
        assert apply(memory, wishes) == 0
        settled(memory, wishes)


VARIANTS: list[dict[str, Any]] = [
    {},
    {"seed": 9},
    {"table": {"privacy_metrics": {"target": "sex"}}},
    {"pia": {"language": "fr"}},
    {"metadata": {"owner": "somebody"}},
    {"gates": {"hidden_rate": ">= 90"}},
    {"jobs": ["standard", "signal_metrics"]},
]
STATES = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(VARIANTS), min_size=1)


@law(9, examples=80)
@given(st.lists(st.tuples(STATES, st.integers(0, 60), st.sampled_from([(), ("report",)])), min_size=1, max_size=4))
def test_any_history_of_changes_kills_and_failures_settles(
    history: list[tuple[dict[str, dict[str, Any]], int, tuple[str, ...]]],
) -> None:
    memory = Memory()
    wishes: Wishes = ()
    for states, kill, failing in history:
        wishes = [wish(name, **variant) for name, variant in states.items()]
        memory.calls.clear()
        memory.failing, memory.fault = failing, crash_at(kill)
        with contextlib.suppress(Crash):
            apply(memory, wishes)
    memory.failing, memory.fault = (), Memory().fault
    assert apply(memory, wishes) == 0
    settled(memory, wishes)


def test_a_job_that_failed_is_run_again_in_a_new_version() -> None:
    memory = Memory(failing={"signal_metrics"})
    assert apply(memory, [wish()]) == 1
    assert memory.locks == {}
    memory.failing = ()
    assert apply(memory, [wish()]) == 0
    settled(memory, [wish()])
    standard = [job for version in memory.sets.values() for job in version.jobs if job.parameters == "standard"]
    assert len(standard) == 1


def test_a_gate_that_fails_publishes_and_deletes_nothing() -> None:
    memory = Memory()
    apply(memory, [wish()])
    published, lock = memory.locks["patients"].run, memory.locks["patients"]
    strict = [wish(seed=9, gates={"hidden_rate": ">= 99"})]
    assert apply(memory, strict) == 4
    assert memory.locks == {"patients": lock}
    assert len(memory.sets[published].jobs) == 5
    assert memory.kept == ["patients"]
    made = plan(strict, MemoryServer(memory).observe(PROJECT), memory.locks, CALM, PROJECT)
    assert [(change.action.value, change.reason.value) for change in made.effective] == [("collect", "not_collected")]
