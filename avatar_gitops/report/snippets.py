"""The lines of a file that a finding shows, with carets under what is wrong and stars over what is secret."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.spec.recognition import is_known
from avatar_gitops.spec.secrets import MASK, join_ranges, secret_columns

Mark = Callable[[str, str], str]

MIN_GUTTER: Final = 2
TAB: Final = "→"


def plain_style(text: str, kind: str) -> str:
    """No style at all."""
    return text


def clean(text: str) -> str:
    """The text on one line without control characters, so that no file can move the cursor or colour a terminal."""
    return "".join(letter if letter.isprintable() else " " if letter in "\r\n\t" else "\ufffd" for letter in text)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line as it is shown, and where its original columns went."""

    text: str
    masked: tuple[tuple[int, int], ...]

    def column(self, column: int) -> int:
        """0-based shown position of a 0-based original position."""
        shift = 0
        for start, end in self.masked:
            if column >= end:
                shift += len(MASK) - (end - start)
            elif column > start:
                return start + shift
        return column + shift

    def width(self, start: int, end: int) -> int:
        """Shown length of an original range."""
        if any(low <= start and end <= high for low, high in self.masked):
            return len(MASK)
        return max(self.column(end) - self.column(start), 1)


class Sources:
    """Lines of the files that findings are about, with every secret hidden; a file that may be data has none."""

    def __init__(self, texts: Mapping[str, str], diagnostics: Iterable[Diagnostic]) -> None:
        self._lines = {file: text.removeprefix("\ufeff").splitlines() for file, text in texts.items() if is_known(text)}
        self._hidden: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
        for diagnostic in diagnostics:
            if diagnostic.hide_source:
                self._hide(diagnostic.span)

    def _hide(self, span: Span) -> None:
        for number in range(span.line, span.end_line + 1):
            raw = self.raw(span.file, number) or ""
            first = span.column - 1 if number == span.line else len(raw) - len(raw.lstrip())
            last = span.end_column - 1 if number == span.end_line else len(raw)
            self._hidden[span.file, number].append((first, last))

    def raw(self, file: str, number: int) -> str | None:
        """A line as it stands in the file; for measuring, never for showing."""
        lines = self._lines.get(file, [])
        return lines[number - 1] if 0 < number <= len(lines) else None

    def line(self, file: str, number: int) -> _Line | None:
        """A line as it may be shown, None if the file or the line is not known."""
        raw = self.raw(file, number)
        if raw is None:
            return None
        ranges = join_ranges([*secret_columns(raw), *self._hidden.get((file, number), ())])
        text = raw
        for start, end in reversed(ranges):
            text = text[:start] + MASK + text[end:]
        shown = "".join(TAB if letter == "\t" else clean(letter) for letter in text)
        return _Line(shown, tuple(ranges))


@dataclass(frozen=True, slots=True)
class _Label:
    span: Span
    text: str
    mark: str


def snippet(diagnostic: Diagnostic, sources: Sources, width: int, mark: Mark) -> tuple[list[str], int]:
    """The lines of one finding and the width of their numbers; other files follow behind `:::`."""
    own = [_Label(diagnostic.span, diagnostic.label, "^")]
    others: list[_Label] = []
    for related in diagnostic.related:
        label = _Label(related.span, related.label, "-")
        (own if related.span.file == diagnostic.span.file else others).append(label)
    gutter = max(MIN_GUTTER, *(len(str(label.span.line)) for label in (*own, *others)))
    lines = [f"{' ' * (gutter + 1)}--> {_place(diagnostic.span)}", *_part(own, sources, gutter, width, mark)]
    for label in others:
        lines += [f"{' ' * (gutter + 1)}::: {_place(label.span)}", *_part([label], sources, gutter, width, mark)]
    return lines, gutter


def _place(span: Span) -> str:
    return f"{clean(span.file)}:{span.line}:{span.column}"


def _part(labels: list[_Label], sources: Sources, gutter: int, width: int, mark: Mark) -> list[str]:
    """Lines of one file in their order, each with what is marked under it."""
    bar = f"{' ' * (gutter + 2)}|"
    lines: list[str] = []
    ordered = sorted(labels, key=lambda label: (label.span.line, label.span.column))
    written: set[int] = set()
    for label in ordered:
        number = label.span.line
        line = sources.line(label.span.file, number)
        if line is None:
            lines += [f"{bar} {mark(clean(label.text), label.mark)}"] if label.text else []
            continue
        room = max(width - gutter - 4, 40)
        start = line.column(label.span.column - 1)
        shift = max(0, start - room // 2) if len(line.text) > room else 0
        parent = number - 1
        if shift == 0 and number not in written and parent not in written and _is_parent(sources, label.span):
            above = sources.line(label.span.file, parent)
            lines.append(f" {parent:>{gutter}} | {_cut(above.text if above else '', 0, room)}".rstrip())
        if number not in written:
            lines.append(f" {number:>{gutter}} | {_cut(line.text, shift, room)}".rstrip())
            written.add(number)
        lines.append(f"{bar} {_marks(label, line, start - shift, room, mark)}".rstrip())
    return [bar, *lines] if written else lines


def _is_parent(sources: Sources, span: Span) -> bool:
    """Whether the line above a span is the key that the line stands under."""
    above, line = sources.raw(span.file, span.line - 1), sources.raw(span.file, span.line)
    if not above or not line or not above.rstrip().endswith(":") or above.lstrip().startswith("#"):
        return False
    return len(above) - len(above.lstrip()) < len(line) - len(line.lstrip())


def _marks(label: _Label, line: _Line, start: int, room: int, mark: Mark) -> str:
    span = label.span
    raw_end = span.end_column - 1 if span.end_line == span.line else None
    length = line.width(span.column - 1, raw_end) if raw_end is not None else len(line.text.rstrip()) - start
    length = max(1, min(length, room - start))
    text = label.mark * length + (f" {clean(label.text)}" if label.text else "")
    return " " * start + mark(text, label.mark)


def _cut(text: str, shift: int, room: int) -> str:
    if shift == 0 and len(text) <= room:
        return text
    part = text[shift : shift + room]
    head = "…" + part[1:] if shift else part
    return head[:-1] + "…" if shift + room < len(text) else head
