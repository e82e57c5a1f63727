"""Tables of values that stand nowhere else, in files as people have them: other separators, quotes, damages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from zipfile import ZipFile, is_zipfile

from hypothesis import strategies as st

COLUMNS = ("age", "sex", "city", "visit", "note")
KINDS = ("word", "text", "number", "date", "address")
AROUND = st.text("é \",;\t\n'<>|{}$`%\\", max_size=4)
DAMAGES = (*["none"] * 12, "latin", "nul", "ragged", "open quote", "open header", "no header", "cut")


def core(kind: str, column: int, row: int) -> str:
    """The part of a cell that is looked for: unique, and long enough to stand in no digest by chance."""
    match kind:
        case "number":
            return f"77{column}{row:02d}{(row * 7919 + column * 104729) % 1000003:07d}.25"
        case "date":
            return f"17{row:02d}-1{column % 3}-{10 + column}"
        case _:
            return f"zq{'abcde'[column]}{row:02d}vwx"


@dataclass(frozen=True)
class Table:
    """A data file with its canaries."""

    header: tuple[str, ...]
    content: bytes
    canaries: frozenset[str]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Small tables; some are damaged, so that what reads them has something to say."""
    header = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True))
    kinds = [draw(st.sampled_from(KINDS)) for _ in header]
    damage = draw(st.sampled_from(DAMAGES))
    if damage == "no header":  # a line of words alone cannot be told from a header
        kinds = ["word" if kind == "text" else kind for kind in kinds]
        kinds[0] = draw(st.sampled_from(["number", "date", "address"]))
    cores = [
        [core(kind, column, row) for column, kind in enumerate(kinds)]
        for row in range(draw(st.sampled_from([5, 6, 7, 8, 1])))
    ]
    cells = [[_cell(draw, kind, value) for kind, value in zip(kinds, row, strict=True)] for row in cores]
    content = _written(draw, cells if damage == "no header" else [header, *cells], damage)
    return Table(tuple(header), content, frozenset(value for row in cores for value in row))


def _cell(draw: st.DrawFn, kind: str, value: str) -> str:
    if kind == "text":
        return f"{draw(AROUND)}{value}{draw(AROUND)}"
    return f"{value}@clinic.example" if kind == "address" else value


def _written(draw: st.DrawFn, rows: list[list[str]], damage: str) -> bytes:
    text = io.StringIO()
    quoted, delimiter, end = draw(st.booleans()), draw(st.sampled_from(",;\t|")), draw(st.sampled_from(["\n", "\r\n"]))
    csv.writer(
        text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator=end
    ).writerows(rows)
    content = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.getvalue().encode()
    at = draw(st.integers(0, len(content)))
    first = content.find(b"\n") + 1
    match damage:
        case "latin":
            return content[:at] + b"\xe9" + content[at:]
        case "nul":
            return content[:at] + b"\0" + content[at:]
        case "ragged":
            return content + b"zqragged,zqragged,zqragged,zqragged,zqragged,zqragged,zqragged" + end.encode()
        case "open quote":
            return content[:at] + b'"' + content[at:]
        case "open header":
            return b'"' + content[: first - 1] + b',"' + content[first - 1 :]
        case "cut":
            return content[:at]
    return content


def leaks(name: str, content: bytes, canaries: Iterable[str]) -> list[str]:
    """Canaries found in a file, and inside it when it is a ZIP such as DOCX or a PDF."""
    texts = [content]
    if is_zipfile(io.BytesIO(content)):
        with ZipFile(io.BytesIO(content)) as archive:
            texts += [archive.read(item) for item in archive.namelist()]
    if content.startswith(b"%PDF"):
        from pypdf import PdfReader

        texts += [page.extract_text().encode() for page in PdfReader(io.BytesIO(content)).pages]
    return [f"{name}: {canary}" for canary in canaries for text in texts if canary.encode() in text]
