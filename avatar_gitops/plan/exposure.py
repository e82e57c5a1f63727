"""What enters or leaves the release of a set: columns by tag, tables, size class. Names only, never a value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.model import Action, Change
from avatar_gitops.spec.columns import ColumnTag
from avatar_gitops.spec.facts import UNKNOWN_ROWS


class Form(StrEnum):
    """What is released of a column."""

    AVATAR = "avatar"  # values that the method made
    SUBSTITUTE = "substitute"  # pseudonyms
    NEW_KEY = "new_key"  # fresh numbers that keep what belonged together
    ORIGINAL = "original"  # excluded from the method: real values come back


class Move(StrEnum):
    """What happens to a column of the release."""

    ENTERS = "enters"
    LEAVES = "leaves"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Released:
    """One column of a release; `tag` is empty when the spec gives it none."""

    tag: str
    form: Form


@dataclass(frozen=True, slots=True)
class ColumnMove:
    """A column that is released otherwise than before; None = not released. `dropped` = the spec takes it out."""

    table: str
    column: str
    before: Released | None
    after: Released | None
    dropped: bool = False

    @property
    def move(self) -> Move:
        """Which way."""
        return Move.ENTERS if self.before is None else Move.LEAVES if self.after is None else Move.CHANGES

    @property
    def tag(self) -> str:
        """The tag that counts: that of now, or the last one."""
        side = self.after or self.before
        return side.tag if side else ""


@dataclass(frozen=True, slots=True)
class RowsMove:
    """A table whose size class is another one."""

    table: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """How the release changes; `whole` = nothing was released before, and every column enters.

    `dropped` counts columns of the data that are not released at all. Of the tables in `unknown` only those columns are
    known that the spec names, because the data are elsewhere.
    """

    columns: tuple[ColumnMove, ...] = ()
    tables_in: tuple[str, ...] = ()
    tables_out: tuple[str, ...] = ()
    rows: tuple[RowsMove, ...] = ()
    unknown: tuple[str, ...] = ()
    whole: bool = False
    dropped: int = 0

    @property
    def moves(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.columns or self.tables_in or self.tables_out or self.rows or (self.whole and self.unknown))


@dataclass(frozen=True, slots=True)
class Side:
    """A release as spec and data files describe it: the resolved spec and the facts about its inputs."""

    spec: Mapping[str, Any]
    inputs: tuple[TableInput, ...] = ()


EMPTY: Final = Side({})
TAGS: Final = (
    ColumnTag.IDENTIFIER.value,
    ColumnTag.SENSITIVE.value,
    ColumnTag.QUASI_IDENTIFIER.value,
    ColumnTag.FREE_TEXT.value,
    "",
)
"""The order in which tags are shown; the last one stands for columns without one."""


def exposure_of(change: Change) -> Exposure | None:
    """What a change does to the release; None when it does nothing, or takes the whole set away."""
    if change.desired is None or not change.effective:
        return None
    lock = change.lock if change.action is not Action.LAUNCH else None
    before = Side(lock.spec, lock.inputs) if lock else EMPTY
    found = exposure(before, Side(change.desired.resolved, change.desired.inputs), whole=lock is None)
    return found if found.moves else None


def exposure(before: Side, after: Side, *, whole: bool = False) -> Exposure:
    """Compare two releases."""
    old, new = _tables(before), _tables(after)
    known = {name: _known(before, name) and _known(after, name) for name in {*old, *new}}
    if whole:
        known = {name: _known(after, name) for name in new}
    moves = [
        move for name in sorted({*old, *new}) for move in _columns(name, old.get(name), new.get(name), known[name])
    ]
    entering = tuple(sorted(new.keys() - old.keys()))
    return Exposure(
        columns=tuple(moves),
        tables_in=entering,
        tables_out=tuple(sorted(old.keys() - new.keys())),
        rows=tuple(_rows(before, after, old.keys() & new.keys())),
        unknown=tuple(sorted(name for name in new if not known[name])),
        whole=whole,
        dropped=sum(_says(table, column).get("drop") is True for table in new.values() for column in _names(table)),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    """One released table: its part of the resolved spec, and its columns, as far as they are known."""

    said: Mapping[str, Any]
    columns: tuple[str, ...] | None


def _tables(side: Side) -> Mapping[str, _Table]:
    """The tables that are released: a run that only measures releases nothing."""
    columns = {item.table: item.columns for item in side.inputs if item.rows != UNKNOWN_ROWS or item.columns}
    tables = side.spec.get("spec", {}).get("tables", {})
    return {name: _Table(said, columns.get(name)) for name, said in tables.items() if said.get("avatarization")}


def _known(side: Side, name: str) -> bool:
    table = _tables(side).get(name)
    return table is None or table.columns is not None


def _columns(name: str, old: _Table | None, new: _Table | None, known: bool) -> Iterator[ColumnMove]:
    """Moves of the columns of one table; where the data are not known, of those that a spec names."""
    sides = [side for side in (old, new) if side is not None]
    names = {column for side in sides for column in (_names(side) if known else side.said.get("columns") or {})}
    for column in sorted(names):
        before, after = (_released(side, column, known) for side in (old, new))
        if before != after:
            dropped = new is not None and _says(new, column).get("drop") is True
            yield ColumnMove(name, column, before, after, dropped)


def _names(table: _Table) -> Iterable[str]:
    return table.columns if table.columns is not None else table.said.get("columns") or {}


def _says(table: _Table, column: str) -> Mapping[str, Any]:
    found = (table.said.get("columns") or {}).get(column)
    return found if isinstance(found, Mapping) else {}


def _released(table: _Table | None, column: str, known: bool) -> Released | None:
    if table is None or (known and column not in _names(table)):
        return None
    said = _says(table, column)
    if said.get("drop"):
        return None
    return Released(str(said.get("tag") or ""), _form(table, column, said))


def _form(table: _Table, column: str, said: Mapping[str, Any]) -> Form:
    excluded = (table.said["avatarization"].get("exclude_variables") or {}).get("variable_names") or ()
    if said.get("pseudonymization"):
        return Form.SUBSTITUTE
    if said.get("primary_key") or said.get("identifier"):
        return Form.NEW_KEY
    return Form.ORIGINAL if column in excluded else Form.AVATAR


def _rows(before: Side, after: Side, tables: Iterable[str]) -> Iterator[RowsMove]:
    old = {item.table: item.rows for item in before.inputs}
    new = {item.table: item.rows for item in after.inputs}
    for name in sorted(tables):
        sizes = old.get(name, UNKNOWN_ROWS), new.get(name, UNKNOWN_ROWS)
        if UNKNOWN_ROWS not in sizes and sizes[0] != sizes[1]:
            yield RowsMove(name, *sizes)


def as_data(found: Exposure) -> dict[str, Any]:
    """For machines."""
    return {
        "whole": found.whole,
        "tables": {"enter": list(found.tables_in), "leave": list(found.tables_out)},
        "columns": [
            {
                "table": item.table,
                "column": item.column,
                "move": item.move.value,
                "dropped": item.dropped,
                "before": _side(item.before),
                "after": _side(item.after),
            }
            for item in found.columns
        ],
        "rows": [{"table": item.table, "before": item.before, "after": item.after} for item in found.rows],
        "unknown": list(found.unknown),
    }


def _side(side: Released | None) -> dict[str, Any] | None:
    return None if side is None else {"tag": side.tag or None, "form": side.form.value}
