"""Runs made to be measured and thrown away: one spec with several seeds on a server, metrics by seed.

Trials go through the API like every run. They carry the mark of a preview, so that no plan takes them for versions of
the set, their avatars are never fetched, and their jobs are deleted as soon as they are measured.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from avatar_gitops import __version__
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.servers import embedded
from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.errors import AvatarGitOpsError, Locked, RemoteUnavailable
from avatar_gitops.events import Event
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet, desire
from avatar_gitops.plan.jobs import prerequisites, wanted
from avatar_gitops.plan.lock import Metrics
from avatar_gitops.plan.observed import Annotation, ServerJob, ServerSet
from avatar_gitops.ports import Clock, RunWriter
from avatar_gitops.reconcile.following import Follower
from avatar_gitops.reconcile.waiting import Patience, Stopped
from avatar_gitops.spec.models import Job

PREVIEW_STATE: Final = ".avatar/preview"
MEASURING: Final = (Job.STANDARD, Job.PRIVACY_METRICS, Job.SIGNAL_METRICS)
OWN: Final = "avatar-gitops "
TRIAL: Final = OWN + "trial"
KEPT: Final = OWN + "trial, kept"
DIGESTS: Final = frozenset(
    {Annotation.SPEC_DIGEST, Annotation.STANDARD_DIGEST, Annotation.METRICS_DIGEST, Annotation.REPORTS_DIGEST}
)
"""Marks that would let a plan take a trial for a finished preview."""
PATIENCE: Final = Patience(least=0.05, most=2.0)
MOST_WORKERS: Final = 8

Key = tuple[str, str]
"""What a trial is for: the name of a set, and which side of a comparison."""


class TrialFailed(AvatarGitOpsError):
    """A job of a trial ended badly; the text is what the server says about it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One spec to run with one seed."""

    key: Key
    seed: int
    desired: DesiredSet


@dataclass(slots=True)
class Measured:
    """What the trials of one key gave: metrics by seed, or why there are none."""

    runs: dict[int, Metrics] = field(default_factory=dict)
    engine: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where trials run. `keep` leaves their jobs on the server; `tell` hears of every trial that ended."""

    server: RunWriter
    clock: Clock
    project: str
    commit: str = ""
    keep: bool = False
    parallelism: int = 4
    tell: Callable[[Trial, int, int], None] = lambda trial, number, total: None
    stop: threading.Event = field(default_factory=threading.Event)


def trial(key: Key, desired: DesiredSet, seed: int) -> Trial:
    """The trial of a spec with another seed."""
    spec = desired.run.spec.model_copy(update={"seed": seed})
    run = desired.run.model_copy(update={"spec": spec})
    return Trial(key, seed, desire(run, desired.path, desired.inputs, desired.lines))


def measuring(desired: DesiredSet) -> tuple[Job, ...]:
    """The jobs of a run that a trial needs; empty when the spec asks for no metrics."""
    jobs = tuple(job for job in wanted(desired.run) if job in MEASURING)
    return jobs if set(jobs) - {Job.STANDARD} else ()


def measure(trials: Sequence[Trial], bench: Bench) -> Mapping[Key, Measured]:
    """Run trials, some at a time; a trial that fails ends the others of its key.

    Raises RemoteUnavailable when the server gives no answer, and KeyboardInterrupt after the jobs were deleted.
    """
    found = {item.key: Measured() for item in trials}
    pool = ThreadPoolExecutor(bench.parallelism, thread_name_prefix="trial")
    try:
        waiting = {pool.submit(_measure, item, found[item.key], bench): item for item in trials}
        for number, done in enumerate(as_completed(waiting), start=1):
            _take(done, waiting[done], found)
            bench.tell(waiting[done], number, len(trials))
    except BaseException:
        bench.stop.set()
        raise
    finally:
        # Each thread deletes the jobs of its own trial before it ends.
        pool.shutdown(wait=True, cancel_futures=True)
    return found


