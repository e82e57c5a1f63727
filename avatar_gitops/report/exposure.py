"""What enters or leaves the release, in words: one line for a terminal, a table for Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from avatar_gitops.plan.exposure import TAGS, ColumnMove, Exposure, Form, Move, Released, exposure_of
from avatar_gitops.plan.model import Plan
from avatar_gitops.report.values import count, safe

Escape = Callable[[str], str]
MOST_NAMED: Final = 4
MOST_ROWS: Final = 30
WORDS: Final = {
    "identifier": "identifier",
    "sensitive": "sensitive",
    "quasi_identifier": "quasi-identifier",
    "free_text": "free text",
    "": "untagged",
}
FORMS: Final = {
    Form.AVATAR: "avatar values",
    Form.SUBSTITUTE: "substitutes",
    Form.NEW_KEY: "new keys",
    Form.ORIGINAL: "original values",
}


def lines(found: Exposure) -> tuple[str, ...]:
    """The exposure of one set, one line for each kind of change; never empty."""
    if found.whole:
        return (_whole(found),)
    several = len({item.table for item in found.columns}) > 1
    parts = [f"+ table {safe(name)}" for name in found.tables_in] + [
        f"- table {safe(name)}" for name in found.tables_out
    ]
    for move, sign, one, many in (
        (Move.ENTERS, "+", "column enters", "columns enter"),
        (Move.LEAVES, "-", "column leaves", "columns leave"),
    ):
        moved = [item for item in found.columns if item.move is move]
        if moved:
            parts.append(f"{sign} {count(len(moved), one, many)} ({_by_tag(moved, several)})")
    parts += [f"{_name(item, several)}: {_change(item)}" for item in found.columns if item.move is Move.CHANGES]
    parts += [f"rows of {safe(item.table)} {item.before} -> {item.after}" for item in found.rows]
    return tuple(parts)


def _whole(found: Exposure) -> str:
    """The first release of a set: how many columns of each tag, and what is special about them."""
    tags = Counter(item.tag for item in found.columns)
    parts = [f"{tags[tag]} {WORDS[tag]}" for tag in TAGS if tags[tag]]
    forms = Counter(item.after.form for item in found.columns if item.after)
    parts += [f"{forms[form]} as {FORMS[form]}" for form in FORMS if form is not Form.AVATAR and forms[form]]
    parts += [f"{found.dropped} dropped"] if found.dropped else []
    if found.unknown:
        known = ", ".join(map(safe, found.unknown))
        parts.append(f"columns of {known} not known" if found.columns else f"the columns of {known} are not known")
    head = f"{count(len(found.columns), 'column')}: " if found.columns else ""
    return head + ", ".join(parts)


def _by_tag(moved: Sequence[ColumnMove], several: bool) -> str:
    parts = []
    for tag in TAGS:
        of_tag = [item for item in moved if item.tag == tag]
        if of_tag:
            parts.append(f"{len(of_tag)} {WORDS[tag]}: {_names(of_tag, several)}")
    return ", ".join(parts)


def _names(items: Sequence[ColumnMove], several: bool) -> str:
    shown = ", ".join(f"{_name(item, several)}{_how(item)}" for item in items[:MOST_NAMED])
    return shown + (f" and {len(items) - MOST_NAMED} more" if len(items) > MOST_NAMED else "")


def _name(item: ColumnMove, several: bool) -> str:
    return f"{safe(item.table)}.{safe(item.column)}" if several else safe(item.column)


def _how(item: ColumnMove) -> str:
    """What is released of a column that enters, where it is not avatar values; why one leaves, where the spec says."""
    if item.after is not None:
        return "" if item.after.form is Form.AVATAR else f" as {FORMS[item.after.form]}"
    return " dropped" if item.dropped else ""


def _change(item: ColumnMove) -> str:
    """Both sides of a column that stays in the release."""
    assert item.before is not None
    assert item.after is not None
    parts = []
    if item.before.tag != item.after.tag:
        parts.append(f"{WORDS[item.before.tag]} -> {WORDS[item.after.tag]}")
    if item.before.form is not item.after.form:
        parts.append(f"{FORMS[item.before.form]} -> {FORMS[item.after.form]}")
    return ", ".join(parts)


def markdown(plan: Plan, escape: Escape) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A table of all that enters, leaves or changes in published sets, as head and rows; both empty when nothing does.

    A first release is one row.
    """
    rows = [
        row for change in plan.effective if (found := exposure_of(change)) for row in _rows(change.set, found, escape)
    ]
    if not rows:
        return (), ()
    head = ("**Release**", "", "| | Set | What | Tag | As |", "|---|---|---|---|---|")
    more = len(rows) - MOST_ROWS
    return head, (*rows[:MOST_ROWS], *([f"| | … | {more} more | | |"] if more > 0 else []))


def _rows(name: str, found: Exposure, escape: Escape) -> Iterator[str]:
    if found.whole:
        yield f"| \\+ | `{name}` | {escape(_whole(found))} | | |"
        return
    for sign, tables in (("\\+", found.tables_in), ("−", found.tables_out)):
        yield from (f"| {sign} | `{name}` | table {escape(table)} | | |" for table in tables)
    for item in _ordered(found.columns):
        sign = {Move.ENTERS: "\\+", Move.LEAVES: "−", Move.CHANGES: ""}[item.move]
        gone = "dropped" if item.dropped else "not released"
        kind = _sides(item.before, item.after, "tag"), _sides(item.before, item.after, "form")
        shown = kind if item.move is not Move.LEAVES else (kind[0], gone)
        yield f"| {sign} | `{name}` | {escape(f'{item.table}.{item.column}')} | {' | '.join(map(escape, shown))} |"
    for rows in found.rows:
        yield f"| | `{name}` | rows of {escape(rows.table)} | | {escape(f'{rows.before} → {rows.after}')} |"


def _ordered(items: Iterable[ColumnMove]) -> list[ColumnMove]:
    """What enters first, in the order of tags."""
    moves = list(Move)
    return sorted(items, key=lambda item: (moves.index(item.move), TAGS.index(item.tag), item.table, item.column))


def _sides(before: Released | None, after: Released | None, what: str) -> str:
    texts = [
        (WORDS[side.tag] if what == "tag" else FORMS[side.form]) if side is not None else None
        for side in (before, after)
    ]
    known = list(dict.fromkeys(text for text in texts if text is not None))
    return " → ".join(known)
