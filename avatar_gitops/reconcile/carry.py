"""One change, carried out: its steps in order, each made so that a crash after it loses and doubles nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, assert_never

from avatar_gitops import __version__
from avatar_gitops.errors import AvatarGitOpsError, RemoteUnavailable
from avatar_gitops.events import Event, GateChecked, JobLaunched, SetCreated, SetDone, StepEnded, StepStarted
from avatar_gitops.plan import steps as plan_steps
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.claims import adopted, earlier
from avatar_gitops.plan.deletion import deletion
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import Action, Change, Plan, Reason
from avatar_gitops.plan.observed import ServerJob, ServerSet
from avatar_gitops.plan.outcome import Outcome, RunResult, State
from avatar_gitops.policy.gates import evaluate
from avatar_gitops.ports import Clock, Judge, RunWriter, Workspace
from avatar_gitops.reconcile import verdict
from avatar_gitops.reconcile.following import Follower
from avatar_gitops.reconcile.standing import inherited_jobs, refreshed, standing_jobs
from avatar_gitops.reconcile.waiting import Patience, Stopped, TimedOut
from avatar_gitops.spec.models import Job

LOG: Final = logging.getLogger(__name__)
PROMOTED: Final = "the promoted preview, not run again"


class JobFailed(AvatarGitOpsError):
    """A job ended badly; the text is what the server says about it."""


class GatesFailed(Exception):
    """The run was measured and is not good enough; nothing of it is published."""


@dataclass(frozen=True, slots=True)
class Means:
    """What carrying out needs, the same for every change; `emit` is safe to call from any thread."""

    plan: Plan
    server: RunWriter
    workspace: Workspace
    clock: Clock
    emit: Callable[[Event], None]
    stop: threading.Event
    patience: Patience
    judge: Judge = verdict.no_policy


@dataclass(slots=True)
class Progress:
    """How far a change has come; filled by the steps."""

    version: ServerSet | None = None
    jobs: dict[Job, ServerJob] = field(default_factory=dict)
    ready: dict[Job, datetime] = field(default_factory=dict)
    result: RunResult | None = None
    gates: tuple[GateResult, ...] = ()
    lock: Lock | None = None
    receipt: str = ""
    seconds: dict[str, float] = field(default_factory=dict)


def carry_out(change: Change, means: Means) -> Outcome:
    """Carry out one change; whatever goes wrong is in the outcome."""
    progress = Progress()
    try:
        _steps(change, means, progress)
        said = PROMOTED if change.reason is Reason.PREVIEWED else progress.receipt
        outcome = _outcome(change, progress, _success(change, progress), said)
    except (Stopped, KeyboardInterrupt):
        means.stop.set()
        outcome = _outcome(change, progress, State.INTERRUPTED, "stopped waiting; what runs at the server goes on")
    except GatesFailed as failed:
        outcome = _outcome(change, progress, State.GATE_FAILED, str(failed))
    except AvatarGitOpsError as error:
        text = f"{error.message}; {error.hint}" if error.hint else error.message
        outcome = _failed(change, progress, text, unavailable=isinstance(error, RemoteUnavailable))
        outcome = replace(outcome, late=isinstance(error, TimedOut))
    except OSError as error:
        outcome = _failed(change, progress, f"the project cannot be written: {error.strerror or 'unknown reason'}")
    except Exception as error:
        LOG.debug("unexpected failure", exc_info=True)
        outcome = _failed(change, progress, f"internal error ({type(error).__name__}); this is a bug, please report it")
    means.emit(SetDone(change.set, change.action.value, outcome.state.value, outcome.message))
    return outcome


def _success(change: Change, progress: Progress) -> State:
    if change.action is Action.DELETE:
        return State.DELETED
    return State.PUBLISHED if progress.result is not None else State.UPDATED


def _failed(change: Change, progress: Progress, message: str, *, unavailable: bool = False) -> Outcome:
    if progress.lock is not None:
        message = f"published, but older versions are still on the server: {message}"
    return replace(_outcome(change, progress, State.FAILED, message), unavailable=unavailable)


def _outcome(change: Change, progress: Progress, state: State, message: str = "") -> Outcome:
    return Outcome(
        set=change.set,
        action=change.action,
        state=state,
        message=message,
        gates=progress.gates,
        job_seconds=dict(progress.seconds),
        lock=progress.lock,
    )


def _steps(change: Change, means: Means, progress: Progress) -> None:
    if change.action in {Action.COLLECT, Action.ADOPT, Action.RENAME} and change.current is not None:
        progress.version = refreshed(means.server, change.current)
        progress.jobs = standing_jobs(change, progress.version)
    for step in plan_steps.steps(change):
        if means.stop.is_set():
            raise Stopped
        name, begun, ok = type(step).__name__, means.clock.now(), False
        means.emit(StepStarted(change.set, name))
        try:
            _step(step, change, means, progress)
            ok = True
        finally:
            means.emit(StepEnded(change.set, name, (means.clock.now() - begun).total_seconds(), ok))


def _step(step: plan_steps.Step, change: Change, means: Means, progress: Progress) -> None:
    match step:
        case plan_steps.CheckInput():
            _check_input(_desired(change), means)
        case plan_steps.Upload():
            means.server.upload(_desired(change))
        case plan_steps.CreateSet(base_set=base):
            _create(change, means, progress, base)
        case plan_steps.LaunchJob(job=job, after=after):
            _launch(change, means, progress, job, after)
        case plan_steps.Wait(jobs=jobs):
            _wait(change, means, progress, jobs)
        case plan_steps.Fetch(jobs=jobs):
            _fetch(means, progress, jobs)
        case plan_steps.CheckGates(gates=gates):
            _check_gates(change, means, progress, dict(gates))
        case plan_steps.Publish():
            _check_policy(change, means, progress)
            _publish(change, means, progress)
        case plan_steps.DeleteJobs(jobs=names):
            means.server.delete(names)
        case plan_steps.RemoveLock() | plan_steps.MoveResults() | plan_steps.RemoveFormer():
            _tidy(step, change, means, progress)
        case _:
            assert_never(step)


def _tidy(
    step: plan_steps.RemoveLock | plan_steps.MoveResults | plan_steps.RemoveFormer,
    change: Change,
    means: Means,
    progress: Progress,
) -> None:
    """What a set that went, or that has another name, leaves in the project."""
    match step:
        case plan_steps.RemoveLock():
            place = means.workspace.remove(deletion(change, means.plan, means.clock.now()))
            progress.receipt = f"receipt {place}"
        case plan_steps.MoveResults(former=former):
            means.workspace.move(former, change.set)
        case plan_steps.RemoveFormer(former=former, path=path):
            means.workspace.forget(former, path)
        case _:
            assert_never(step)


def _desired(change: Change) -> DesiredSet:
    assert change.desired is not None
    return change.desired


def _check_input(desired: DesiredSet, means: Means) -> None:
    planned = {item.table: item.digest for item in desired.inputs}
    present = {item.table: item.digest for item in means.workspace.inputs(desired)}
    moved = sorted(table for table in planned.keys() | present.keys() if planned.get(table) != present.get(table))
    if moved:
        raise AvatarGitOpsError(f"the data of {', '.join(moved)} changed since the plan was made", hint="plan again")


def _create(change: Change, means: Means, progress: Progress, base: str | None) -> None:
    desired = _desired(change)
    annotations = marks(desired, means.plan.project, means.plan.commit, __version__, base)
    set_id = means.server.create(desired, annotations)
    progress.version = ServerSet(set_id, change.set, means.clock.now(), (), annotations)
    progress.jobs = inherited_jobs(change)
    means.emit(SetCreated(change.set, set_id))


def _launch(change: Change, means: Means, progress: Progress, job: Job, after: tuple[Job, ...]) -> None:
    version = _version(progress)
    own = {entry.name for entry in version.jobs}
    standing = progress.jobs.get(job)
    if standing is not None and standing.name in own and not standing.failed:
        return
    name = means.server.launch(version.id, job, [progress.jobs[needed].name for needed in after])
    now = means.clock.now()
    entry = ServerJob(name, job.value, "", done=False, failed=False, created_at=now)
    progress.jobs[job] = entry
    progress.ready[job] = now
    progress.version = replace(version, jobs=(*version.jobs, entry))
    means.emit(JobLaunched(change.set, job.value, name))


def _version(progress: Progress) -> ServerSet:
    if progress.version is None:
        raise AvatarGitOpsError("there is no version on the server to work with", hint="plan again")
    return progress.version


def _wait(change: Change, means: Means, progress: Progress, jobs: tuple[Job, ...]) -> None:
    missing = [job.value for job in jobs if job not in progress.jobs]
    if missing:
        raise AvatarGitOpsError(f"{', '.join(missing)} left the server meanwhile", hint="plan again")
    follower = Follower(change.set, means.server, means.clock, means.emit, means.stop, means.patience)
    ended = follower.follow({job: progress.jobs[job] for job in jobs}, progress.ready, progress.seconds)
    progress.jobs.update(ended)
    for job, entry in ended.items():
        if entry.failed:
            raise JobFailed(f"{job.value} failed: {entry.exception or 'internal error'}")


def _fetch(means: Means, progress: Progress, jobs: tuple[Job, ...]) -> None:
    version = replace(_version(progress), jobs=tuple(progress.jobs.values()))
    progress.result = means.server.results(version, {job: progress.jobs[job].name for job in jobs})


def _check_gates(change: Change, means: Means, progress: Progress, gates: Mapping[str, str]) -> None:
    progress.gates = tuple(evaluate(gates, _measured(change, progress)))
    for gate in progress.gates:
        means.emit(GateChecked(change.set, gate.metric, gate.condition, gate.value, gate.passed))
    failed = [f"{gate.metric} {gate.condition}" for gate in progress.gates if not gate.passed]
    if failed:
        _reject(change, means, progress)
        raise GatesFailed(f"not published, {len(failed)} of {len(progress.gates)} gates failed: {', '.join(failed)}")


def _check_policy(change: Change, means: Means, progress: Progress) -> None:
    """Ask the rules that look after a run; what they say comes before anything is published."""
    found = means.judge(_desired(change), _measured(change, progress), progress.gates)
    for finding in found:
        means.emit(verdict.event(change.set, finding))
    refused = verdict.refusal(found)
    if refused:
        _reject(change, means, progress)
        raise GatesFailed(refused)


def _measured(change: Change, progress: Progress) -> Metrics:
    """What the run measured; for a change that runs nothing, what was measured when it ran."""
    return progress.result.metrics if progress.result is not None else change.lock.metrics if change.lock else {}


def _reject(change: Change, means: Means, progress: Progress) -> None:
    if progress.result is not None:
        means.workspace.failed(_desired(change), progress.result, progress.gates)


def _publish(change: Change, means: Means, progress: Progress) -> None:
    desired = _desired(change)
    if progress.result is not None:
        lock = _lock(desired, progress, progress.result, means.plan.commit)
        lock = replace(lock, **_remembered(change))
        progress.lock = means.workspace.publish(desired, lock, progress.result)
        return
    assert change.lock is not None
    assert change.current is not None
    standing = standing_jobs(change, change.current)
    lock = replace(
        change.lock,
        set=desired.name,
        path=desired.path,
        **_remembered(change),
        digests=desired.digests,
        spec=desired.resolved,
        jobs={job.value: standing[job].name for job in wanted(desired.run) if job in standing},
        gates=progress.gates,
        commit=means.plan.commit,
    )
    means.workspace.update(desired, lock)
    progress.lock = lock


def _remembered(change: Change) -> dict[str, Any]:
    """What the marks on the server cannot say of a set that was renamed or adopted."""
    found = earlier(change.set, change.versions)
    return {"moved_from": change.moved_from, "earlier": found, "adopted": adopted(change.versions)}


def _lock(desired: DesiredSet, progress: Progress, result: RunResult, commit: str) -> Lock:
    return Lock(
        set=desired.name,
        path=desired.path,
        digests=desired.digests,
        spec=desired.resolved,
        inputs=desired.inputs,
        run=_version(progress).id,
        started=result.started,
        finished=result.finished,
        jobs=result.jobs,
        engine=result.engine,
        metrics=result.metrics,
        noise=result.noise,
        gates=progress.gates,
        commit=commit,
    )
