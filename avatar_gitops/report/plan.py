"""A plan as text for a terminal: weaker privacy first, then deletes, then the rest; and the two-line summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.plan.exposure import exposure_of
from avatar_gitops.plan.model import Action, Change, FieldChange, Plan, Privacy
from avatar_gitops.report import exposure
from avatar_gitops.report import plan_context as context
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.values import (
    Style,
    before_and_after,
    count,
    direction,
    field_name,
    plain,
    safe,
    short_digest,
    to_ascii,
)

__all__ = ["render", "summary"]

NAME_WIDTH: Final = 28
INDENT: Final = " " * 5


def render(plan: Plan, *, style: Style = plain, ascii_only: bool = False, ending: bool = True) -> str:
    """The whole plan; ends with what to do next unless `ending` is off. Contains spec values and names, never data."""
    lines = list(_nothing(plan) if not plan.effective else _lines(plan, style))
    if plan.effective and ending:
        lines += ["Nothing was changed.", "Next: avatar-gitops apply"]
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def summary(plan: Plan, *, style: Style = plain, ascii_only: bool = False) -> str:
    """The plan on two lines."""
    if not plan.effective:
        return words.no_changes(plan) + "\n"
    marks = []
    for change in plan.effective:
        mark = f"{change.action.symbol} {change.set}"
        marks.append(style(mark, change.action.value) + (" ▼" if change.privacy is Privacy.WEAKER else ""))
    text = f"{'     '.join(marks)}\n{_counts(plan)}.\n"
    return to_ascii(text) if ascii_only else text


def _nothing(plan: Plan) -> Iterator[str]:
    yield words.no_changes(plan)
    yield from _origin(plan)
    if plan.foreign:
        yield f"{_foreign(plan)}."
    yield from _section("Kept", [c for c in plan.changes if c.action is Action.KEEP], plan, plain)
    yield from _notes(plan)


def _lines(plan: Plan, style: Style) -> Iterator[str]:
    yield _head(plan)
    yield from _origin(plan)
    yield _inventory(plan)
    first = words.weaker(plan)
    deletes = [c for c in plan.effective if c.action is Action.DELETE and c not in first]
    rest = [c for c in plan.effective if c not in first and c not in deletes]
    yield from _section("Weaker privacy", first, plan, style)
    yield from _section("Deletes", deletes, plan, style)
    yield from _section("Other changes" if first or deletes else "Changes", rest, plan, style)
    yield from _section("Kept", [c for c in plan.changes if c.action is Action.KEEP], plan, style)
    yield from _notes(plan)
    yield ""
    yield f"Plan: {_counts(plan)}."
    if first:
        gets = f"{count(len(first), 'set')} {'gets' if len(first) == 1 else 'get'}"
        yield style(f"▼ {gets} weaker privacy.", "weaker")
    yield f"Digest {short_digest(plan.digest)}"


def _head(plan: Plan) -> str:
    commit = f"   commit {safe(plan.commit[:7])}" if plan.commit else ""
    left = context.credits_left(plan)
    return f"Project {safe(plan.project)}   server {safe(plan.server)}{commit}{left and '   ' + left}"


def _origin(plan: Plan) -> Iterator[str]:
    yield from filter(None, [context.offline(plan), *context.not_compared(plan)])


def _inventory(plan: Plan) -> str:
    in_git = sum(change.desired is not None for change in plan.changes)
    on_server = sum(bool(change.versions) for change in plan.changes)
    foreign = f", {_foreign(plan)}" if plan.foreign else ""
    left_out = f", {count(plan.left_out, 'set')} not selected" if plan.left_out else ""
    where = f"{on_server} of ours on the server" if plan.context.offline is None else count(on_server, "lock file")
    return f"{count(in_git, 'set')} in git, {where}{foreign}{left_out}"


def _foreign(plan: Plan) -> str:
    return f"{count(plan.foreign, 'set')} of someone else left alone"


def _counts(plan: Plan) -> str:
    counted = words.counts(plan)
    parts = [f"{counted[action]} to {action.value}" for action in words.ORDER if counted[action]]
    if counted[Action.UNCHANGED]:
        parts.append(f"{counted[Action.UNCHANGED]} unchanged")
    if counted[Action.KEEP]:
        parts.append(f"{counted[Action.KEEP]} kept")
    return ", ".join(parts)


def _section(title: str, changes: list[Change], plan: Plan, style: Style) -> Iterator[str]:
    if changes:
        yield ""
        yield style(title, "bold")
        name = max(NAME_WIDTH, *(len(change.set) for change in changes))
        phrase = max(len(_phrase(change)) for change in changes)
        for change in changes:
            mark = style(f"{change.action.symbol:^3} {change.set:<{name}}", change.action.value)
            yield f" {mark}   {_phrase(change):<{phrase}}   {words.effect(change)}".rstrip()
            yield from _change(change, plan, style)


def _notes(plan: Plan) -> Iterator[str]:
    found = words.notes(plan)
    if found:
        yield ""
        yield from found


def _phrase(change: Change) -> str:
    word = "kept" if change.action is Action.KEEP else change.action.value
    return f"{word}, {words.why(change)}"


def _change(change: Change, plan: Plan, style: Style) -> Iterator[str]:
    if change.fields or change.action is Action.DELETE:
        yield INDENT + style(_place(change, plan), "link")
    yield from _fields(change.fields, style)
    yield from _details(change)


def _place(change: Change, plan: Plan) -> str:
    if change.action is Action.DELETE and change.desired is None:
        removed = context.removed_in(change, plan)
        return (
            f"was {safe(change.path)}{removed and ', removed in ' + removed}"
            if change.path
            else "was never described in git"
        )
    file, line = change.place
    return f"{safe(file)}:{line}" if line else safe(file)


def _fields(fields: tuple[FieldChange, ...], style: Style) -> Iterator[str]:
    rows = [(field_name(field.path), " -> ".join(before_and_after(field)), field) for field in fields]
    left = max((len(name) for name, _, _ in rows), default=0)
    middle = max((len(values) for _, values, _ in rows), default=0)
    for name, values, field in rows:
        mark = style(direction(field), field.privacy.value)
        yield f"{INDENT}  {name:<{left}}   {values:<{middle}}   {mark}".rstrip()


def _details(change: Change) -> Iterator[str]:
    if change.action is Action.RELAUNCH:
        yield f"{INDENT}jobs    {words.job_list(change)}"
        reused = words.reused(change)
        if reused:
            yield f"{INDENT}reuse   {reused}"
        if change.lock is not None:
            yield f"{INDENT}keep    published results stay until the new ones pass their gates"
    exposed, time = exposure_of(change), context.time(change)
    if exposed is not None:
        first, *more = exposure.lines(exposed)
        yield f"{INDENT}release {first}"
        yield from (f"{INDENT}        {line}" for line in more)
    if time:
        yield f"{INDENT}time    {time}, from the last run"
    gone = words.deletion(change)
    if change.action is Action.DELETE:
        yield f"{INDENT}loses   {gone or 'only the lock file, nothing on the server'}"
        yield f"{INDENT}protect {'yes, allowed once' if change.protected else 'no'}"
    elif gone:
        yield f"{INDENT}tidy    {gone} deleted{'' if words.only_tidies(change) else ' at the end'}"
