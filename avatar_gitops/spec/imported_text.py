"""An imported spec as the text of a file: keys in the order of `fmt`, comments of the original where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from avatar_gitops.diagnostics import Span
from avatar_gitops.spec import emit
from avatar_gitops.spec.importing import Imported
from avatar_gitops.spec.nodes import Document, Path, read
from avatar_gitops.spec.ordering import in_order

BEHIND: Final = re.compile(r"[\s:,}\]]*?\s(#.*)\Z")
UNQUOTED: Final = re.compile(r"[^\"'#]*\s(#.*)\Z")
ALONE: Final = re.compile(r"\s*(#.*)\Z")
HIDDEN: Final = re.compile(r"[^\x20-\x7e\xa0-\uffff]|[\ud800-\udfff\u0085\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment of the original: on the line of a value, or alone above it."""

    line: int
    text: str
    alone: bool


def spec_text(imported: Imported, original: str, head: Sequence[str] = ()) -> str:
    """The file: the lines of `head` as comments, comments that have no place any more, then the spec with the rest."""
    plain = emit.documents([imported.data])
    text = in_order(plain) or plain
    document, _ = read(text, "")
    lines = text.splitlines()
    placed, lost = _placed(imported, original, document) if document else ({}, [])
    body: list[str] = []
    for number, line in enumerate(lines, start=1):
        indent = line[: len(line) - len(line.lstrip(" -"))].replace("-", " ")
        found = placed.get(number, [])
        body += [f"{indent}{comment.text}" for comment in found if comment.alone]
        behind = [comment.text for comment in found if not comment.alone]
        body.append("  ".join([line, *behind]))
    top = [*(as_comment(line) for line in head), *lost]
    return "\n".join([*top, *body]) + "\n"


def as_comment(text: str) -> str:
    """One line of comment; what could end the line or steer a terminal is replaced."""
    return HIDDEN.sub("\N{REPLACEMENT CHARACTER}", f"# {text}")


def _placed(
    imported: Imported, original: str, document: Document
) -> tuple[Mapping[int, Sequence[_Comment]], Sequence[str]]:
    """Comments by line of the new text, and those whose value is not there any more."""
    targets = _targets(imported, document)
    placed: dict[int, list[_Comment]] = {}
    lost: list[str] = []
    for comment in _comments(imported, original.splitlines()):
        line = targets.get(comment.line)
        if line is None:
            lost.append(comment.text)
        else:
            placed.setdefault(line, []).append(comment)
    return placed, lost


def _targets(imported: Imported, document: Document) -> dict[int, int]:
    """Line of the original to line of the new text, by the outermost key that stands there."""
    found: dict[int, int] = {}
    for path in sorted(imported.keys, key=len):
        here = document.keys.get(path) or (document.values.get(path) if _is_item(path) else None)
        if here is not None:
            found.setdefault(imported.keys[path].line, here.line)
    return found


def _is_item(path: Path) -> bool:
    return bool(path) and isinstance(path[-1], int)


def _comments(imported: Imported, lines: Sequence[str]) -> Iterator[_Comment]:
    """The comments of the original; one that stands alone belongs to the next line that holds something."""
    ends = _ends([*imported.keys.values(), *imported.values.values()])
    waiting: list[str] = []
    for number, line in enumerate(lines, start=1):
        if found := ALONE.match(line):
            waiting.append(as_comment(found[1].lstrip("# ").rstrip()))
            continue
        if not line.strip():
            continue
        yield from (_Comment(number, text, alone=True) for text in waiting)
        waiting = []
        behind = BEHIND.match(line[ends[number] - 1 :]) if number in ends else UNQUOTED.match(line)
        if behind:
            yield _Comment(number, as_comment(behind[1].lstrip("# ").rstrip()), alone=False)
    yield from (_Comment(0, text, alone=True) for text in waiting)


def _ends(spans: Sequence[Span]) -> dict[int, int]:
    """Column behind the last value that begins and ends on a line."""
    ends: dict[int, int] = {}
    for span in spans:
        if span.line == span.end_line:
            ends[span.line] = max(ends.get(span.line, 1), span.end_column)
    return ends
