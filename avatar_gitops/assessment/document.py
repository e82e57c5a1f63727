"""What a document is before it has a format: headings, paragraphs, lists and tables of plain, strong and code spans.

Markdown, DOCX and PDF are written from this one model, so that they say the same thing.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Literal

Style = Literal["plain", "strong", "code"]
Tone = Literal["none", "low", "moderate", "high", "very_high", "muted"]

_POINTS_PER_PIXEL = 0.35


@dataclass(slots=True, frozen=True)
class Span:
    """A piece of one line; the text is shown as it stands, renderers escape it."""

    text: str
    style: Style = "plain"


Inline = tuple[Span, ...]


@dataclass(slots=True, frozen=True)
class Heading:
    """A heading; level 1 is a chapter, the title of the document is not a heading."""

    level: Literal[1, 2, 3]
    content: Inline


@dataclass(slots=True, frozen=True)
class Paragraph:
    """One paragraph; a tone makes it a coloured notice, and the words say the same as the colour.

    `source` says what the statement rests on: a place in a spec, a metric, a rule of the document, a text, a person.
    """

    content: Inline
    tone: Tone = "none"
    source: Inline = ()


@dataclass(slots=True, frozen=True)
class Bullets:
    """An unordered list; `source` as for a paragraph."""

    items: tuple[Inline, ...]
    source: Inline = ()


@dataclass(slots=True, frozen=True)
class Cell:
    """One table cell; the colour of its tone is only a second signal."""

    content: Inline
    tone: Tone = "none"


@dataclass(slots=True, frozen=True)
class Table:
    """A table with a header row; `summary` describes it to who cannot see it, `widths` are shares of the line.

    `source` is for a table without a column of sources.
    """

    summary: str
    header: tuple[Inline, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...]
    source: Inline = ()


@dataclass(slots=True, frozen=True)
class Bars:
    """A bar for each named value in [0, 1], with a goal and a tolerance line; `labels` are the written values.

    `header` heads the names and the values; `legend` says what the two lines are.
    """

    summary: str
    header: tuple[Inline, Inline]
    legend: str
    names: tuple[str, ...]
    values: tuple[float, ...]
    labels: tuple[str, ...]
    goal: float
    tolerance: float


@dataclass(slots=True, frozen=True)
class Picture:
    """A PNG picture; `alt` says what it shows to who cannot see it, `name` and `caption` as for a drawing."""

    name: str
    png: bytes
    alt: str
    caption: Inline = ()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the header that every PNG file begins with."""
        return int.from_bytes(self.png[16:20], "big"), int.from_bytes(self.png[20:24], "big")

    @property
    def printed(self) -> tuple[float, float]:
        """Width and height on paper in points, unless the page is smaller: words are as large in every picture."""
        width, height = self.size
        return width * _POINTS_PER_PIXEL, height * _POINTS_PER_PIXEL


@dataclass(slots=True, frozen=True)
class Drawing:
    """A picture of shapes and words, as SVG text; `name` is that of its file where a document is several files.

    `caption` stands under it.
    """

    name: str
    svg: str
    alt: str
    caption: Inline = ()


Block = Heading | Paragraph | Bullets | Table | Bars | Picture | Drawing


@dataclass(slots=True, frozen=True)
class Document:
    """A whole document; `details` are the lines under the title, `page_word` starts the page number.

    `source_word` introduces the source of a paragraph.
    """

    title: str
    subject: str
    language: Literal["en", "fr"]
    details: tuple[Inline, ...]
    footer: str
    page_word: str
    source_word: str
    blocks: tuple[Block, ...] = field(default=())


def plain(text: str) -> Inline:
    """One plain span."""
    return (Span(text),)


def strong(text: str) -> Inline:
    """One span that stands out."""
    return (Span(text, "strong"),)


def code(text: str) -> Inline:
    """One span that is a name or a digest."""
    return (Span(text, "code"),)


def fill(template: str, **parts: Inline | str) -> Inline:
    """A sentence with its `{name}` places filled; a part that has a style keeps it."""
    spans: list[Span] = []
    for literal, name, _, _ in string.Formatter().parse(template):
        if literal:
            spans.append(Span(literal))
        if name:
            part = parts[name]
            spans.extend(plain(part) if isinstance(part, str) else part)
    return tuple(spans)


def joined(parts: tuple[Inline, ...], separator: str = ", ") -> Inline:
    """Several inlines on one line."""
    spans: list[Span] = []
    for index, part in enumerate(parts):
        spans.extend([Span(separator), *part] if index else part)
    return tuple(spans)


def pictures(document: Document) -> dict[str, bytes]:
    """The files that the document shows, by their names."""
    found: dict[str, bytes] = {}
    for block in document.blocks:
        if isinstance(block, Drawing):
            found[block.name] = block.svg.encode()
        elif isinstance(block, Picture):
            found[block.name] = block.png
    return found


def text_of(content: Inline) -> str:
    """The bare text of an inline."""
    return "".join(span.text for span in content)


def printable(text: str) -> str:
    """The text without the control characters that XML and PDF cannot hold."""
    return "".join(char for char in text if char.isprintable() or char in "\u00a0\u202f\u200b")
