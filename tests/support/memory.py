"""A server and a workspace in memory that can crash at any call, for tests of the executor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from avatar_gitops.events import Event
from avatar_gitops.plan.deletion import Deletion
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.observed import Observed, ServerJob, ServerSet
from avatar_gitops.plan.outcome import MetricBlock, RunResult
from avatar_gitops.reconcile.executor import Ports
from avatar_gitops.spec.models import Job
from tests.support.http import StillClock
from tests.support.planning import START


class Crash(BaseException):
    """The program is killed."""


Fault = Callable[[int, str], None]


@dataclass
class Memory:
    """Server and workspace. `fault` is called before and after each call with a running number and the call's name.

    A job ends at the second look; `failing` ends badly. `measured` are the metrics of every run.
    """

    fault: Fault = lambda number, name: None
    failing: Collection[str] = ()
    measured: Mapping[str, float] = field(default_factory=lambda: {"hidden_rate": 95.0})
    sets: dict[str, ServerSet] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    looked: set[str] = field(default_factory=set)
    inputs_now: dict[str, tuple[TableInput, ...]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)
    uploaded: set[str] = field(default_factory=set)
    guard: threading.RLock = field(default_factory=threading.RLock)
    ticks: int = 0
    receipts: list[Deletion] = field(default_factory=list)

    def at(self, name: str) -> None:
        """One side of a call."""
        number = len(self.calls)
        self.calls.append(name)
        self.fault(number, name)

    def tick(self) -> datetime:
        self.ticks += 1
        return START + timedelta(minutes=self.ticks)


class MemoryServer:
    """The server side, as `ports.RunWriter`."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def observe(self, project: str, taken: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> Observed:
        return Observed("prod", tuple(version for version in self.memory.sets.values() if version.jobs))

    def jobs(self, set_id: str) -> tuple[ServerJob, ...]:
        with self.memory.guard:
            return self.memory.sets[set_id].jobs

    def job(self, name: str) -> ServerJob:
        with self.memory.guard:
            self.memory.at("job")
            version, found = self._find(name)
            if name in self.memory.looked and not found.done:
                failed = found.parameters in self.memory.failing
                status = "error" if failed else "finished"
                found = replace(found, done=True, failed=failed, status=status, exception="bad" if failed else "")
                jobs = tuple(found if job.name == name else job for job in version.jobs)
                self.memory.sets[version.id] = replace(version, jobs=jobs)
            self.memory.looked.add(name)
            return found

    def results(self, version: ServerSet, jobs: Mapping[Job, str]) -> RunResult:
        with self.memory.guard:
            self.memory.at("results")
            assert all(self._find(name)[1].status == "finished" for name in jobs.values())
            block = MetricBlock("patients", "privacy", "standalone", None, self.memory.measured, {}, {}, {})
            ids = {job.value: name for job, name in jobs.items()}
            return RunResult(version.id, ids, {}, (block,), (), "engine/1", "begun", "ended", 7)

    def credits(self) -> int | None:
        return None

    def has_results(self, job: str) -> bool:
        return True

    def upload(self, desired: DesiredSet) -> None:
        with self.memory.guard:
            self.memory.at("upload")
            self.memory.uploaded.add(desired.name)
            self.memory.at("upload")

    def create(self, desired: DesiredSet, annotations: Mapping[str, str]) -> str:
        with self.memory.guard:
            self.memory.at("create")
            assert desired.name in self.memory.uploaded
            set_id = f"{desired.name}-{len(self.memory.sets) + 1}"
            at = self.memory.tick()
            self.memory.sets[set_id] = ServerSet(set_id, desired.name, at, (), dict(annotations))
            self.memory.at("create")
            return set_id

    def launch(self, set_id: str, job: Job, after: Sequence[str]) -> str:
        with self.memory.guard:
            self.memory.at("launch")
            for name in after:
                self._find(name)
            version = self.memory.sets[set_id]
            assert job.value not in {entry.parameters for entry in version.jobs}, f"{job} runs twice"
            at = self.memory.tick()
            entry = ServerJob(f"{set_id}-{job.value}", job.value, "queued", False, False, at)
            self.memory.sets[set_id] = replace(version, jobs=(*version.jobs, entry))
            self.memory.at("launch")
            return entry.name

    def delete(self, jobs: Sequence[str]) -> None:
        with self.memory.guard:
            self.memory.at("delete")
            for version in list(self.memory.sets.values()):
                left = tuple(job for job in version.jobs if job.name not in jobs)
                self.memory.sets[version.id] = replace(version, jobs=left)
            self.memory.at("delete")

    def _find(self, name: str) -> tuple[ServerSet, ServerJob]:
        for version in self.memory.sets.values():
            for job in version.jobs:
                if job.name == name:
                    return version, job
        raise AssertionError(f"{name} is not on the server")


class MemoryWorkspace:
    """The repository side, as `ports.Workspace`."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        return self.memory.inputs_now.get(desired.name, desired.inputs)

    def publish(self, desired: DesiredSet, lock: Lock, result: RunResult) -> Lock:
        with self.memory.guard:
            self.memory.at("publish")
            written = replace(lock, outputs={"summary.md": "sha256:" + "0" * 64})
            self.memory.locks[desired.name] = written
            self.memory.at("publish")
            return written

    def update(self, desired: DesiredSet, lock: Lock) -> None:
        with self.memory.guard:
            self.memory.at("update")
            self.memory.locks[desired.name] = lock
            self.memory.at("update")

    def remove(self, gone: Deletion) -> str:
        with self.memory.guard:
            self.memory.at("remove")
            self.memory.receipts.append(gone)
            self.memory.locks.pop(gone.set, None)
            self.memory.at("remove")
            return f"out/{gone.set}/deletion.json"

    def move(self, former: str, name: str) -> None:
        with self.memory.guard:
            self.memory.at("move")

    def forget(self, former: str, path: str) -> None:
        with self.memory.guard:
            self.memory.at("forget")
            self.memory.locks.pop(former, None)
            self.memory.at("forget")

    def failed(self, desired: DesiredSet, result: RunResult, gates: Sequence[GateResult]) -> None:
        with self.memory.guard:
            self.memory.at("failed")
            self.memory.kept.append(desired.name)


@dataclass
class Ear:
    """Keeps events."""

    heard: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.heard.append(event)


def ports(memory: Memory, listener: Ear | None = None, journal: Ear | None = None) -> Ports:
    """The outside world, in memory, with time that only moves in sleeps."""
    clock = StillClock(datetime(2026, 1, 2, tzinfo=UTC))
    return Ports(MemoryServer(memory), MemoryWorkspace(memory), clock, listener or Ear(), journal or Ear())
