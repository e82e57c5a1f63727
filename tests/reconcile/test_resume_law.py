"""An apply that is killed or stopped at any call, and `resume` after it, end where one that was left alone ends."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.planner import plan
from avatar_gitops.plan.select import Selection
from avatar_gitops.reconcile.executor import execute
from avatar_gitops.reconcile.journal import FileJournal, latest_journal
from tests.support.http import StillClock
from tests.support.laws import law
from tests.support.memory import Crash, Memory, MemoryServer, ports
from tests.support.planning import PROJECT
from tests.support.repositories import Repository, repositories

EVERYTHING = Selection()


def planned(memory: Memory, repository: Repository, selection: Selection = EVERYTHING) -> Plan:
    options = repository.options(selection=selection)
    return plan(repository.desired, MemoryServer(memory).observe(PROJECT), memory.locks, options, PROJECT)


def apply(memory: Memory, repository: Repository, root: Path, selection: Selection = EVERYTHING) -> None:
    """Plan and execute with a journal on disk, as the commands do."""
    made = planned(memory, repository, selection)
    with FileJournal(root, made, StillClock(datetime.now(UTC))) as journal:
        execute(made, replace(ports(memory), journal=journal), parallelism=1)


def resume(memory: Memory, repository: Repository, root: Path) -> tuple[str, ...]:
    """Go on with what the journal says is not finished; the names of these sets."""
    record = latest_journal(root)
    assert record is not None
    if record.unfinished:
        apply(memory, repository, root, Selection(only=frozenset(record.unfinished)))
    return record.unfinished


def stop_at(number: int, how: type[BaseException]) -> Callable[[int, str], None]:
    def fault(at: int, name: str) -> None:
        if at == number:
            raise how(name)

    return fault


def left(memory: Memory) -> tuple[Any, ...]:
    """What the server has and what the locks say, without ids and times."""
    jobs = Counter((v.display_name, job.parameters, job.status) for v in memory.sets.values() for job in v.jobs)
    locks = {name: (lock.digests, lock.path, lock.gates, sorted(lock.jobs)) for name, lock in memory.locks.items()}
    return jobs, locks, {receipt.set for receipt in memory.receipts}


@law(9)
@given(
    st.lists(repositories(), max_size=2),
    repositories(),
    st.lists(st.tuples(st.integers(0, 70), st.sampled_from([Crash, KeyboardInterrupt])), min_size=1, max_size=2),
)
def test_an_interrupted_apply_and_resume_end_where_an_uninterrupted_apply_ends(
    before: list[Repository], now: Repository, stops: list[tuple[int, type[BaseException]]]
) -> None:
    calm, memory = Memory(), Memory()
    for world in (calm, memory):
        for repository in before:
            execute(planned(world, repository), ports(world), parallelism=1)
    execute(planned(calm, now), ports(calm), parallelism=1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for attempt, (number, how) in enumerate(stops):
            memory.calls.clear()
            memory.fault = stop_at(number, how)
            with contextlib.suppress(Crash):
                resume(memory, now, root) if attempt else apply(memory, now, root)
            note(f"{how.__name__} at {number} of {memory.calls}")
        memory.fault = Memory().fault
        note(f"unfinished {resume(memory, now, root)}")
        assert resume(memory, now, root) == ()
    assert left(memory) == left(calm)
    assert planned(memory, now).effective == ()
