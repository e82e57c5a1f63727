"""The executor: bounded, in order, honest about what went wrong, deaf to nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from avatar_gitops.errors import RemoteRefused, RemoteUnavailable
from avatar_gitops.events import GateChecked, JobDone, JobLaunched, JobProgressed, SetDone, StepStarted
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.model import Action, Plan
from avatar_gitops.plan.observed import ServerJob
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.plan.steps import steps
from avatar_gitops.reconcile.executor import Ports, execute, exit_code
from avatar_gitops.reconcile.waiting import Patience
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Prune, Thresholds
from tests.support.memory import Ear, Memory, MemoryServer, ports
from tests.support.planning import PROJECT, an_input, wish

CALM = Options(prune=Prune.OWNED, thresholds=Thresholds(max_delete_percent=100, max_relaunch_percent=100))


def planned(memory: Memory, wishes: Sequence[DesiredSet]) -> Plan:
    return plan(wishes, MemoryServer(memory).observe(PROJECT), memory.locks, CALM, PROJECT)


def settle(memory: Memory, wishes: Sequence[DesiredSet]) -> None:
    assert exit_code(execute(planned(memory, wishes), ports(memory))) == 0


def states(outcomes: Sequence[Outcome]) -> dict[str, State]:
    return {outcome.set: outcome.state for outcome in outcomes}


def test_events_tell_the_steps_of_the_plan_in_order_and_the_journal_hears_first() -> None:
    memory, order = Memory(), []
    made = planned(memory, [wish(gates={"hidden_rate": ">= 90"})])
    journal, listener = Ear(), Ear()

    class Both(Ear):
        def __init__(self, name: str, ear: Ear) -> None:
            super().__init__(ear.heard)
            self.name = name

        def __call__(self, event: object) -> None:
            order.append(self.name)
            super().__call__(event)  # type: ignore[arg-type]

    (outcome,) = execute(made, ports(memory, Both("listener", listener), Both("journal", journal)))
    assert order == ["journal", "listener"] * len(journal.heard)
    assert journal.heard == listener.heard
    told = [event.step for event in listener.heard if isinstance(event, StepStarted)]
    assert told == [type(step).__name__ for step in steps(made.effective[0])]
    launched = [event.job for event in listener.heard if isinstance(event, JobLaunched)]
    assert launched == [job.value for job in Job]
    assert {event.job for event in listener.heard if isinstance(event, JobDone)} == set(launched)
    assert GateChecked("patients", "hidden_rate", ">= 90", 95.0, True) in listener.heard
    assert listener.heard[-1] == SetDone("patients", "launch", "published", "")
    assert set(outcome.job_seconds) == set(launched)
    assert outcome.lock is not None
    assert outcome.lock.outputs


def test_changes_run_at_most_so_many_at_a_time() -> None:
    memory, running, most = Memory(), set[int](), [0]

    class Server(MemoryServer):
        def upload(self, desired: DesiredSet) -> None:
            running.add(threading.get_ident())
            time.sleep(0.02)
            most[0] = max(most[0], len(running))
            running.discard(threading.get_ident())
            super().upload(desired)

    made = planned(memory, [wish(f"s{number}") for number in range(6)])
    outcomes = execute(made, replace(ports(memory), server=Server(memory)), parallelism=2)
    assert set(states(outcomes).values()) == {State.PUBLISHED}
    assert most[0] == 2


def test_one_failing_change_does_not_stop_the_others_and_deletes_come_last() -> None:
    memory = Memory()
    settle(memory, [wish("old"), wish("bad")])

    def fault(number: int, name: str) -> None:
        if name == "create" and "bad" in memory.uploaded and not memory.uploaded & {"good"}:
            raise RemoteRefused("the server said no", hint="ask again")

    memory.uploaded.clear()
    memory.calls.clear()
    memory.fault = fault
    made = planned(memory, [wish("bad", seed=9), wish("good")])
    outcomes = execute(made, ports(memory), parallelism=1)
    assert states(outcomes) == {"bad": State.FAILED, "good": State.PUBLISHED, "old": State.DELETED}
    assert next(o for o in outcomes if o.set == "bad").message == "the server said no; ask again"
    assert memory.calls.index("remove") > memory.calls.index("publish")
    assert exit_code(outcomes) == 7
    assert [outcome.set for outcome in outcomes] == [change.set for change in made.effective]


def test_a_job_that_fails_says_what_the_server_says_and_keeps_what_is_published() -> None:
    memory = Memory()
    settle(memory, [wish()])
    lock = memory.locks["patients"]
    memory.failing = {"privacy_metrics"}
    listener = Ear()
    (outcome,) = execute(planned(memory, [wish(seed=9)]), ports(memory, listener))
    assert (outcome.state, outcome.message) == (State.FAILED, "privacy_metrics failed: bad")
    assert memory.locks == {"patients": lock}
    assert [event.error for event in listener.heard if isinstance(event, JobDone) and event.error] == ["bad"]


def test_a_job_that_the_version_got_meanwhile_is_not_launched_again() -> None:
    memory = Memory(failing=())
    settle(memory, [wish()])
    version = memory.sets["patients-1"]
    left = tuple(job for job in version.jobs if job.parameters not in {"report", "report_pia"})
    memory.sets["patients-1"], memory.locks = replace(version, jobs=left), {}
    made = planned(memory, [wish()])
    assert made.effective[0].jobs == (Job.REPORT, Job.REPORT_PIA)
    MemoryServer(memory).launch("patients-1", Job.REPORT, [])
    (outcome,) = execute(made, ports(memory))
    assert outcome.state is State.PUBLISHED
    assert sorted(job.parameters for job in memory.sets["patients-1"].jobs) == sorted(Job)


def test_data_that_changed_since_the_plan_stop_the_change_before_anything_is_sent() -> None:
    memory = Memory(inputs_now={"patients": (an_input("b"),)})
    (outcome,) = execute(planned(memory, [wish()]), ports(memory))
    assert outcome.state is State.FAILED
    assert outcome.message == "the data of patients changed since the plan was made; plan again"
    assert memory.calls == []


def test_an_update_runs_nothing_and_writes_the_new_digests() -> None:
    memory = Memory()
    settle(memory, [wish()])
    memory.calls.clear()
    changed = wish(metadata={"owner": "somebody"})
    (outcome,) = execute(planned(memory, [changed]), ports(memory))
    assert (outcome.state, set(memory.calls)) == (State.UPDATED, {"update"})
    assert memory.locks["patients"].digests == changed.digests
    assert memory.locks["patients"].run == "patients-1"


def test_an_update_whose_new_gate_fails_leaves_the_lock() -> None:
    memory = Memory()
    settle(memory, [wish()])
    lock = memory.locks["patients"]
    made = planned(memory, [wish(gates={"hidden_rate": ">= 99"})])
    assert [change.action for change in made.effective] == [Action.UPDATE]
    memory.locks["patients"] = lock
    (outcome,) = execute(made, ports(memory))
    assert outcome.state is State.GATE_FAILED
    assert outcome.message == "not published, 1 of 1 gates failed: hidden_rate >= 99"
    assert memory.locks == {"patients": lock}


def test_a_server_that_does_not_answer_is_not_asked_for_the_rest() -> None:
    memory = Memory()

    def fault(number: int, name: str) -> None:
        raise RemoteUnavailable("https://a.example.org did not answer (5 tries in 15 s, last: status 503)")

    memory.fault = fault
    outcomes = execute(planned(memory, [wish("a"), wish("b"), wish("c")]), ports(memory), parallelism=1)
    assert set(states(outcomes).values()) == {State.FAILED}
    assert all(outcome.unavailable for outcome in outcomes)
    assert outcomes[-1].message == "not started, because the server does not answer"
    assert memory.calls == ["upload"]
    assert exit_code(outcomes) == 9


@pytest.mark.parametrize("error", [KeyError("CELL"), OSError(28, "No space left on device", "/secret/CELL")])
def test_unexpected_errors_end_one_change_and_tell_no_content(error: Exception) -> None:
    memory = Memory()

    def fault(number: int, name: str) -> None:
        if name == "publish":
            raise error

    memory.fault = fault
    (outcome,) = execute(planned(memory, [wish()]), ports(memory))
    assert outcome.state is State.FAILED
    assert "CELL" not in outcome.message


def test_what_was_published_before_the_cleaning_failed_is_in_the_outcome() -> None:
    memory = Memory()
    settle(memory, [wish()])

    def fault(number: int, name: str) -> None:
        if name == "delete":
            raise RemoteRefused("no")

    memory.fault = fault
    (outcome,) = execute(planned(memory, [wish(seed=9)]), ports(memory))
    assert outcome.message == "published, but older versions are still on the server: no"
    assert outcome.lock is not None
    assert memory.locks["patients"] == outcome.lock


class Sleepless:
    """A clock whose sleep is cut short by Ctrl-C after some calls."""

    def __init__(self, sleeps: int) -> None:
        self.left = sleeps

    def now(self) -> datetime:
        return datetime(2026, 1, 2, tzinfo=UTC)

    def sleep(self, seconds: float) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1


def test_ctrl_c_stops_waiting_and_loses_nothing() -> None:
    memory, listener = Memory(), Ear()
    wishes = [wish("a"), wish("b")]
    outside = replace(ports(memory, listener), clock=Sleepless(1))
    outcomes = execute(planned(memory, wishes), outside, parallelism=1)
    assert set(states(outcomes).values()) == {State.INTERRUPTED}
    assert exit_code(outcomes) == 130
    assert {event.set: event.state for event in listener.heard if isinstance(event, SetDone)} == {
        "a": "interrupted",
        "b": "interrupted",
    }
    settle(memory, wishes)
    assert len(memory.sets) == 2


def test_ctrl_c_in_the_main_thread_does_not_wait_for_a_request_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    memory, hangs = Memory(), threading.Event()

    class Server(MemoryServer):
        def upload(self, desired: DesiredSet) -> None:
            hangs.wait(30)

    monkeypatch.setattr("avatar_gitops.reconcile.executor.GRACE", 0.05)
    join = threading.Thread.join
    interrupted: list[bool] = []

    def join_once_interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        join(thread, timeout)

    monkeypatch.setattr(threading.Thread, "join", join_once_interrupted)
    outcomes = execute(planned(memory, [wish()]), replace(ports(memory), server=Server(memory)))
    hangs.set()
    assert states(outcomes) == {"patients": State.INTERRUPTED}


def test_waiting_ends_after_the_time_that_the_user_gives_and_the_next_apply_collects() -> None:
    memory = Memory()
    outside = ports(memory)
    memory.looked = _Never()
    (outcome,) = execute(planned(memory, [wish()]), outside, patience=Patience(timeout=60, jitter=lambda: 1.0))
    assert outcome.state is State.FAILED
    said = "stopped waiting after 66 s, as --timeout says; the jobs go on at the server, and resume collects them"
    assert (outcome.message, outcome.late, outcome.unavailable) == (said, True, False)
    memory.looked = set()
    settle(memory, [wish()])
    assert len(memory.sets) == 1


class _Never(set[str]):
    """Jobs that never end."""

    def __contains__(self, item: object) -> bool:
        return False


def test_progress_is_told_when_it_changes() -> None:
    memory, listener, shares = Memory(), Ear(), iter([0.1, 0.1, 0.6])

    class Server(MemoryServer):
        def job(self, name: str) -> ServerJob:
            share = next(shares, None)
            return super().job(name) if share is None else replace(self._find(name)[1], progress=share)

    execute(planned(memory, [wish()]), replace(ports(memory, listener), server=Server(memory)))
    told = [event.progress for event in listener.heard if isinstance(event, JobProgressed)]
    assert told[:2] == [0.1, 0.6]


OK, GATE, BAD, AWAY, CUT = (
    Outcome("a", Action.LAUNCH, State.PUBLISHED),
    Outcome("b", Action.LAUNCH, State.GATE_FAILED),
    Outcome("c", Action.LAUNCH, State.FAILED),
    Outcome("d", Action.LAUNCH, State.FAILED, unavailable=True),
    Outcome("e", Action.LAUNCH, State.INTERRUPTED),
)


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([OK], 0),
        ([OK, GATE], 4),
        ([GATE], 4),
        ([OK, BAD], 7),
        ([OK, AWAY, GATE], 7),
        ([BAD], 1),
        ([BAD, GATE], 1),
        ([BAD, AWAY], 1),
        ([AWAY, AWAY], 9),
        ([AWAY, GATE], 1),
        ([OK, BAD, CUT], 130),
    ],
)
def test_exit_codes(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(outcomes) == code


def test_an_empty_plan_does_nothing() -> None:
    memory = Memory()
    outside: Ports = ports(memory)
    assert execute(planned(memory, []), outside) == ()
