"""A reviewed plan beside the plan of now: what moved and why, what is still the same, how to go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from avatar_gitops.plan.model import Action, Change, Plan
from avatar_gitops.plan.reviewed import Moved, Reviewed
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.values import count, field_name, safe, short_digest

MOST_FIELDS: Final = 3
LABEL: Final = 10
INDENT: Final = "   "


def message(first: str, reviewed: Reviewed, now: Plan, moved: Sequence[Moved], equal: Sequence[str]) -> str:
    """Why a reviewed plan is not applied: `first`, then both digests, the sets that moved and those that did not."""
    rows = [
        ("approved", _made(reviewed.digest, reviewed.commit)),
        ("now", _made(now.digest, now.commit)),
        *_elsewhere(reviewed, now),
        *_block("moved", list(left(moved, now))),
        ("equal", ", ".join(map(safe, equal)) or "none"),
    ]
    return "\n".join([first, *(f"{INDENT}{label:<{LABEL}}{text}" for label, text in rows)])


def left(moved: Sequence[Moved], now: Plan) -> Iterator[str]:
    """One line for each set that moved: what was to happen, what would happen now, and why."""
    current = {change.set: change for change in now.changes}
    width = max((len(item.set) for item in moved), default=0)
    for item in moved:
        was = item.reviewed.value if item.reviewed else "nothing to do"
        then = item.now.value if item.now else "nothing to do"
        yield f"{safe(item.set):<{width}}   {was} -> {then}   ({_why(item, current.get(item.set), now)})"


def hint(file: str, equal: Sequence[str]) -> str:
    """The next step."""
    look = "read the new plan: avatar-gitops plan"
    if not equal or not file:
        return look
    verb = "is" if len(equal) == 1 else "are"
    return f"avatar-gitops apply {file} --yes --only-equal applies the {len(equal)} that {verb} equal; or {look}"


def rest(moved: Sequence[Moved], now: Plan) -> str:
    """What --only-equal leaves alone, for people; empty when it leaves nothing."""
    lines = [f"  {line}" for line in left(moved, now)]
    return "\n".join([f"Left alone, not as reviewed: {count(len(lines), 'set')}", *lines]) if lines else ""


def _made(digest: str, commit: str) -> str:
    of_commit = f"   commit {safe(commit[:7])}" if commit else ""
    return f"{safe(short_digest(digest))}{of_commit}"


def _elsewhere(reviewed: Reviewed, now: Plan) -> Iterator[tuple[str, str]]:
    if reviewed.project != now.project:
        yield "project", f"{safe(reviewed.project)} -> {safe(now.project)}"
    if reviewed.server != now.server:
        yield "server", f"{safe(reviewed.server)} -> {safe(now.server)}"


def _block(label: str, lines: list[str]) -> Iterator[tuple[str, str]]:
    yield from zip([label, *[""] * len(lines)], lines, strict=False)


def _why(item: Moved, change: Change | None, now: Plan) -> str:
    if change is None:
        asked = now.selection.select or now.selection.exclude
        return "not selected now" if now.left_out and asked else "no longer in git, nor on the server"
    if item.reviewed is None:
        return f"not in the reviewed plan: {words.why(change)}"
    if change.action is Action.UNCHANGED:
        return "done already"
    if item.fields:
        names = ", ".join(field_name(path) for path in item.fields[:MOST_FIELDS])
        more = f" and {len(item.fields) - MOST_FIELDS} more" if len(item.fields) > MOST_FIELDS else ""
        return f"differs in {names}{more}"
    if item.reviewed is item.now:
        return "the spec or the data are other ones"
    return words.why(change)
