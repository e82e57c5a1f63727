"""A rename, a removal, an adoption or an expiry that is killed at any call ends well with the next apply."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from avatar_gitops.plan.blocks import Adopted, Blocks
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.reconcile.executor import execute
from avatar_gitops.spec.project import Prune
from tests.support.blocks import moved, removed
from tests.support.memory import Crash, Memory, MemoryServer, ports
from tests.support.planning import PROJECT, wish

LIMITED: dict[str, Any] = {"lifecycle": {"delete_after": "2026-01-10"}}


@dataclass(frozen=True)
class Case:
    """Git before and after, the names whose locks are left, and the calls that must not happen."""

    before: Sequence[DesiredSet]
    after: Sequence[DesiredSet]
    blocks: Blocks
    locks: frozenset[str]
    never: frozenset[str]


CASES = {
    "rename": Case(
        [wish("old")],
        [wish("new")],
        moved(("old", "new")),
        frozenset({"new"}),
        frozenset({"create", "launch", "delete"}),
    ),
    "rename and change": Case(
        [wish("old")],
        [wish("new", pia={"language": "fr"})],
        moved(("old", "new")),
        frozenset({"new"}),
        frozenset(),
    ),
    "removal": Case(
        [wish("old"), wish("other")],
        [wish("other")],
        removed("old", keep=False),
        frozenset({"other"}),
        frozenset({"create"}),
    ),
    "kept": Case(
        [wish("old"), wish("other")],
        [wish("other")],
        removed("old", keep=True),
        frozenset({"old", "other"}),
        frozenset({"delete", "create"}),
    ),
    "retention": Case(
        [wish("old", **LIMITED)], [wish("old", **LIMITED)], Blocks(), frozenset(), frozenset({"create", "launch"})
    ),
}


def planned(memory: Memory, desired: Sequence[DesiredSet], blocks: Blocks, today: date) -> Plan:
    options = Options(prune=Prune.NEVER, today=today, blocks=blocks)
    return plan(desired, MemoryServer(memory).observe(PROJECT), memory.locks, options, PROJECT)


def crash_at(number: int) -> Callable[[int, str], None]:
    def fault(at: int, name: str) -> None:
        if at == number:
            raise Crash(name)

    return fault


def ready(case: Case) -> Memory:
    memory = Memory()
    execute(planned(memory, case.before, Blocks(), date(2026, 1, 1)), ports(memory), parallelism=1)
    memory.calls.clear()
    return memory


@pytest.mark.parametrize("name", CASES)
def test_killed_at_any_call_the_next_apply_ends_it(name: str) -> None:
    case, today = CASES[name], date(2026, 2, 1)
    calm = ready(case)
    execute(planned(calm, case.after, case.blocks, today), ports(calm), parallelism=1)
    assert not case.never & set(calm.calls)
    for number in range(len(calm.calls) + 1):
        memory = ready(case)
        memory.fault = crash_at(number)
        with contextlib.suppress(Crash):
            execute(planned(memory, case.after, case.blocks, today), ports(memory), parallelism=1)
        memory.fault = lambda at, called: None
        execute(planned(memory, case.after, case.blocks, today), ports(memory), parallelism=1)
        assert planned(memory, case.after, case.blocks, today).effective == ()
        assert set(memory.locks) == case.locks
        assert not case.never & set(memory.calls)


def test_an_adoption_publishes_the_set_of_others_and_launches_nothing() -> None:
    item = wish("old")
    memory = ready(Case([item], [item], Blocks(), frozenset(), frozenset()))
    (version,) = memory.sets.values()
    made = replace(version, id="0d9a7c1e-3b6e-4a55-9a0e-5f0c2f6f2b10", annotations={})
    memory.sets = {made.id: made}
    memory.locks.clear()
    blocks = Blocks(adopted=(Adopted(set="old", id=made.id),))
    (outcome,) = execute(planned(memory, [item], blocks, date(2026, 1, 1)), ports(memory), parallelism=1)
    assert outcome.ok, outcome.message
    assert set(memory.calls) <= {"results", "publish"}
    assert memory.locks["old"].run == made.id
    assert memory.locks["old"].adopted == {made.id: item.digests}
    assert planned(memory, [item], Blocks(), date(2026, 1, 1)).effective == ()


def test_a_deletion_says_where_its_receipt_is() -> None:
    case = CASES["removal"]
    memory = ready(case)
    outcomes = execute(planned(memory, case.after, case.blocks, date(2026, 1, 1)), ports(memory), parallelism=1)
    assert [outcome.message for outcome in outcomes] == ["receipt out/old/deletion.json"]
    (gone,) = memory.receipts
    assert (gone.set, gone.reason) == ("old", "removed_from_git")
    assert list(gone.runs) == [gone.published]
