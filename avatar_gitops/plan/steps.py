"""Steps of a change: the one list that `plan --explain` prints and that the executor carries out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, assert_never

from avatar_gitops.plan import versions
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.jobs import prerequisites, wanted
from avatar_gitops.plan.model import Action, Change
from avatar_gitops.plan.observed import ServerJob, ServerSet
from avatar_gitops.spec.models import Job

_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CheckInput:
    """Compare the data files with the digests that the plan was made from."""

    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """Send the data files to the server's object storage."""

    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateSet:
    """Create a new version of the set with its documents and owner annotations; found again if it already exists."""

    base_set: str | None


@dataclass(frozen=True, slots=True)
class LaunchJob:
    """Launch one job after others; a job that this version already has is not launched again."""

    job: Job
    after: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Poll until all jobs of the version are done."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download avatars, metrics and reports; never the results that link an avatar to a person."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class CheckGates:
    """Compare the metrics with the gates; the change stops here when one fails."""

    gates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Write artifacts and lock file; from here on the new version is the published one."""


@dataclass(frozen=True, slots=True)
class DeleteJobs:
    """Delete jobs of older versions (or of a set that left git) from the server; `versions` counts whose they are."""

    jobs: tuple[str, ...]
    versions: int


@dataclass(frozen=True, slots=True)
class RemoveLock:
    """Leave a receipt in the place of a deleted set's artifacts, then remove its lock file."""


@dataclass(frozen=True, slots=True)
class MoveResults:
    """Move the artifacts of a set to its new name."""

    former: str


@dataclass(frozen=True, slots=True)
class RemoveFormer:
    """Remove the lock file and the artifacts that stand under a name which the set had; `path` is that of its spec."""

    former: str
    path: str


Step = (
    CheckInput
    | Upload
    | CreateSet
    | LaunchJob
    | Wait
    | Fetch
    | CheckGates
    | Publish
    | DeleteJobs
    | RemoveLock
    | MoveResults
    | RemoveFormer
)


def steps(change: Change) -> tuple[Step, ...]:
    """What apply does for one change, in order; nothing for a set that stays as it is."""
    match change.action:
        case Action.UNCHANGED | Action.KEEP:
            return ()
        case Action.DELETE:
            everything = [job for version in (*change.versions, *change.previews) for job in version.jobs]
            return (*_delete(everything, change), RemoveLock(), *_let_go(change))
        case Action.LAUNCH | Action.RELAUNCH:
            return tuple(_launch(change, _desired(change)))
        case Action.COLLECT | Action.ADOPT | Action.RENAME:
            return tuple(_collect(change, _desired(change)))
        case Action.UPDATE:
            return (*_publish(change, _desired(change)), *_clean(change, change.current))
        case _:
            assert_never(change.action)


def _desired(change: Change) -> DesiredSet:
    assert change.desired is not None
    return change.desired


def _launch(change: Change, desired: DesiredSet) -> Iterator[Step]:
    yield from _send(desired)
    yield CreateSet(change.base.id if change.base else None)
    yield from _jobs(change.jobs, desired)
    yield Wait(wanted(desired.run))
    yield Fetch(wanted(desired.run))
    yield from _publish(change, desired)
    yield from _clean(change, _upcoming(change, desired))


def _collect(change: Change, desired: DesiredSet) -> Iterator[Step]:
    assert change.current is not None
    needed = wanted(desired.run)
    counting = versions.effective(change.current, change.versions)
    whole = versions.complete(counting, needed)
    published = (
        change.lock is not None
        and change.lock.run == change.current.id
        and versions.collected(change.lock.jobs, counting)
    )
    if change.jobs:
        yield from _send(desired)
        yield from _jobs(change.jobs, desired)
    if not whole:
        yield Wait(needed)
    if not (whole and published):
        yield Fetch(needed)
        yield from _publish(change, desired)
    elif change.action is Action.RENAME:
        yield from _publish(change, desired)
    yield from _clean(change, change.current)


def _send(desired: DesiredSet) -> Iterator[Step]:
    tables = tuple(item.table for item in desired.inputs)
    yield CheckInput(tables)
    yield Upload(tables)


def _jobs(jobs: tuple[Job, ...], desired: DesiredSet) -> Iterator[Step]:
    for job in jobs:
        yield LaunchJob(job, prerequisites(job, wanted(desired.run)))


def _publish(change: Change, desired: DesiredSet) -> Iterator[Step]:
    if desired.run.spec.gates:
        yield CheckGates(tuple(sorted(desired.run.spec.gates.items())))
    if change.action is Action.RENAME:
        yield from (MoveResults(lock.set) for lock in change.left[:1])
    yield Publish()
    yield from _let_go(change)


def _let_go(change: Change) -> Iterator[Step]:
    """Nothing stays under a name that the set had."""
    yield from (RemoveFormer(lock.set, lock.path) for lock in change.left)


def _clean(change: Change, head: ServerSet | None) -> Iterator[Step]:
    """Delete what nobody needs once `head` is published."""
    assert head is not None
    yield from _delete(leftovers(change, head), change)


def leftovers(change: Change, head: ServerSet) -> tuple[ServerJob, ...]:
    """Jobs that nobody needs once `head` is published: of older versions, and of previews made before it.

    An adopted version keeps jobs that the spec does not ask for as long as it is the published one: others made them.
    """
    desired = _desired(change)
    found = {version.id: version for version in (*change.previews, *change.versions, head)}
    everything = versions.newest_first(found.values())
    used = {version.id for version in versions.chain(head, everything)}
    known = [version for version in everything if not version.preview or version.id in used]
    outdated = [v for v in everything if v.preview and v.id not in used and v.created_at < head.created_at]
    idle = versions.superfluous(head, known, wanted(desired.run), desired.run.spec.lifecycle.keep_versions)
    kept = {job.name for job in head.jobs} if head.adopted else set[str]()
    return tuple(job for job in (*idle, *(job for v in outdated for job in v.jobs)) if job.name not in kept)


def _delete(jobs: Sequence[ServerJob], change: Change) -> tuple[DeleteJobs, ...]:
    names = {job.name for job in jobs}
    owned = (*change.versions, *change.previews)
    touched = sum(not names.isdisjoint(job.name for job in version.jobs) for version in owned)
    return (DeleteJobs(tuple(job.name for job in jobs), touched),) if jobs else ()


def _upcoming(change: Change, desired: DesiredSet) -> ServerSet:
    """The version that a launch will make, as it will be when all its jobs have finished."""
    done = tuple(
        ServerJob(f"upcoming {job.value}", job.value, "finished", done=True, failed=False, created_at=_END_OF_TIME)
        for job in change.jobs
    )
    carried = marks(desired, "", "", "", change.base.id if change.base else None)
    return ServerSet("upcoming", desired.name, _END_OF_TIME, done, carried)