def _take(done: Future[tuple[Metrics, str]], item: Trial, found: Mapping[Key, Measured]) -> None:
    measured = found[item.key]
    try:
        measured.runs[item.seed], measured.engine = done.result()
    except (RemoteUnavailable, Stopped):
        raise
    except AvatarGitOpsError as error:
        measured.error = measured.error or (f"{error.message}; {error.hint}" if error.hint else error.message)


def _measure(item: Trial, so_far: Measured, bench: Bench) -> tuple[Metrics, str]:
    if so_far.error:
        raise TrialFailed(so_far.error)
    jobs = measuring(item.desired)
    started: dict[Job, ServerJob] = {}
    try:
        version = launch(item.desired, jobs, KEPT if bench.keep else TRIAL, bench, started)
        ended = follow(item.desired.name, started, bench)
        result = bench.server.results(version, {job: ended[job].name for job in jobs if job is not Job.STANDARD})
        return result.metrics, result.engine
    finally:
        if not bench.keep and started:
            bench.server.delete([job.name for job in started.values()])


def launch(
    desired: DesiredSet, jobs: Sequence[Job], text: str, bench: Bench, started: dict[Job, ServerJob]
) -> ServerSet:
    """Create a version with the mark of a preview and launch jobs; `started` takes each as soon as it exists."""
    if bench.stop.is_set():
        raise Stopped
    bench.server.upload(desired)
    annotations = {**marks(desired, bench.project, bench.commit, __version__), Annotation.PREVIEW.value: text}
    if text in {TRIAL, KEPT}:
        annotations = {name: value for name, value in annotations.items() if name not in DIGESTS}
    set_id = bench.server.create(desired, annotations)
    for job in jobs:
        after = [started[needed].name for needed in prerequisites(job, jobs)]
        name = bench.server.launch(set_id, job, after)
        started[job] = ServerJob(name, job.value, "", done=False, failed=False, created_at=bench.clock.now())
    return ServerSet(set_id, desired.name, bench.clock.now(), tuple(started.values()), annotations)


def follow(name: str, started: Mapping[Job, ServerJob], bench: Bench) -> Mapping[Job, ServerJob]:
    """Wait for jobs. Raises TrialFailed with what the server says, Stopped on Ctrl-C."""
    follower = Follower(name, bench.server, bench.clock, _nobody, bench.stop, PATIENCE)
    ended = follower.follow(started, {}, {})
    for job, entry in ended.items():
        if entry.failed:
            raise TrialFailed(f"{job.value} failed: {entry.exception or 'internal error'}")
    return ended


def _nobody(event: Event) -> None:
    """A listener of nothing."""


@contextmanager
def preview_platform(root: Path, project: str) -> Iterator[Gateway]:
    """The embedded platform that previews of a project run on, in a state folder of its own; for one user at a time.

    What a preview that was killed could not delete is deleted first; at the end the folder goes, with the copies of the
    data in it, unless runs were kept. Raises Locked.
    """
    state = root / PREVIEW_STATE
    workers = max(2, min(MOST_WORKERS, os.cpu_count() or 2))
    with _alone(state):
        used = True
        try:
            with embedded(state, "a preview", workers=workers) as (base_url, api_key):
                gateway = connect(base_url, api_key, root=root, clock=SystemClock())
                with closing(gateway):
                    _delete_leftovers(gateway, project)
                    try:
                        yield gateway
                    finally:
                        used = bool(gateway.observe(project).sets)
        finally:
            if not used:
                shutil.rmtree(state, ignore_errors=True)


def _delete_leftovers(gateway: Gateway, project: str) -> None:
    left = [version for version in gateway.observe(project).sets if _is_leftover(version, project)]
    gateway.delete([job.name for version in left for job in version.jobs])


def _is_leftover(version: ServerSet, project: str) -> bool:
    return version.project == project and version.annotations.get(Annotation.PREVIEW) == TRIAL


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    lock = FileLock(state.with_suffix(".lock"))
    state.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Locked(
            "another preview of this project is running",
            hint="wait for it to end; the lock goes away with its process",
            code="R008",
        ) from None
    try:
        yield
    finally:
        lock.release()
