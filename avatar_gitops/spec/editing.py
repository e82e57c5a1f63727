"""One value written into a YAML file of ours: everything else, comments and layout, stays as it is.

Works on lines, not on a tree, because no YAML writer gives back what it read. A result that would mean anything else
than the file with this one value is refused.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from avatar_gitops.diagnostics import Span
from avatar_gitops.errors import UsageError
from avatar_gitops.spec import emit
from avatar_gitops.spec.nodes import Document, Path, read
from avatar_gitops.spec.ordering import in_order

STEP: Final = 2


def with_value(text: str, path: Path, value: Any, comment: str = "") -> str:
    """The text with a value at a path, new or in place of another one; keys stay in order where they were.

    Groups on the way that do not exist are made. Raises UsageError when the file does not allow it.
    """
    document = _document(text)
    wanted = copy.deepcopy(document.data)
    _set(wanted, path, value)
    return _checked(text, _Lines(text, document).with_value(path, value, comment), wanted, path)


def with_item(text: str, path: Path, item: Mapping[str, Any], comment: str = "") -> str:
    """The text with one more item at the end of the list at a path; the list is made when there is none."""
    document = _document(text)
    wanted = copy.deepcopy(document.data)
    before = _get(wanted, path)
    if not before:
        _set(wanted, path, [item])
        made = _Lines(text, document).with_value(path, [item], comment)
    else:
        before.append(item)
        made = _Lines(text, document).with_item(path, item, comment)
    return _checked(text, made, wanted, path)


def value_at(text: str, path: Path) -> Any:
    """What a file says at a path, None when it says nothing there. Raises UsageError when the file is not valid."""
    return _get(_document(text).data, path)


def _document(text: str) -> Document:
    document, findings = read(text, "")
    if document is None or findings or not isinstance(document.data, dict):
        raise UsageError("the file is not valid, so nothing was written", hint="avatar-gitops validate")
    return document


def _checked(before: str, after: str, wanted: Any, path: Path) -> str:
    document, findings = read(after, "")
    if document is None or findings or document.data != wanted:
        name = ".".join(map(str, path))
        raise UsageError(
            f"`{name}` cannot be written without changing something else", hint="an anchor? write it by hand"
        )
    return (in_order(after) or after) if in_order(before) == before else after


def _get(data: Any, path: Path) -> Any:
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        else:
            data = data[part] if isinstance(data, list) and isinstance(part, int) and part < len(data) else None
    return data


def _set(data: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        if isinstance(data, dict) and data.get(part) is None:
            data[part] = {}
        data = data[part]
    data[path[-1]] = value


class _Lines:
    """The lines of a file and where its values stand."""

    def __init__(self, text: str, document: Document) -> None:
        self._break = "\r\n" if "\r\n" in text else "\n"
        self._lines = text.split("\n")
        self._document = document

    def with_value(self, path: Path, value: Any, comment: str) -> str:
        depth = len(path)
        while depth and path[:depth] not in self._document.keys and path[:depth] not in self._document.values:
            depth -= 1
        here, rest = path[:depth], path[depth:]
        for key in reversed(rest[1:]):
            value = {key: value}
        if not rest or _get(self._document.data, here) is None:
            return self._replaced(here, {rest[0]: value} if rest else value, comment)
        if self._sign(here) == "{":
            empty = not _get(self._document.data, here)
            return self._before_end(here, emit.flow({rest[0]: value})[1:-1], comment, empty=empty)
        column = self._column(here)
        return self._behind(here, self._entry(column, str(rest[0]), value, comment))

    def with_item(self, path: Path, item: Mapping[str, Any], comment: str) -> str:
        if self._sign(path) == "[":
            return self._before_end(path, emit.flow(item), comment, empty=False)
        span = self._document.values[path]
        above = [f"{' ' * (span.column - 1)}# {comment}"] if comment else []
        return self._behind(path, [*above, f"{' ' * (span.column - 1)}- {emit.flow(item)}"])

    def _entry(self, column: int, key: str, value: Any, comment: str) -> list[str]:
        """Lines of a new key: groups of groups and lists of groups one under the other, anything else on one line."""
        indent = " " * (column - 1)
        above = [f"{indent}# {comment}"] if comment else []
        name = emit.flow({key: None}).removeprefix("{").removesuffix(" null}")
        inner = indent + " " * STEP
        if isinstance(value, Mapping) and value and all(isinstance(item, Mapping) for item in value.values()):
            return [*above, f"{indent}{name}", *(f"{inner}{emit.flow({k: v})[1:-1]}" for k, v in value.items())]
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            said = [f"{inner}# {comment}"] if comment else []
            return [f"{indent}{name}", *said, *(f"{inner}- {emit.flow(item)}" for item in value)]
        return [*above, f"{indent}{name} {emit.flow(value)}"]

    def _replaced(self, path: Path, value: Any, comment: str) -> str:
        """The value at a path, on one line or empty, by another one."""
        key, old = self._document.keys[path], self._document.values[path]
        row = old.line - 1
        line = self._lines[row]
        if old.line != old.end_line:
            return ""
        if _get(self._document.data, path) is None and not line[old.column - 1 : old.end_column - 1].strip():
            row, line = key.line - 1, self._lines[key.line - 1]
            at = line.index(":", key.end_column - 1) + 1
            self._lines[row] = f"{line[:at]} {emit.flow(value)}{line[at:]}"
        else:
            self._lines[row] = line[: old.column - 1] + emit.flow(value) + line[old.end_column - 1 :]
        self._say(row, comment)
        return "\n".join(self._lines)

    def _before_end(self, path: Path, text: str, comment: str, *, empty: bool) -> str:
        """Text before the closing bracket of a value in flow style."""
        span = self._document.values[path]
        line = self._lines[span.end_line - 1]
        at = span.end_column - 2
        head = line[:at].rstrip()
        comma = "" if empty or head.endswith((",", "{", "[")) else ", "
        self._lines[span.end_line - 1] = f"{head}{comma}{text}{line[at:]}"
        self._say(span.end_line - 1, comment)
        return "\n".join(self._lines)

    def _say(self, row: int, comment: str) -> None:
        """A comment at the end of a line, behind what may stand there already."""
        if comment:
            line = self._lines[row].rstrip("\r")
            self._lines[row] = f"{line}  # {comment}" + self._lines[row][len(line) :]

    def _behind(self, path: Path, new: Sequence[str]) -> str:
        """New lines below the last line of what stands at a path."""
        last = self._last(path)
        ending = "\r" if self._break == "\r\n" else ""
        if last == len(self._lines):
            self._lines[-1] += ending
        self._lines[last:last] = [f"{line}{ending}" for line in new]
        return "\n".join(self._lines) + ("" if self._lines[-1] == "" else "\n")

    def _last(self, path: Path) -> int:
        """Number of the last line that a value takes."""
        spans = [
            span for place, span in self._document.values.items() if place[: len(path)] == path and self._is_leaf(place)
        ]
        keys = [span for place, span in self._document.keys.items() if place[: len(path)] == path]
        return max(_end(span) for span in [*spans, *keys])

    def _is_leaf(self, path: Path) -> bool:
        return self._sign(path) in {"{", "["} or not any(
            len(place) > len(path) and place[: len(path)] == path for place in self._document.values
        )

    def _column(self, path: Path) -> int:
        """Column of the keys of a group in block style."""
        return next(
            span.column for place, span in self._document.keys.items() if place[:-1] == path and len(place) > len(path)
        )

    def _sign(self, path: Path) -> str:
        span = self._document.values[path]
        return self._lines[span.line - 1][span.column - 1 : span.column]


def _end(span: Span) -> int:
    return span.end_line - 1 if span.end_column == 1 and span.end_line > span.line else span.end_line
