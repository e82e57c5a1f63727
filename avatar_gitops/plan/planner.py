"""The planner: desired state, server state and locks to a plan. Pure, and the only place that decides what happens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from avatar_gitops.plan import diff, jobs, safety, versions
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.digest import change_digest, plan_digest
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.match import match
from avatar_gitops.plan.model import Action, Change, Consequence, Plan, Privacy, Reason
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from avatar_gitops.plan.safety import Options
from avatar_gitops.plan.select import chosen
from avatar_gitops.spec.fields import STAGE
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Prune

__all__ = ["Options", "plan", "restrict"]

_STAGES: Final = tuple(Consequence)


def plan(
    desired: Sequence[DesiredSet],
    observed: Observed,
    locks: Mapping[str, Lock],
    options: Options,
    project: str,
    commit: str = "",
) -> Plan:
    """What apply would do to each selected set. Raises `UnsafePlan` where only a person may decide, unless
    `options.look`; sets that are not selected are neither changed nor a reason to refuse."""
    found = match(observed.sets, project)
    wanted = {item.name: item for item in desired}
    changes = []
    for name in sorted({*wanted, *found.ours, *locks}):
        state = _State(wanted.get(name), found.ours.get(name, ()), locks.get(name))
        change = _removed(name, state, options) if state.desired is None else _present(state, options)
        if change is not None:
            changes.append(replace(change, digest=change_digest(change)))
    selection = options.selection
    whole = Plan(project, observed.server, tuple(changes), len(found.foreign), commit, selection=selection)
    part = restrict(whole, chosen(whole.changes, selection))
    if not options.look:
        new = [change.desired for change in part.changes if change.desired and not change.versions]
        safety.refuse_foreign(sorted(new, key=lambda item: item.name), found.foreign)
        safety.refuse_everything(desired, part.changes, options)
        safety.refuse_too_much(part.changes, len(found.ours), options)
    return part


def restrict(whole: Plan, names: Collection[str]) -> Plan:
    """The part of a plan that concerns these sets, with its own digest."""
    kept = tuple(change for change in whole.changes if change.set in names)
    left_out = whole.left_out + len(whole.changes) - len(kept)
    return _ordered(replace(whole, changes=kept, left_out=left_out))


@dataclass(frozen=True, slots=True)
class _State:
    """Everything known about one set; `versions` newest first."""

    desired: DesiredSet | None
    versions: tuple[ServerSet, ...]
    lock: Lock | None


def _present(state: _State, options: Options) -> Change:
    desired = state.desired
    assert desired is not None
    shell = Change(
        set=desired.name,
        action=Action.UNCHANGED,
        reason=Reason.NOTHING_CHANGED,
        path=desired.path,
        fields=diff.against_lock(desired, state.lock),
        desired=desired,
        versions=state.versions,
        lock=state.lock,
        protected=desired.run.spec.lifecycle.protect,
    )
    if not state.versions:
        reason = Reason.MISSING if state.lock else Reason.NEW
        return replace(shell, action=Action.LAUNCH, reason=reason, jobs=jobs.wanted(desired.run))
    candidate = _candidate(desired, state.versions)
    change = _relaunch(shell, desired) if candidate is None else _continue(shell, desired, candidate)
    if change.action is Action.RELAUNCH and change.protected and change.set not in options.allow_relaunch:
        return replace(change, action=Action.KEEP, reason=Reason.PROTECTED, jobs=())
    return change


def _candidate(desired: DesiredSet, owned: Iterable[ServerSet]) -> ServerSet | None:
    """The newest version that was made from what is desired now, as far as the jobs of the run can tell."""
    wanted = jobs.wanted(desired.run)
    for version in owned:
        made_from = versions.digests(version)
        if all(versions.serves(job, made_from, desired.digests) for job in wanted):
            return version
    return None


def _continue(shell: Change, desired: DesiredSet, candidate: ServerSet) -> Change:
    """A version of the desired content exists: is it whole, is it the published one, is anything left to tidy up?"""
    shell = replace(shell, current=candidate)
    wanted = jobs.wanted(desired.run)
    counting = versions.effective(candidate, shell.versions)
    failed = [job for job in wanted if job in counting and versions.failed(counting[job])]
    missing = [job for job in wanted if job not in counting]
    outdated = [job for job in jobs.with_dependents(missing, wanted) if job in counting]
    added = not versions.documented(candidate).issuperset(missing)
    if failed or outdated or added:
        reason = Reason.LAST_RUN_FAILED if failed else Reason.SPEC_CHANGED if added else Reason.UNFINISHED
        return replace(_again(shell, candidate, (*failed, *outdated)), action=Action.RELAUNCH, reason=reason)
    if not versions.complete(counting, wanted):
        return replace(shell, action=Action.COLLECT, reason=Reason.UNFINISHED, jobs=tuple(missing))
    lock = shell.lock
    if lock is None or lock.run != candidate.id or not versions.collected(lock.jobs, counting):
        return replace(shell, action=Action.COLLECT, reason=Reason.NOT_COLLECTED)
    if lock.digests.spec != desired.digests.spec:
        return replace(shell, action=Action.UPDATE, reason=Reason.METADATA_CHANGED)
    if versions.superfluous(candidate, shell.versions, wanted, desired.run.spec.lifecycle.keep_versions):
        return replace(shell, action=Action.COLLECT, reason=Reason.UNFINISHED)
    return shell


def _relaunch(shell: Change, desired: DesiredSet) -> Change:
    """No version of the desired content exists: run what depends on what changed since the reference version."""
    reference = _reference(shell, jobs.wanted(desired.run))
    if reference is None:
        everything = jobs.wanted(desired.run)
        return replace(shell, action=Action.RELAUNCH, reason=Reason.SPEC_CHANGED, jobs=everything)
    old, new = versions.digests(reference), desired.digests
    from_stage = _STAGES.index(versions.first_difference(old, new))
    changed = [job for job in jobs.wanted(desired.run) if _STAGES.index(STAGE[job]) >= from_stage]
    content = (old.standard, old.metrics, old.reports) == (new.standard, new.metrics, new.reports)
    reason = Reason.INPUT_CHANGED if content else Reason.SPEC_CHANGED
    return replace(_again(shell, reference, changed), action=Action.RELAUNCH, reason=reason)


def _reference(shell: Change, wanted: Iterable[Job]) -> ServerSet | None:
    """The published version if it is still there, else the newest of which nothing failed and nothing is open."""
    published = shell.lock.run if shell.lock else None
    for version in shell.versions:
        if version.id == published:
            return version
    for version in shell.versions:
        counting = versions.effective(version, shell.versions)
        present = [job for job in wanted if job in counting]
        if present and versions.complete(counting, present):
            return version
    return None


def _again(shell: Change, reference: ServerSet, again: Iterable[Job]) -> Change:
    """Jobs to run again, with all that depends on them, and the version whose other jobs stay in use."""
    assert shell.desired is not None
    wanted = jobs.wanted(shell.desired.run)
    counting = versions.effective(reference, shell.versions)
    usable = {job for job, entry in counting.items() if not versions.failed(entry)}
    if Job.STANDARD in usable and not versions.finished(counting[Job.STANDARD]):
        usable.discard(Job.STANDARD)
    run = jobs.with_dependents({*again, *(job for job in wanted if job not in usable)}, wanted)
    kept = [counting[job] for job in wanted if job not in run]
    return replace(shell, jobs=run, current=reference, base=versions.contributor(kept, reference, shell.versions))


def _removed(name: str, state: _State, options: Options) -> Change | None:
    """A set of ours without a spec; a lock that has outlived its set goes with the next pruning apply."""
    lock, newest = state.lock, next(iter(state.versions), None)
    if newest is None and options.prune is Prune.NEVER:
        return None
    path = lock.path if lock else newest.annotations.get(Annotation.PATH, "") if newest else ""
    shell = Change(
        set=name,
        action=Action.DELETE,
        reason=Reason.REMOVED_FROM_GIT,
        path=path,
        current=newest,
        versions=state.versions,
        lock=lock,
        protected=_was_protected(newest, lock),
    )
    if options.prune is Prune.NEVER:
        return replace(shell, action=Action.KEEP, reason=Reason.PRUNE_NEVER)
    if shell.protected and name not in options.allow_delete:
        return replace(shell, action=Action.KEEP, reason=Reason.PROTECTED)
    return shell


def _was_protected(newest: ServerSet | None, lock: Lock | None) -> bool:
    """Protected on the server or, because protection can change without a launch, in the lock."""
    if newest is None:
        return False
    marked = newest.annotations.get(Annotation.PROTECT) == "true"
    return marked or bool(lock and lock.spec.get("spec", {}).get("lifecycle", {}).get("protect"))


def _ordered(whole: Plan) -> Plan:
    """Weaker first, then deletes, then the rest by name; the digest does not depend on any order."""

    def rank(change: Change) -> tuple[int, str]:
        if change.effective and change.privacy is Privacy.WEAKER:
            return 0, change.set
        return (1 if change.action is Action.DELETE else 2), change.set

    changes = tuple(sorted(whole.changes, key=rank))
    return replace(whole, changes=changes, digest=plan_digest(whole.project, whole.server, changes))
