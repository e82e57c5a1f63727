"""A fast reader for the YAML that people and programs write in specs and locks; it declines all other YAML.

It takes block mappings and lists, `[…]` and `{…}` on one line, scalars on one line, and texts behind `|` and `>`.
For anything else, and for everything that is wrong, it gives None, and `composing` has to read the text. A property
test shows that both give the same data and the same positions for what this one takes.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, NoReturn

from avatar_gitops.diagnostics import Span
from avatar_gitops.spec.located import MAX_VALUES, Document, Path
from avatar_gitops.spec.scalars import resolve

Token = tuple[int, int, re.Match[str] | None, str]

MAX_LINES: Final = 5_000
MAX_LINE: Final = 1_000
MAX_DEPTH: Final = 24

# Characters that every version of YAML takes for themselves; tabs and other line breaks are left to the other reader.
ODD: Final = re.compile("[^\n -~\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u2070-\u2fff\u3001-\ud7ff\ue000-\ufdcf]")
_START: Final = r"(?:[^\s\-?:,\[\]{}#&*!|>'\"%@`]|-(?=[0-9.]))"
_PLAIN: Final = rf"{_START}(?:[^\s:#]++|:(?=[^\s])|\ ++(?=[^\s#:]))*+"
_DOUBLE: Final = r'"(?:[^"\\]++|\\["\\/bfnrt])*+"'
_SINGLE: Final = r"'(?:[^']++|'')*+'"
LINE: Final = re.compile(
    rf"""(\ *+) ((?:-\ ++)*+)
    (?: ({_PLAIN} | {_DOUBLE} | {_SINGLE}) :(?=\ |$) \ *+ )?+
    (?: ({_PLAIN}) | ({_DOUBLE}) | ({_SINGLE}) | ([\[{{].*?[\]}}]) | ([|>]-?) )?
    \ *+ (?: (?<=\ )\#.* )? $""",
    re.VERBOSE,
)
INDENT, DASHES, KEY, PLAIN, DOUBLE, SINGLE, FLOW, BLOCK = range(1, 9)
_INNER: Final = r"(?:[^\s\-?:,\[\]{}#&*!|>'\"%@`]|-(?=[0-9.]))(?:[^\s:#,\[\]{}]++|\ ++(?=[^\s#:,\[\]{}]))*+"
ITEM: Final = re.compile(rf"(?:([\[{{])|({_INNER})|({_DOUBLE})|({_SINGLE}))")
COLON: Final = re.compile(r": +(?=[^ ,\]}])")
COMMA: Final = re.compile(r" *(?:(,) *(?=[^ ,\]}])|([\]}]))")
EMPTY: Final = re.compile(r" *([\]}])")
SPACES: Final = re.compile(r" *")


class _Unusual(Exception):
    """The text is none of the YAML that is read here, or it is wrong."""


def load(text: str) -> Any:
    """The data of a text, or None when it is not plain enough (no text that is taken means null)."""
    try:
        return _Reader(text, None).document()
    except _Unusual:
        return None


def read(text: str, file: str) -> Document | None:
    """The document of a text, or None when it is not plain enough."""
    reader = _Reader(text, file)
    try:
        data = reader.document()
    except _Unusual:
        return None
    if len(reader.values) + len(reader.keys) > MAX_VALUES:
        return None
    return Document(file, data, reader.values, reader.keys, reader.plain, frozenset())


def _decline() -> NoReturn:
    raise _Unusual


