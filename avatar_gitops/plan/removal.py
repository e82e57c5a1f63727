"""Sets that go: specs that left git, results whose time is over; and what keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, Reason
from avatar_gitops.plan.observed import Annotation, ServerSet
from avatar_gitops.plan.safety import Options
from avatar_gitops.spec.days import day
from avatar_gitops.spec.project import Prune


def last_day(change: Change) -> date | None:
    """The last day on which the results may exist, from the spec, else from what was published last."""
    if change.desired is not None:
        return day(change.desired.run.spec.lifecycle.delete_after)
    return day(_published(change.lock).get("delete_after")) if change.lock else None


def expired(change: Change, options: Options) -> Change | None:
    """The end of a set whose last day is over; None when it is not."""
    last = last_day(change)
    if last is None or options.today <= last:
        return None
    ended = replace(change, action=Action.DELETE, reason=Reason.RETENTION_DUE, due=last.isoformat(), fields=())
    if not (ended.versions or ended.lock or ended.left):
        return replace(ended, action=Action.KEEP)
    return _guarded(ended, options)


def removed(change: Change, options: Options) -> Change | None:
    """What becomes of a set of ours without a spec; a lock that has outlived its set goes with the next deletion."""
    said = options.blocks.removal(change.set)
    shell = replace(
        change,
        action=Action.DELETE,
        reason=Reason.REMOVED_FROM_GIT,
        protected=_was_protected(change.current, change.lock),
        remark=(said.reason or "") if said else "",
    )
    over = expired(shell, options)
    if over is not None:
        return over
    kept = said.keep_results if said else options.prune is Prune.NEVER
    if kept and change.current is None:
        return None
    if kept:
        return replace(shell, action=Action.KEEP, reason=Reason.KEPT_ON_REMOVAL if said else Reason.PRUNE_NEVER)
    return _guarded(shell, options)


def _guarded(change: Change, options: Options) -> Change:
    """Protection keeps whatever nobody named."""
    if change.protected and change.set not in options.allow_delete:
        return replace(change, action=Action.KEEP, reason=Reason.PROTECTED)
    return change


def _published(lock: Lock) -> dict[str, str]:
    found = lock.spec.get("spec", {}).get("lifecycle", {})
    return dict(found) if isinstance(found, dict) else {}


def _was_protected(newest: ServerSet | None, lock: Lock | None) -> bool:
    """Protected on the server or, because protection can change without a launch, in the lock."""
    if newest is None:
        return False
    return newest.annotations.get(Annotation.PROTECT) == "true" or bool(lock and _published(lock).get("protect"))
