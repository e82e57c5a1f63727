"""The multi-document YAML of the Avatar platform as plain data with positions, under the limits that specs have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Related, Span
from avatar_gitops.spec.nodes import MAX_BYTES, Document, Path, read
from avatar_gitops.spec.recognition import told

MAX_DOCUMENTS: Final = 100
UNCHANGED: Final = "take the file that the web application gives for a run, unchanged"
MARKER: Final = re.compile(r"---(?=\s|\Z)")
PREAMBLE: Final = re.compile(r"\s*(#.*|%.*)?\Z", re.DOTALL)
LINES: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


@dataclass(frozen=True, slots=True)
class PlatformDocument:
    """One document of a set; `first` is the number of lines of the file above it."""

    kind: str
    name: str
    data: dict[str, Any]
    first: int
    document: Document

    def locate(self, path: Path) -> Span:
        """The span in the whole file of the value at a path, or of the nearest thing around it."""
        return _moved(self.document.locate(path), self.first)

    def locate_key(self, path: Path) -> Span:
        """The span in the whole file of the key at a path, or of the nearest thing around it."""
        return _moved(self.document.locate_key(path), self.first)

    def text(self, path: Path) -> str:
        """A value that is a name, as it is written: `field: 2` is the column called 2."""
        value: Any = self.data
        for part in path:
            value = value[part]
        return value if isinstance(value, str) else self.document.plain.get(path, str(value))


def read_stream(text: str | bytes, file: str) -> tuple[tuple[PlatformDocument, ...], tuple[Diagnostic, ...]]:
    """The documents of a file and all that is wrong with it as YAML; `file` is the name that findings show."""
    if len(text) > MAX_BYTES or isinstance(text, bytes):
        decoded, refused = _decoded(text, file)
        if refused:
            return (), refused
        text = decoded
    documents: list[PlatformDocument] = []
    findings: list[Diagnostic] = []
    for number, (first, part) in enumerate(_parts(text.removeprefix("\ufeff")), start=1):
        if number > MAX_DOCUMENTS:
            span = Span(file, first + 1, 1, first + 1, 4)
            message = f"the file holds more than {MAX_DOCUMENTS} documents"
            findings.append(Diagnostic(code="Y006", message=message, span=span))
            break
        document, found = read(part, file)
        findings += [_moved_finding(finding, first) for finding in found if finding.code != "Y005"]
        if document is not None:
            documents += _platform(document, first, findings)
    return tuple(documents), told(text, file, findings, UNCHANGED)


def _decoded(text: str | bytes, file: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text, or why it cannot be read: the limits and the words are those of one document."""
    if len(text) > MAX_BYTES:
        return "", read(text, file)[1]
    assert isinstance(text, bytes)
    try:
        return text.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        return "", read(text, file)[1]


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Each document with the number of lines above it; what stands before a marker and holds no value belongs to it."""
    lines = LINES.findall(text)
    starts = [number for number, line in enumerate(lines) if MARKER.match(line)]
    if not starts or not all(PREAMBLE.match(line) for line in lines[: starts[0]]):
        starts.insert(0, 0)
    else:
        starts[0] = 0
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield start, "".join(lines[start:stop])


def _platform(document: Document, first: int, findings: list[Diagnostic]) -> Iterator[PlatformDocument]:
    """The document, if it has the shape of one of the platform's: a kind, a name, a `spec` that is a mapping."""
    data = document.data
    metadata = data.get("metadata") if isinstance(data, dict) else None
    kind = data.get("kind") if isinstance(data, dict) else None
    named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
    if not (isinstance(kind, str) and named and isinstance(data.get("spec"), dict)):
        findings.append(
            Diagnostic(
                code="S009",
                message="this is no document of the Avatar platform",
                span=_moved(document.locate(()), first),
                why="its documents have `kind: Avatar…`, `metadata: {name: …}` and `spec:`",
                fix=UNCHANGED,
            )
        )
        return
    yield PlatformDocument(kind, data["metadata"]["name"], data, first, document)


def _moved(span: Span, lines: int) -> Span:
    return replace(span, line=span.line + lines, end_line=span.end_line + lines)


def _moved_finding(finding: Diagnostic, lines: int) -> Diagnostic:
    related = tuple(Related(_moved(one.span, lines), one.label) for one in finding.related)
    return replace(finding, span=_moved(finding.span, lines), related=related)
