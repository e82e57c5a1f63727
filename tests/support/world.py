"""A pure simulation of server and repository: applying a plan gives the state after its steps.

Every job remembers what it was made from, so that a test can tell whether published results belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from avatar_gitops.plan import steps as s
from avatar_gitops.plan import versions
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.claims import adopted, earlier
from avatar_gitops.plan.desired import DesiredSet, Digests
from avatar_gitops.plan.jobs import AFTER, wanted
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, Plan
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob, ServerSet
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.spec.fields import STAGE, Consequence
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Prune, Thresholds
from tests.support.planning import PROJECT, START, a_job

CALM = Options(prune=Prune.OWNED, thresholds=Thresholds(max_delete_percent=100, max_relaunch_percent=100))


class Interrupted(Exception):
    """The apply was killed."""


class Stopped(Exception):
    """One change ended early: a job or a gate failed."""


@dataclass(frozen=True, slots=True)
class Made:
    """Content and jobs that a job was made from."""

    content: tuple[str, ...]
    after: tuple[str, ...]


@dataclass
class World:
    """Server and locks. `failing` and `gates` say what goes wrong, `budget` how many steps the apply lives."""

    sets: dict[str, ServerSet] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    made: dict[str, Made] = field(default_factory=dict)
    failing: Collection[Job] = ()
    gates: Callable[[DesiredSet], bool] = lambda desired: True
    budget: int | None = None
    ticks: int = 0
    done: list[s.Step] = field(default_factory=list)
    receipts: set[str] = field(default_factory=set)
    change: Change | None = None

    def observed(self) -> Observed:
        """What the server lists: sets that have jobs."""
        return Observed("prod", tuple(item for item in self.sets.values() if item.jobs))

    def plan(self, desired: Sequence[DesiredSet], options: Options = CALM) -> Plan:
        """The plan for the present state."""
        return plan(desired, self.observed(), self.locks, options, PROJECT)

    def apply(self, whole: Plan) -> bool:
        """Carry out a plan; False when it was killed on the way."""
        try:
            for change in whole.effective:
                self._change(change)
        except Interrupted:
            return False
        return True

    def settle(self) -> None:
        """Let all running jobs end."""
        for version in list(self.sets.values()):
            for job in version.jobs:
                if not job.done:
                    self._end(version.id, job)

    def previewed(self, item: DesiredSet) -> str:
        """Somebody makes a preview of a set and waits for it; its id."""
        target = self._create(item, None)
        annotations = {**self.sets[target].annotations, Annotation.PREVIEW: "PR 1"}
        self.sets[target] = replace(self.sets[target], annotations=annotations)
        self.change = None
        for job in wanted(item.run):
            self._launch(target, job, [needed for needed in AFTER[job] if needed in wanted(item.run)])
        self.settle()
        return target

    def made_by_hand(self, item: DesiredSet, number: int) -> str:
        """Somebody makes a set without this program; the id of the new set."""
        made = self.sets.pop(self.previewed(item))
        name = f"00000000-0000-4000-8000-{number:012d}"
        self.sets[name] = replace(made, id=name, annotations={})
        return name

    def job_names(self) -> set[str]:
        """All jobs on the server."""
        return {job.name for version in self.sets.values() for job in version.jobs}

    def _change(self, change: Change) -> None:
        self.change = change
        standing = {Action.COLLECT, Action.UPDATE, Action.ADOPT, Action.RENAME}
        target = change.current.id if change.action in standing and change.current else ""
        try:
            for step in s.steps(change):
                if self.budget is not None:
                    if self.budget == 0:
                        raise Interrupted
                    self.budget -= 1
                target = self._step(change, step, target)
                self.done.append(step)
        except Stopped:
            return

    def _step(self, change: Change, step: s.Step, target: str) -> str:
        desired = change.desired
        match step:
            case s.CreateSet(base_set):
                assert desired is not None
                return self._create(desired, base_set)
            case s.LaunchJob(job, after):
                self._launch(target, job, after)
            case s.Wait(jobs):
                self.settle()
                self._demand(target, jobs)
            case s.Fetch(jobs):
                self._demand(target, jobs)
            case s.CheckGates():
                assert desired is not None
                if not self.gates(desired):
                    raise Stopped
            case s.Publish():
                assert desired is not None
                self._publish(desired, target)
            case s.DeleteJobs(jobs=names):
                self._delete(names)
            case s.RemoveLock():
                self.receipts.add(change.set)
                self.locks.pop(change.set, None)
            case s.RemoveFormer(former=former):
                self.locks.pop(former, None)
            case _:
                pass
        return target

    def _create(self, desired: DesiredSet, base: str | None) -> str:
        self.ticks += 1
        name = f"{desired.name}-{self.ticks}"
        at = START + timedelta(minutes=self.ticks)
        self.sets[name] = ServerSet(name, desired.name, at, (), marks(desired, PROJECT, "c", "1", base))
        return name

    def _launch(self, target: str, job: Job, after: Sequence[Job]) -> None:
        version = self.sets[target]
        own = versions.own(version)
        if job in own and not versions.failed(own[job]):
            return
        assert job in versions.documented(version), f"{job} has no document in this version"
        counting = self._counting(version)
        assert all(needed in counting for needed in after), f"{job} is launched before {after} exist"
        self.ticks += 1
        name = f"{target}-{job.value}-{self.ticks}"
        self.made[name] = Made(content_of(versions.digests(version), job), tuple(counting[n].name for n in after))
        entry = a_job(name, job.value, "pending", START + timedelta(minutes=self.ticks))
        self.sets[target] = replace(version, jobs=(*version.jobs, entry))

    def _counting(self, version: ServerSet) -> Mapping[Job, ServerJob]:
        seen = (*self.change.versions, *self.change.previews) if self.change else ()
        marks_of = {item.id: item.annotations for item in seen}

        def claimed(item: ServerSet) -> ServerSet:
            return replace(item, annotations=marks_of.get(item.id, item.annotations))

        listed = [claimed(v) for v in self.sets.values() if v.jobs or v is version]
        return versions.effective(claimed(version), versions.newest_first(listed))

    def _end(self, set_id: str, job: ServerJob) -> None:
        """A job fails when it is meant to, or when one that it was made from failed or is gone."""
        known = {entry.name: entry for version in self.sets.values() for entry in version.jobs}
        broken = any(name not in known or known[name].failed for name in self.made[job.name].after)
        failed = broken or Job(job.parameters) in self.failing
        ended = replace(job, done=True, failed=failed, status="error" if failed else "finished")
        version = self.sets[set_id]
        self.sets[set_id] = replace(version, jobs=tuple(ended if j.name == job.name else j for j in version.jobs))

    def _demand(self, target: str, jobs: Sequence[Job]) -> None:
        if not versions.complete(self._counting(self.sets[target]), jobs):
            raise Stopped

    def _publish(self, desired: DesiredSet, target: str) -> None:
        counting = self._counting(self.sets[target])
        for job in wanted(desired.run):
            made = self.made[counting[job].name]
            by_hand = not any(entry is counting[job] for v in self.sets.values() if v.project for entry in v.jobs)
            assert by_hand or made.content == content_of(desired.digests, job), f"{job} was made from something else"
            expected = tuple(counting[needed].name for needed in AFTER[job] if needed in counting)
            assert made.after == expected, f"{job} measures other avatars than those that are published"
        jobs = {job.value: counting[job].name for job in wanted(desired.run)}
        lock = Lock(
            desired.name, desired.path, desired.digests, desired.resolved, desired.inputs, target, "s", "f", jobs, "1"
        )
        assert self.change is not None
        self.locks[desired.name] = replace(
            lock,
            moved_from=self.change.moved_from,
            earlier=earlier(self.change.set, self.change.versions),
            adopted=adopted(self.change.versions),
        )

    def _delete(self, names: Sequence[str]) -> None:
        claimed = (*self.change.versions, *self.change.previews) if self.change else ()
        owned = {
            job.name
            for version in (*claimed, *self.sets.values())
            if version.project == PROJECT
            for job in version.jobs
        }
        assert set(names) <= owned, "a job is deleted that is not ours"
        for version in list(self.sets.values()):
            left = tuple(job for job in version.jobs if job.name not in names)
            self.sets[version.id] = replace(version, jobs=left)


def content_of(digests: Digests, job: Job) -> tuple[str, ...]:
    """The digests that decide what a job gives."""
    stages = {
        Consequence.RERUN_ALL: (digests.input, digests.standard),
        Consequence.RERUN_METRICS: (digests.input, digests.standard, digests.metrics),
        Consequence.RERUN_REPORTS: (digests.input, digests.standard, digests.metrics, digests.reports),
    }
    return stages[STAGE[job]]
