"""Cross-checks of the blocks `moved`, `removed` and `adopted` with the specs, and of days that results have to go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.checks import written_name
from avatar_gitops.spec.days import day
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.project import Moved, Project, Removed
from avatar_gitops.spec.wording import near


def check_blocks(parsed: Parsed[Project], runs: Sequence[Parsed[AvatarRun]]) -> list[Diagnostic]:
    """Findings about sets that moved, went or came; `runs` are all of the project, those with errors too.

    What a set must have a spec for is only said when every spec says its name.
    """
    if parsed.value is None:
        return []
    names = {name for run in runs if (name := written_name(run)) is not None}
    complete = all(written_name(run) is not None for run in runs)
    spec = parsed.value.spec
    found = [*_moved(parsed, spec.moved, names, complete), *_removed(parsed, names), *_days(parsed)]
    return [*found, *_adopted(parsed, names, complete)]


def check_retention(parsed: Parsed[AvatarRun], today: date) -> list[Diagnostic]:
    """Findings about the day after which the results of a run have to go."""
    text = parsed.value.spec.lifecycle.delete_after if parsed.value else None
    if text is None:
        return []
    path: Path = ("spec", "lifecycle", "delete_after")
    last = day(text)
    if last is None:
        return [_no_day(parsed, path)]
    if last >= today:
        return []
    return [
        Diagnostic(
            code="X076",
            severity=Severity.WARNING,
            message="the day of deletion is over",
            span=parsed.locate(path),
            path=path,
            why="nothing is run for this spec, and the next apply deletes what was published",
            fix="choose a later day, or remove the spec once its results are gone",
        )
    ]


def _moved(
    parsed: Parsed[Project], entries: Sequence[Moved], names: Collection[str], complete: bool
) -> Iterator[Diagnostic]:
    sources, targets = Counter(entry.from_ for entry in entries), Counter(entry.to for entry in entries)
    moves = {entry.from_: entry.to for entry in entries}
    gone = {entry.set for entry in parsed.value.spec.removed} if parsed.value else set[str]()
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        old: Path = ("spec", "moved", index, "from")
        new: Path = ("spec", "moved", index, "to")
        if entry.from_ in names:
            yield Diagnostic(
                code="X070",
                message=f"`{entry.from_}` moved but still has a spec",
                span=parsed.locate(old),
                path=old,
                why="what ran under the name would belong to two sets",
                fix="remove this entry, or give the spec its new name",
            )
        for path, name, used in ((old, entry.from_, sources), (new, entry.to, targets)):
            if used[name] > 1 and (key := f"{path[-1]} {name}") not in seen:
                seen.add(key)
                yield Diagnostic(
                    code="X071",
                    message=f"`{name}` is moved {path[-1]} more than once",
                    span=parsed.locate(path),
                    path=path,
                    why="a rename leads from one set to one other",
                    fix="keep one of the entries",
                )
        if _in_circle(entry.from_, moves):
            yield Diagnostic(
                code="X072",
                message=f"`{entry.from_}` moves in a circle",
                span=parsed.locate(old),
                path=old,
                fix="remove the entry that leads back",
            )
        elif complete and entry.to not in {*names, *moves, *gone}:
            yield _no_spec(parsed, new, "X072", entry.to, names)


def _in_circle(name: str, moves: dict[str, str]) -> bool:
    seen = {name}
    while name in moves:
        name = moves[name]
        if name in seen:
            return True
        seen.add(name)
    return False


def _removed(parsed: Parsed[Project], names: Collection[str]) -> Iterator[Diagnostic]:
    assert parsed.value is not None
    for index, entry in enumerate(parsed.value.spec.removed):
        if entry.set in names:
            path: Path = ("spec", "removed", index, "set")
            yield Diagnostic(
                code="X073",
                message=f"`{entry.set}` is removed but still has a spec",
                span=parsed.locate(path),
                path=path,
                fix="delete the spec, or remove this entry",
            )


def _adopted(parsed: Parsed[Project], names: Collection[str], complete: bool) -> Iterator[Diagnostic]:
    assert parsed.value is not None
    entries = parsed.value.spec.adopted
    known = {*names, *(entry.from_ for entry in parsed.value.spec.moved)}
    known |= {entry.set for entry in parsed.value.spec.removed}
    ids = Counter(entry.id.lower() for entry in entries)
    for index, entry in enumerate(entries):
        path: Path = ("spec", "adopted", index, "id")
        if ids.pop(entry.id.lower(), 1) > 1:
            yield Diagnostic(
                code="X074",
                message="one set on the server is adopted twice",
                span=parsed.locate(path),
                path=path,
                fix="keep one of the entries",
            )
        if complete and entry.set not in known:
            yield _no_spec(parsed, ("spec", "adopted", index, "set"), "X074", entry.set, names)


def _no_spec(parsed: Parsed[Project], path: Path, code: str, name: str, names: Collection[str]) -> Diagnostic:
    guess = near(name, sorted(names))
    return Diagnostic(
        code=code,
        message=f"there is no spec of `{name}`",
        span=parsed.locate(path),
        path=path,
        label=f"did you mean `{guess}`?" if guess else "",
        fix="add the spec in the same commit, or remove this entry",
    )


def _days(parsed: Parsed[Project]) -> Iterator[Diagnostic]:
    assert parsed.value is not None
    spec = parsed.value.spec
    blocks: tuple[tuple[str, Sequence[Moved | Removed]], ...] = (("moved", spec.moved), ("removed", spec.removed))
    for block, entries in blocks:
        for index, entry in enumerate(entries):
            if day(entry.date) is None:
                yield _no_day(parsed, ("spec", block, index, "date"))
    for index, ignored in enumerate(spec.ignore_drift):
        if day(ignored.expires) is None:
            yield _no_day(parsed, ("spec", "ignore_drift", index, "expires"))


def _no_day(parsed: Parsed[Project] | Parsed[AvatarRun], path: Path) -> Diagnostic:
    return Diagnostic(
        code="X075",
        message="this day does not exist",
        span=parsed.locate(path),
        path=path,
        fix="write a day of the calendar, such as 2026-09-30",
    )
