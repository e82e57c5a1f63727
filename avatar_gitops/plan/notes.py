"""What a reader of a plan should know beyond its changes; nothing here changes what apply does."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from avatar_gitops.plan import versions
from avatar_gitops.plan.desired import Digests
from avatar_gitops.plan.model import Action, Change, Note, NoteKind, Reason
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.plan.removal import last_day

SOON: Final = 30


def notes(changes: Sequence[Change], foreign: Mapping[str, Sequence[ServerSet]], today: date) -> tuple[Note, ...]:
    """All notes about some changes."""
    return (*_renames(changes, today), *_ambiguous(changes, foreign), *_retention(changes, today))


def about(found: Iterable[Note], names: Collection[str]) -> tuple[Note, ...]:
    """The notes that concern these sets."""
    return tuple(note for note in found if note.set in names)


def _renames(changes: Sequence[Change], today: date) -> Iterator[Note]:
    """A new set with exactly the content of one that left git is probably the same one."""
    gone = {change.set: _content(_last_made_from(change)) for change in changes if _left_git(change)}
    for change in changes:
        if change.action is not Action.LAUNCH or change.reason is not Reason.NEW or change.desired is None:
            continue
        content = _content(change.desired.digests)
        old = next((name for name in sorted(gone) if gone[name] == content), None)
        if old is not None:
            del gone[old]
            block = f"moved: [{{from: {old}, to: {change.set}, date: {today.isoformat()}}}]"
            text = f"has the content of {old}, which left git; if this is a rename, say so in avatar-gitops.yaml"
            yield Note(NoteKind.RENAME, change.set, text, block)


def _left_git(change: Change) -> bool:
    return change.desired is None and bool(change.versions) and change.reason is not Reason.KEPT_ON_REMOVAL


def _last_made_from(change: Change) -> Digests | None:
    if change.lock is not None:
        return change.lock.digests
    return versions.digests(change.versions[0])


def _content(digests: Digests | None) -> tuple[str, ...]:
    return (digests.input, digests.standard, digests.metrics, digests.reports) if digests else ()


def _ambiguous(changes: Sequence[Change], foreign: Mapping[str, Sequence[ServerSet]]) -> Iterator[Note]:
    for change in changes:
        others = foreign.get(change.set, ()) if change.versions else ()
        if others:
            owners = ", ".join(sorted({version.project or "nobody" for version in others}))
            text = f"is also the name of a set that is not ours (owner: {owners}); that one is left alone"
            yield Note(NoteKind.AMBIGUOUS, change.set, text)


def _retention(changes: Sequence[Change], today: date) -> Iterator[Note]:
    for change in changes:
        last = last_day(change)
        days = (last - today).days if last else -1
        if last is None or not 0 <= days <= SOON or change.action is Action.DELETE:
            continue
        when = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
        yield Note(NoteKind.RETENTION, change.set, f"reaches the end of its retention {when}, on {last.isoformat()}")
