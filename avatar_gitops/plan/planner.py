"""The planner: desired state, server state and locks to a plan. Pure, and the only place that decides what happens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from avatar_gitops.plan import diff, jobs, safety, steps, versions
from avatar_gitops.plan.claims import Claims, Locks, claims
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.digest import change_digest, plan_digest
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.match import Matched, match
from avatar_gitops.plan.model import Action, Change, Consequence, Plan, Privacy, Reason
from avatar_gitops.plan.notes import about, notes
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from avatar_gitops.plan.removal import expired, removed
from avatar_gitops.plan.safety import Options
from avatar_gitops.plan.select import chosen
from avatar_gitops.spec.fields import STAGE
from avatar_gitops.spec.models import Job

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
    wanted = {item.name: item for item in desired}
    claimed = claims(options.blocks, locks, wanted, observed.sets, project)
    found = match(observed.sets, project, claimed)
    states = _states(wanted, found, locks, claimed)
    planned = [_planned(states[name], options) for name in sorted(states)]
    changes = tuple(replace(change, digest=change_digest(change)) for change in planned if change is not None)
    selection = options.selection
    said = notes(changes, found.foreign, options.today)
    whole = Plan(project, observed.server, changes, len(found.foreign), commit, selection=selection, notes=said)
    part = restrict(whole, chosen(whole.changes, selection))
    if not options.look:
        safety.refuse_adoption(part.changes, observed, project, options)
        new = [change.desired for change in part.changes if change.desired and not change.versions and change.effective]
        safety.refuse_foreign(sorted(new, key=lambda item: item.name), found.foreign)
        safety.refuse_everything(desired, part.changes, options)
        safety.refuse_too_much(part, len(found.ours), options)
    return part


def restrict(whole: Plan, names: Collection[str]) -> Plan:
    """The part of a plan that concerns these sets, with its own digest."""
    kept = tuple(change for change in whole.changes if change.set in names)
    left_out = whole.left_out + len(whole.changes) - len(kept)
    return _ordered(replace(whole, changes=kept, left_out=left_out, notes=about(whole.notes, names)))


def _states(wanted: Mapping[str, DesiredSet], found: Matched, locks: Locks, claimed: Claims) -> dict[str, Change]:
    """Everything known about each set, as a change that does nothing yet; a set goes by the name that it has now."""
    left: dict[str, list[Lock]] = {}
    for name in sorted(locks):
        if claimed.name(name) != name:
            left.setdefault(claimed.name(name), []).append(locks[name])
    states = {}
    for name in {*wanted, *found.ours, *left, *(lock for lock in locks if claimed.name(lock) == lock)}:
        desired, owned, behind = wanted.get(name), found.ours.get(name, ()), left.get(name, [])
        lock = locks.get(name) or next(iter(behind), None)
        newest = next(iter(owned), None)
        marked = newest.annotations.get(Annotation.PATH, "") if newest else ""
        states[name] = Change(
            set=name,
            action=Action.UNCHANGED,
            reason=Reason.NOTHING_CHANGED,
            path=desired.path if desired else lock.path if lock else marked,
            fields=diff.against_lock(desired, lock) if desired else (),
            desired=desired,
            current=newest,
            versions=owned,
            lock=lock,
            protected=desired is not None and desired.run.spec.lifecycle.protect,
            previews=found.previews.get(name, ()),
            moved_from=_old_names(name, owned, (lock.set for lock in behind)),
            left=tuple(behind),
        )
    return states


def _old_names(name: str, owned: Iterable[ServerSet], others: Iterable[str]) -> tuple[str, ...]:
    """Names that versions of a set were made under, and others, without the one that it has now."""
    marked = (version.annotations.get(Annotation.SET, name) for version in owned)
    return tuple(sorted({*marked, *others} - {name}))


def _planned(state: Change, options: Options) -> Change | None:
    if state.desired is None:
        return removed(state, options)
    change = expired(state, options) or _renamed(_present(replace(state, current=None), state.desired))
    replaces = change.action is Action.RELAUNCH or (change.reason is Reason.PREVIEWED and change.lock is not None)
    if replaces and change.protected and change.set not in options.allow_relaunch:
        return replace(change, action=Action.KEEP, reason=Reason.PROTECTED, jobs=())
    return change


def _present(shell: Change, desired: DesiredSet) -> Change:
    candidate = _candidate(desired, shell.versions)
    promoted = None if candidate else _promoted(shell, desired)
    if promoted is not None:
        return promoted
    if not shell.versions:
        reason = Reason.MISSING if shell.lock else Reason.NEW
        return replace(shell, action=Action.LAUNCH, reason=reason, jobs=jobs.wanted(desired.run))
    return _relaunch(shell, desired) if candidate is None else _continue(shell, desired, candidate)


def _promoted(shell: Change, desired: DesiredSet) -> Change | None:
    """Publish a finished preview of exactly what is desired now instead of running the same again."""
    wanted, everything = jobs.wanted(desired.run), versions.newest_first((*shell.versions, *shell.previews))
    for preview in shell.previews:
        made_from = versions.digests(preview)
        equal = all(versions.serves(job, made_from, desired.digests) for job in wanted)
        if equal and versions.complete(versions.effective(preview, everything), wanted):
            chain = versions.chain(preview, everything)
            known = versions.newest_first({version.id: version for version in (*shell.versions, *chain)}.values())
            rest = tuple(other for other in shell.previews if other not in chain)
            names = _old_names(shell.set, known, shell.moved_from)
            found = replace(shell, current=preview, versions=known, previews=rest, moved_from=names)
            return replace(found, action=Action.COLLECT, reason=Reason.PREVIEWED)
    return None


def _renamed(change: Change) -> Change:
    """Where nothing has to run, what still goes by an old name gets the new one."""
    known = change.lock.moved_from if change.lock and not change.left else ()
    if not change.left and set(known).issuperset(change.moved_from):
        return change
    nothing_runs = change.action in {Action.UNCHANGED, Action.UPDATE} or (
        change.action is Action.COLLECT and not change.jobs and _whole(change) and change.reason is not Reason.PREVIEWED
    )
    return replace(change, action=Action.RENAME, reason=Reason.MOVED) if nothing_runs else change


def _whole(change: Change) -> bool:
    assert change.desired is not None and change.current is not None
    return versions.complete(versions.effective(change.current, change.versions), jobs.wanted(change.desired.run))


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
    if lock is None or lock.run != candidate.id:
        if candidate.adopted:
            return replace(shell, action=Action.ADOPT, reason=Reason.ADOPTED)
        return replace(shell, action=Action.COLLECT, reason=Reason.NOT_COLLECTED)
    if not versions.collected(lock.jobs, counting):
        return replace(shell, action=Action.COLLECT, reason=Reason.NOT_COLLECTED)
    if lock.digests.spec != desired.digests.spec or lock.path != desired.path:
        return replace(shell, action=Action.UPDATE, reason=Reason.METADATA_CHANGED)
    if steps.leftovers(shell, candidate):
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


def _ordered(whole: Plan) -> Plan:
    """Weaker first, then deletes, then the rest by name; the digest does not depend on any order."""

    def rank(change: Change) -> tuple[int, str]:
        if change.effective and change.privacy is Privacy.WEAKER:
            return 0, change.set
        return (1 if change.action is Action.DELETE else 2), change.set

    changes = tuple(sorted(whole.changes, key=rank))
    return replace(whole, changes=changes, digest=plan_digest(whole.project, whole.server, changes))