class _Reader:
    """One text: first its lines as tokens, then the tokens as data. Without a file name, positions are not kept.

    A token is the column and line where a list item, an entry or a scalar starts, with the match of its line (None for
    the dash of an item) and the text of its block scalar.
    """

    def __init__(self, text: str, file: str | None) -> None:
        self.text = text
        self.file = file
        self.values: dict[Path, Span] = {}
        self.keys: dict[Path, Span] = {}
        self.plain: dict[Path, str] = {}
        self.tokens: list[Token] = []
        self.next = 0
        self.block_ends: dict[int, int] = {}

    def document(self) -> Any:
        text = self.text
        if not text.endswith("\n") or ODD.search(text) or text.count("\n") > MAX_LINES:
            _decline()
        lines = text.split("\n")
        self.tokenize(lines)
        self.tokens.append((-1, len(lines) - 1, None, ""))
        if self.tokens[0][0] != 0 or self.tokens[0][2] is None:
            _decline()
        data = self.mapping(0, ())
        if self.tokens[self.next][0] != -1:
            _decline()
        return data

    def tokenize(self, lines: list[str]) -> None:
        tokens, match, number = self.tokens, LINE.match, 0
        last = len(lines) - 1
        while number < last:
            line = lines[number]
            stripped = line.lstrip(" ")
            if not stripped or stripped[0] == "#":
                number += 1
                continue
            found = match(line)
            if found is None or len(line) > MAX_LINE or line.startswith(("---", "...")):
                _decline()
            at = found.end(INDENT)
            column = at + len(found[DASHES])
            for _ in range(found[DASHES].count("-")):
                tokens.append((at, number, None, ""))
                at = line.index("-", at + 1) if line.find("-", at + 1, column) > 0 else column
            if found.lastindex == DASHES:
                _decline()
            if found.lastindex == BLOCK:
                start = number
                text, number = self.block(lines, number + 1, column, found[BLOCK])
                tokens.append((column, start, found, text))
                self.block_ends[start] = number
                continue
            tokens.append((column, number, found, ""))
            number += 1

    def block(self, lines: list[str], number: int, column: int, style: str) -> tuple[str, int]:
        """The text of a block scalar whose key stands at a column, and the line after it."""
        first = lines[number]
        indent = len(first) - len(first.lstrip(" "))
        if indent <= column or indent == len(first):
            _decline()
        margin, body = " " * indent, []
        while True:
            line = lines[number]
            if line.startswith(margin) and len(line) > indent:
                if line[indent] == " " or line.endswith(" "):
                    _decline()
                body.append(line[indent:])
            elif not line and number < len(lines) - 1:
                body.append("")
            else:
                break
            number += 1
        rest = line.lstrip(" ")
        if rest[:1] == "#" or len(line) - len(rest) > column or (line and not rest):
            _decline()
        while not body[-1]:
            body.pop()
        text = "\n".join(body) if style[0] == "|" else _folded(body)
        return text + ("" if style.endswith("-") else "\n"), number

    def mapping(self, column: int, path: Path) -> dict[str, Any]:
        tokens, data = self.tokens, {}
        first = tokens[self.next]
        if len(path) > MAX_DEPTH:
            _decline()
        while True:
            at, number, found, text = tokens[self.next]
            if at != column or found is None:
                break
            key = self.key(found)
            if key in data:
                _decline()
            self.next += 1
            inner = (*path, key)
            if self.file is not None:
                self.keys[inner] = self.span(number, found.start(KEY), found.end(KEY))
            data[key] = self.nested(column, inner) if found.lastindex == KEY else self.value(found, number, text, inner)
        self.close(first, column, path)
        return data

    def nested(self, column: int, path: Path) -> Any:
        """What stands below a key: a mapping, a list, which need not be indented, or nothing."""
        at, number, found, _ = self.tokens[self.next]
        if found is None and at >= column:
            return self.items(at, path)
        if at > column:
            return self.mapping(at, path)
        if self.file is not None:  # the other reader, too, places nothing where the next thing starts
            self.values[path] = Span(self.file, number + 1, max(at, 0) + 1, number + 1, max(at, 0) + 1)
            self.plain[path] = ""
        return None

    def items(self, column: int, path: Path) -> list[Any]:
        tokens = self.tokens
        data: list[Any] = []
        first = tokens[self.next]
        if len(path) > MAX_DEPTH:
            _decline()
        while True:
            at, _, found, _ = tokens[self.next]
            if at != column or found is not None:
                break
            self.next += 1
            inner = (*path, len(data))
            at, number, found, text = tokens[self.next]
            if found is None:
                data.append(self.items(at, inner))
            elif found.start(KEY) >= 0:
                data.append(self.mapping(at, inner))
            else:
                self.next += 1
                data.append(self.value(found, number, text, inner))
        self.close(first, column, path)
        return data

    def close(self, first: Token, column: int, path: Path) -> None:
        """The end of a list or mapping: the next token, which must not be deeper."""
        at, number, _, _ = self.tokens[self.next]
        if at > column:
            _decline()
        if self.file is not None:
            self.values[path] = Span(self.file, first[1] + 1, first[0] + 1, number + 1, max(at, 0) + 1)

    def span(self, number: int, start: int, end: int) -> Span:
        assert self.file is not None
        return Span(self.file, number + 1, start + 1, number + 1, end + 1)

    def key(self, found: re.Match[str]) -> str:
        text: str | None = found[KEY]
        if text is None:
            _decline()
        return _key(text)

    def value(self, found: re.Match[str], number: int, text: str, path: Path) -> Any:
        """The value of a line, which is on this line or is a block scalar."""
        group = found.lastindex
        assert group is not None
        if group == FLOW:
            return self.flow(found[FLOW], number, found.start(FLOW), path)
        if self.file is not None:
            if group == BLOCK:
                end = self.block_ends[number]
                self.values[path] = Span(self.file, number + 1, found.start(BLOCK) + 1, end + 1, 1)
            else:
                self.values[path] = self.span(number, found.start(group), found.end(group))
        if group == PLAIN:
            return self.scalar(found[PLAIN], path)
        return text if group == BLOCK else _quoted(found[group])

    def scalar(self, text: str, path: Path) -> Any:
        if self.file is not None:
            self.plain[path] = text
        value = resolve(text)
        if isinstance(value, float) and not math.isfinite(value):
            _decline()
        return value

    def flow(self, text: str, number: int, offset: int, path: Path) -> Any:
        """A list or mapping in brackets, which fills the text."""
        value, end = self.brackets(text, 0, (number, offset), path)
        if end != len(text):
            _decline()
        return value

    def brackets(self, text: str, start: int, place: tuple[int, int], path: Path) -> tuple[Any, int]:
        mapping = text[start] == "{"
        data: dict[Any, Any] = {}
        if len(path) > MAX_DEPTH:
            _decline()
        closed = EMPTY.match(text, start + 1)
        if closed is not None:
            at, sign = closed.end(), closed[1]
        else:
            at = _end(SPACES.match(text, start + 1))
            while True:
                key: str | int = len(data)
                if mapping:
                    key, at = self.flow_key(text, at, place, path, data)
                data[key], at = self.item(text, at, place, (*path, key))
                comma = COMMA.match(text, at) or _decline()
                at, sign = comma.end(), comma[2]
                if sign:
                    break
        if sign != ("}" if mapping else "]"):
            _decline()
        if self.file is not None:
            self.values[path] = self.span(place[0], place[1] + start, place[1] + at)
        return (data if mapping else list(data.values())), at

    def flow_key(self, text: str, at: int, place: tuple[int, int], path: Path, data: dict[str, Any]) -> tuple[str, int]:
        found = ITEM.match(text, at)
        if found is None or found[1]:
            _decline()
        colon = COLON.match(text, found.end()) or _decline()
        key = _key(found[0])
        if key in data:
            _decline()
        if self.file is not None:
            self.keys[*path, key] = self.span(place[0], place[1] + at, place[1] + found.end())
        return key, colon.end()

    def item(self, text: str, at: int, place: tuple[int, int], path: Path) -> tuple[Any, int]:
        found = ITEM.match(text, at) or _decline()
        if found[1]:
            return self.brackets(text, at, place, path)
        if self.file is not None:
            self.values[path] = self.span(place[0], place[1] + at, place[1] + found.end())
        return (self.scalar(found[2], path) if found[2] else _quoted(found[0])), found.end()


def _end(found: re.Match[str] | None) -> int:
    assert found is not None
    return found.end()


def _quoted(text: str) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    plain: str = json.loads(text) if "\\" in text else text[1:-1]
    return plain


@lru_cache(maxsize=4096)
def _key(text: str) -> str:
    """A key as it is written; one without quotes that is no text has to be reported."""
    if text[0] in "\"'":
        return _quoted(text)
    if text == "<<" or not isinstance(resolve(text), str):
        _decline()
    return text


def _folded(lines: list[str]) -> str:
    """Lines of one indentation, folded: a line break is a space, and each empty line is a line break."""
    text = lines[0]
    for before, line in pairwise(lines):
        text += line if not before else f" {line}" if line else ""
        text += "" if line else "\n"
    return text
