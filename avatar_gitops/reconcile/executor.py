"""All changes of a plan, carried out on a bounded pool: deletes last, one that fails does not stop the others."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from avatar_gitops.events import Event, Listener, SetDone
from avatar_gitops.plan.model import Action, Change, Plan
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.ports import Clock, Journal, Judge, RunWriter, Workspace
from avatar_gitops.reconcile.carry import Means, carry_out
from avatar_gitops.reconcile.verdict import no_policy
from avatar_gitops.reconcile.waiting import Patience

GRACE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world of an apply. Journal and listener are called from one thread at a time, the journal first."""

    server: RunWriter
    workspace: Workspace
    clock: Clock
    listener: Listener
    journal: Journal
    judge: Judge = no_policy


def execute(plan: Plan, ports: Ports, *, parallelism: int = 4, patience: Patience | None = None) -> tuple[Outcome, ...]:
    """Carry out a plan and return one outcome per effective change, in the order of the plan.

    Ctrl-C stops waiting: changes that did not end are INTERRUPTED, their jobs go on at the server. When the server
    gives no answer at all, changes that have not begun are not begun.
    """
    run = _Run(plan, ports, patience or Patience())
    changes = plan.effective
    run.batch([change for change in changes if change.action is not Action.DELETE], parallelism)
    run.batch([change for change in changes if change.action is Action.DELETE], parallelism)
    return tuple(run.outcomes[change.set] for change in changes)


class _Run:
    """One execution: the queue of changes, the threads that empty it, and what came out."""

    def __init__(self, plan: Plan, ports: Ports, patience: Patience) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._ports = ports
        self._emitting = threading.Lock()
        self._down = threading.Event()
        self._crashes: list[BaseException] = []
        self._means = Means(
            plan=plan,
            server=ports.server,
            workspace=ports.workspace,
            clock=ports.clock,
            emit=self._emit,
            stop=threading.Event(),
            patience=patience,
            judge=ports.judge,
        )

    def batch(self, changes: Sequence[Change], parallelism: int) -> None:
        """Carry out some changes, at most `parallelism` at a time, and wait for them."""
        waiting: queue.SimpleQueue[Change] = queue.SimpleQueue()
        for change in changes:
            waiting.put(change)
        # Daemons: a thread that hangs in a request must not keep the program alive after Ctrl-C.
        threads = [
            threading.Thread(target=self._work, args=(waiting,), name=f"apply-{number}", daemon=True)
            for number in range(min(parallelism, len(changes)))
        ]
        for thread in threads:
            thread.start()
        self._join(threads)
        if self._crashes:
            raise self._crashes[0]
        for change in changes:
            if change.set not in self.outcomes:
                self.outcomes[change.set] = self._not_begun(change)

    def _join(self, threads: Sequence[threading.Thread]) -> None:
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)
        except KeyboardInterrupt:
            self._means.stop.set()
            until = time.monotonic() + GRACE
            for thread in threads:
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self, waiting: queue.SimpleQueue[Change]) -> None:
        try:
            while not self._means.stop.is_set() and not self._down.is_set():
                change = waiting.get_nowait()
                outcome = carry_out(change, self._means)
                self.outcomes[change.set] = outcome
                if outcome.unavailable:
                    self._down.set()
        except queue.Empty:
            return
        except BaseException as crash:
            self._crashes.append(crash)
            self._means.stop.set()

    def _not_begun(self, change: Change) -> Outcome:
        if self._means.stop.is_set():
            state, message = State.INTERRUPTED, "stopped waiting; what runs at the server goes on"
        else:
            state, message = State.FAILED, "not started, because the server does not answer"
        self._emit(SetDone(change.set, change.action.value, state.value, message))
        return Outcome(change.set, change.action, state, message, unavailable=state is State.FAILED)

    def _emit(self, event: Event) -> None:
        with self._emitting:
            self._ports.journal(event)
            self._ports.listener(event)


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """Exit code of an apply: 130 interrupted, 0 all well, 7 some well, 4 only gates failed, else 9 or 1."""
    ended = tuple(outcomes)
    failed = [outcome for outcome in ended if outcome.state is State.FAILED]
    if any(outcome.state is State.INTERRUPTED for outcome in ended):
        return 130
    if not failed:
        return 4 if any(outcome.state is State.GATE_FAILED for outcome in ended) else 0
    if any(outcome.ok for outcome in ended):
        return 7
    return 9 if all(outcome.unavailable for outcome in failed) and len(failed) == len(ended) else 1
