"""What adopting a set found and wrote, as text: differences from the server to the spec, then the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from avatar_gitops.plan.model import FieldChange
from avatar_gitops.report.values import Style, before_and_after, count, direction, field_name, plain, to_ascii

KINDS = {"weaker": "weaker", "stronger": "stronger"}


def differences(changes: Sequence[FieldChange], path: str, *, style: Style = plain, ascii_only: bool = False) -> str:
    """One line per field: on the server, in the spec, which way that moves privacy, and where the spec says it."""
    rows = [_row(change, path, ascii_only) for change in changes]
    widths = [max(len(row[column]) for row in rows) for column in range(3)] if rows else []
    lines = [f"{count(len(changes), 'field')} differ{'s' if len(changes) == 1 else ''} from the set on the server:"]
    lines += [
        "  " + "  ".join(_cells(row, widths, change, style)).rstrip() for row, change in zip(rows, changes, strict=True)
    ]
    text = "\n".join(lines)
    return to_ascii(text) if ascii_only else text


def _row(change: FieldChange, path: str, ascii_only: bool) -> tuple[str, str, str, str]:
    before, after = before_and_after(change)
    file = change.file or path
    place = f"{file}:{change.line}" if change.line else file
    return field_name(change.path), f"{before} -> {after}", direction(change, ascii_only=ascii_only), place


def _cells(row: Sequence[str], widths: Sequence[int], change: FieldChange, style: Style) -> Iterator[str]:
    for column, width in enumerate(widths):
        text = f"{row[column]:<{width}}"
        yield style(text, KINDS.get(change.privacy.value, "dim")) if column == 2 else text
    yield style(row[3], "dim")
