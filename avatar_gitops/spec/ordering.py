"""Keys of a file in the order of its schema, by moving whole lines: comments, quotes and values stay as written.

A block of lines belongs to its key: the comments and blank lines above it, its value, and deeper comments below. What
stands inside `{…}` and `[…]` is left alone, and so is a file that would not mean the same afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from warnings import catch_warnings

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.schema import Kind, schema

FIRST: Final = ("k", "open_dp", "fast_dp", "known_variables", "target")
"""Keys that people look for first; they come before the others of their group."""

KINDS: Final[Mapping[str, Kind]] = {
    "AvatarRun": "run",
    "Project": "project",
    "Defaults": "defaults",
    "Policy": "policy",
    "Waivers": "waivers",
    "PolicyTest": "policy-test",
}
LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
OTHER_BREAKS: Final = re.compile("[\x85\u2028\u2029]")


def in_order(text: str) -> str | None:
    """The text with its keys in order and a final newline; None when it cannot be read as YAML of ours."""
    document, findings = read(text, "")
    if document is None or any(finding.code.startswith("Y") for finding in findings):
        return None
    kind = KINDS.get(str(document.data.get("kind"))) if isinstance(document.data, dict) else None
    if kind is None or OTHER_BREAKS.search(text):
        return text
    ended = text if text.endswith(("\n", "\r")) else text + ("\r\n" if "\r\n" in text else "\n")
    moved = _Mover(ended, kind).text()
    after, _ = read(moved, "")
    same = after is not None and after.data == document.data and _solid(moved) == _solid(ended)
    return moved if same else text


def kind_of(text: str) -> Kind | None:
    """Which kind of file a text says it is; None when it is none of ours."""
    document, _ = read(text, "")
    return KINDS.get(str(document.data.get("kind"))) if document and isinstance(document.data, dict) else None


def _solid(text: str) -> list[str]:
    """All lines that are not blank, in no order: nothing may come or go."""
    return sorted(line.rstrip("\r\n") for line in LINES.findall(text) if line.strip())


class _Mover:
    """Moves the line blocks of one text."""

    def __init__(self, text: str, kind: Kind) -> None:
        self._text = text
        self._lines: list[str] = LINES.findall(text)
        self._root = schema(kind)

    def text(self) -> str:
        """The text with all block mappings in order."""
        with catch_warnings(action="ignore"):  # an anchor may be used twice
            node = YAML(typ="rt", pure=True).compose(self._text)
        if not isinstance(node, MappingNode) or not self._movable(node):
            return self._text
        begin = node.value[0][0].start_mark.line
        return "".join([*self._lines[:begin], *self._mapping(node, self._root, begin, len(self._lines))])

    def _mapping(self, node: MappingNode, rules: Mapping[str, Any], begin: int, end: int) -> list[str]:
        """The lines from `begin` to `end`, which are those of this mapping, in order."""
        starts = [begin, *self._starts(node)]
        tail = self._tail(node, end)
        blocks: list[tuple[str, list[str]]] = []
        known = _properties(rules, self._root)
        for (key, value), start, stop in zip(node.value, starts, [*starts[1:], tail], strict=True):
            inner = known.get(str(key.value), _others(rules, self._root))
            blocks.append((str(key.value), self._block(value, inner, start, stop)))
        return [*_joined(blocks, list(known)), *self._lines[tail:end]]

    def _tail(self, node: MappingNode, end: int) -> int:
        """Where the comments below the last value begin, if they are not deeper than the keys: they stay below."""
        key, value = node.value[-1]
        first = max(_last_line(value), int(key.end_mark.line)) + 1
        column = key.start_mark.column
        while first < end and self._is_deeper(first, column):
            first += 1
        return first

    def _block(self, value: Node, rules: Mapping[str, Any], start: int, stop: int) -> list[str]:
        if not isinstance(value, MappingNode) or not self._movable(value):
            return self._lines[start:stop]
        column = value.value[0][0].start_mark.column
        first = value.value[0][0].start_mark.line
        while first - 1 > start and self._is_comment(first - 1, column):
            first -= 1
        return [*self._lines[start:first], *self._mapping(value, rules, first, stop)]

    def _starts(self, node: MappingNode) -> Iterator[int]:
        """First line of each block after the first: the comments above its key that are not deeper than the key."""
        for (_, before), (key, _) in zip(node.value, node.value[1:], strict=False):
            line = _last_line(before) + 1
            column = key.start_mark.column
            while line < key.start_mark.line and self._is_deeper(line, column):
                line += 1
            yield line

    def _is_deeper(self, line: int, column: int) -> bool:
        """Whether a comment, perhaps with blank lines above it, belongs to the value before a key at this column."""
        while line < len(self._lines) and not self._lines[line].strip():
            line += 1
        text = self._lines[line] if line < len(self._lines) else ""
        return text.lstrip().startswith("#") and len(text) - len(text.lstrip()) > column

    def _is_comment(self, line: int, column: int) -> bool:
        text = self._lines[line]
        return not text.strip() or (text.lstrip().startswith("#") and len(text) - len(text.lstrip()) >= column)

    def _movable(self, node: MappingNode) -> bool:
        """Whether each key of a mapping begins a line."""
        marks = [key.start_mark for key, _ in node.value]
        alone = all(not self._lines[mark.line][: mark.column].strip() for mark in marks)
        simple = all(isinstance(key, ScalarNode) for key, _ in node.value)
        return not node.flow_style and bool(marks) and alone and simple


def _last_line(node: Node) -> int:
    """Last line of a value, without the comments and blank lines that follow it."""
    if not getattr(node, "flow_style", False):
        if isinstance(node, MappingNode) and node.value:
            key, value = node.value[-1]
            return max(_last_line(value), int(key.end_mark.line))
        if isinstance(node, SequenceNode) and node.value:
            return _last_line(node.value[-1])
    begin, end = int(node.start_mark.line), int(node.end_mark.line)
    return end - 1 if node.end_mark.column == 0 and end > begin else end


def _joined(blocks: Sequence[tuple[str, list[str]]], known: Sequence[str]) -> Iterator[str]:
    """The blocks in order; blank lines that would open the group go to where the first block was."""
    first = [name for name in FIRST if name in known]
    order = [*first, *(name for name in known if name not in first)]
    ranked = sorted(blocks, key=lambda block: order.index(block[0]) if block[0] in order else len(order))
    if [name for name, _ in ranked] == [name for name, _ in blocks]:
        ranked = list(blocks)
        for _, lines in ranked:
            yield from lines
        return
    opening = True
    for _, lines in ranked:
        body = list(lines)
        while opening and body and not body[0].strip():
            body.pop(0)
        opening = False
        yield from body


def _resolved(rules: Mapping[str, Any], root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The object branches of a schema node."""
    if "$ref" in rules:
        yield from _resolved(root["$defs"][rules["$ref"].rpartition("/")[2]], root)
    for branch in (*rules.get("anyOf", ()), *rules.get("oneOf", ())):
        yield from _resolved(branch, root)
    if "properties" in rules or isinstance(rules.get("additionalProperties"), Mapping):
        yield rules


def _properties(rules: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Named fields in the order of the schema; several object forms one after the other."""
    found: dict[str, Mapping[str, Any]] = {}
    for branch in _resolved(rules, root):
        for name, inner in branch.get("properties", {}).items():
            found.setdefault(name, inner)
    return found


def _others(rules: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What fields with names of the user's choice hold, such as tables and columns."""
    for branch in _resolved(rules, root):
        others = branch.get("additionalProperties")
        if isinstance(others, Mapping):
            return others
    return {}
