"""What `plan --explain` prints is what the executor does: the same steps in the same order, and the calls they name."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date

from hypothesis import given, note
from hypothesis import strategies as st

from avatar_gitops.events import JobLaunched, StepStarted
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.model import Action, Plan
from avatar_gitops.plan.planner import plan
from avatar_gitops.reconcile.executor import execute
from avatar_gitops.report.plan_explain import explain
from avatar_gitops.spec.project import Prune
from tests.support.blocks import moved
from tests.support.laws import law
from tests.support.memory import Crash, Ear, Memory, MemoryServer, ports
from tests.support.planning import ALL, PROJECT, wish
from tests.support.repositories import Repository, repositories
from tests.support.wishes import specs

DAY = date(2026, 1, 5)

VERBS = {
    "CheckInput": "check",
    "Upload": "upload",
    "CreateSet": "create",
    "LaunchJob": "launch",
    "Wait": "wait",
    "Fetch": "fetch",
    "CheckGates": "gates",
    "Publish": "publish",
    "DeleteJobs": "delete",
    "RemoveLock": "remove",
    "MoveResults": "move",
    "RemoveFormer": "remove",
}
CALLS = {
    "upload": "upload",
    "create": "create",
    "launch": "launch",
    "results": "fetch",
    "publish": "publish",
    "update": "publish",
    "delete": "delete",
    "remove": "remove",
    "forget": "remove",
    "move": "move",
}
NOTED_ONCE = {"results", "move"}  # all other calls are noted when they begin and when they end

Said = dict[str, list[tuple[str, str]]]


def planned(memory: Memory, repository: Repository) -> Plan:
    return plan(repository.desired, MemoryServer(memory).observe(PROJECT), memory.locks, repository.options(), PROJECT)


def said(made: Plan) -> Said:
    """Verb and first word of every numbered line, by set."""
    found: Said = {}
    for block in explain(made).split("\n\n"):
        head, *lines = block.splitlines()
        rows = [match.groups() for line in lines if (match := re.match(r" *\d+  (\w+) +(\S+)", line))]
        if rows:
            found[head.split()[0]] = [(verb, word) for verb, word in rows]
    return found


def done(calls: Sequence[str]) -> Iterator[str]:
    """The calls that change something or bring results, each once, as the verbs that stand for them."""
    begun: set[str] = set()
    for call in calls:
        if call in CALLS and (call in NOTED_ONCE or call not in begun):
            yield CALLS[call]
        begun ^= {call}


@st.composite
def moments(draw: st.DrawFn) -> tuple[list[Repository], Repository]:
    """What was applied before, and what git says now; a rename as often as anything else."""
    before, now = draw(st.lists(repositories(), max_size=3)), draw(repositories())
    if draw(st.booleans()):
        one, other = draw(specs()), draw(specs())
        before.append(Repository((wish("ants", **one),), Blocks(), DAY, Prune.OWNED))
        renamed = (wish("bees", **draw(st.sampled_from([one, other]))),)
        now = Repository(renamed, moved(("ants", "bees")), DAY, Prune.OWNED)
    return before, now


def crash_at(number: int) -> Callable[[int, str], None]:
    def fault(at: int, name: str) -> None:
        if at == number:
            raise Crash(name)

    return fault


@law(8)
@given(
    moments(),
    st.none() | st.integers(0, 60),
    st.lists(st.sampled_from(ALL), max_size=1),
    st.sampled_from([95.0, 95.0, 50.0]),
)
def test_every_step_that_is_explained_is_a_step_of_the_executor_in_the_same_order(
    told: tuple[list[Repository], Repository], kill: int | None, failing: list[str], hidden: float
) -> None:
    memory, (before, now) = Memory(), told
    for repository in before:
        memory.calls.clear()
        memory.fault = crash_at(-1 if kill is None or repository is not before[-1] else kill)
        with contextlib.suppress(Crash):
            execute(planned(memory, repository), ports(memory), parallelism=1)
    memory.fault = Memory().fault
    memory.calls.clear()
    memory.failing, memory.measured = failing, {"hidden_rate": hidden, "local_cloaking": 5.0}
    made, ear = planned(memory, now), Ear()
    explained = said(made)
    note(explain(made))
    outcomes = execute(made, ports(memory, ear), parallelism=1)
    assert list(explained) == [outcome.set for outcome in outcomes]
    for outcome in outcomes:
        steps = [VERBS[e.step] for e in ear.heard if isinstance(e, StepStarted) and e.set == outcome.set]
        promised = explained[outcome.set]
        assert steps == [verb for verb, _ in promised[: len(steps)]]
        assert len(steps) == len(promised) or not outcome.ok
        jobs = [e.job for e in ear.heard if isinstance(e, JobLaunched) and e.set == outcome.set]
        assert jobs == [word for verb, word in promised if verb == "launch"][: len(jobs)]
    if all(outcome.ok for outcome in outcomes):
        order = sorted(outcomes, key=lambda outcome: outcome.action is Action.DELETE)
        promised_calls = [verb for outcome in order for verb, _ in explained[outcome.set] if verb in CALLS.values()]
        assert list(done(memory.calls)) == promised_calls
