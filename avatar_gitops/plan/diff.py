"""Field changes between two resolved specs, and between the facts about two sets of data files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from avatar_gitops.plan.desired import DesiredSet, FieldPath, TableInput
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import FieldChange, Privacy
from avatar_gitops.spec import fields
from avatar_gitops.spec.facts import UNKNOWN_ROWS

_ORDER: Final = (Privacy.WEAKER, Privacy.UNKNOWN, Privacy.STRONGER, Privacy.NEUTRAL)
Lines = Mapping[FieldPath, int]


def against_lock(desired: DesiredSet, lock: Lock | None) -> tuple[FieldChange, ...]:
    """What differs from what was published last, weaker first; nothing when nothing was published."""
    if lock is None:
        return ()
    same = lock.digests.spec == desired.digests.spec
    changes = () if same else spec_changes(lock.spec, desired.resolved, desired.lines)
    return weaker_first((*(placed(change, desired) for change in changes), *input_changes(lock.inputs, desired)))


def placed(change: FieldChange, desired: DesiredSet) -> FieldChange:
    """The change with the file that says the field, when that is not the spec."""
    file, _ = desired.place(change.path)
    return replace(change, file=file) if change.line and file != desired.path else change


def weaker_first(changes: Iterable[FieldChange]) -> tuple[FieldChange, ...]:
    """Field changes in the order in which people should read them."""
    return tuple(sorted(changes, key=lambda change: _ORDER.index(change.privacy)))


def spec_changes(before: Mapping[str, Any], after: Mapping[str, Any], lines: Lines) -> tuple[FieldChange, ...]:
    """Fields that differ between two resolved specs; a field that says its default equals one that says nothing."""
    return tuple(_change(path, old, new, lines) for path, old, new in _walk(before, after, ()))


def input_changes(before: Iterable[TableInput], desired: DesiredSet) -> tuple[FieldChange, ...]:
    """Data files whose content, columns or size class changed; columns that the spec drops are no part of it.

    A table that comes or goes is a change of the spec and not repeated here.
    """
    old = {item.table: item for item in before}
    return tuple(
        change for item in desired.inputs if item.table in old for change in _facts(old[item.table], item, desired)
    )


def _facts(old: TableInput, new: TableInput, desired: DesiredSet) -> Iterator[FieldChange]:
    known = not (_unread(old) or _unread(new))
    for name, before, after in (
        ("digest", old.digest, new.digest),
        ("columns", _released(old.columns, new.table, desired), _released(new.columns, new.table, desired)),
        ("rows", old.rows, new.rows),
    ):
        if before != after and (known or name == "digest"):
            yield _change(("inputs", new.table, name), before, after, desired.lines)


def _unread(item: TableInput) -> bool:
    """Whether nobody opened the file: that its columns are not known does not mean that they left."""
    return item.rows == UNKNOWN_ROWS and not item.columns


def _released(columns: Sequence[str], table: str, desired: DesiredSet) -> list[str]:
    spec = desired.run.spec.tables.get(table)
    declared = spec.columns if spec else {}
    return [name for name in columns if not (name in declared and declared[name].drop)]


def _walk(before: Any, after: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any, Any]]:
    found = fields.row(path)
    inside = found is None or (found.whole and before is not None and after is not None)
    if inside and all(side is None or isinstance(side, Mapping) for side in (before, after)):
        for key in sorted({*(before or {}), *(after or {})}):
            yield from _walk((before or {}).get(key), (after or {}).get(key), (*path, key))
        return
    if found is not None:
        before, after = (found.default if side is None else side for side in (before, after))
    if before != after:
        yield path, before, after


def _change(path: FieldPath, before: Any, after: Any, lines: Lines) -> FieldChange:
    return FieldChange(
        path=path,
        before=before,
        after=after,
        consequence=fields.consequence(path, before, after),
        privacy=fields.direction(path, before, after),
        line=0 if after is None else _line(path, lines),
    )


def _line(path: FieldPath, lines: Lines) -> int:
    """Line of the field, or of the nearest group that stands in the file; a default stands nowhere of its own."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0
