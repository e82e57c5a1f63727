"""From the platform's YAML, as a set has it or as the web application gives it, to a run spec as plain data.

The way back of the documents that a set is made of. What a spec cannot say is noted, never silently dropped. Where the
rows of a table are on disk is no part of these documents: the tables come without `source`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.spec.documents import read_stream
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.set_reader import TABLES, SetReader
from avatar_gitops.spec.transfer import Note

__all__ = ["Imported", "Note", "from_platform"]


@dataclass(frozen=True, slots=True)
class Imported:
    """A spec as plain data, and where each of its values stands in the file it came from.

    `name` is the display name that the file gives, empty when it gives none. `files` maps (table, `source` or
    `avatars`) to the name of the object on the platform. With an error among the findings `data` is of no use.
    """

    file: str
    name: str
    data: dict[str, Any]
    notes: tuple[Note, ...]
    findings: tuple[Diagnostic, ...]
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    values: Mapping[Path, Span] = field(default_factory=dict)
    keys: Mapping[Path, Span] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the data can be used."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)

    def locate(self, path: Path) -> Span:
        """Where the value at a path of the spec was read, or the nearest thing around it."""
        return _nearest(self.values, path, self.file)

    def locate_key(self, path: Path) -> Span:
        """Where the key at a path of the spec was read, or the nearest thing around it."""
        return _nearest(self.keys, path, self.file)


def from_platform(text: str | bytes, file: str, *, name: str = "", jobs: Collection[str] = ()) -> Imported:
    """The run spec that means what these documents mean.

    `file` is the name that findings show, `name` the set name if it is to be another one than the file's. `jobs` are
    jobs that are known to belong to the run though no document describes them, as clients may leave some out.
    """
    documents, findings = read_stream(text, file)
    reader = SetReader(documents)
    if not findings:
        reader.read(frozenset(jobs))
        findings = tuple(_lacks(reader, file))
    reader.name_it(name)
    return Imported(
        file=file,
        name=reader.display_name,
        data=reader.draft.data,
        notes=tuple(sorted(reader.book.notes, key=lambda note: (note.span.line, note.span.column))),
        findings=findings,
        files=reader.files,
        values=reader.draft.values,
        keys=reader.draft.keys,
    )


def _lacks(reader: SetReader, file: str) -> list[Diagnostic]:
    if reader.draft.has(TABLES):
        return []
    return [
        Diagnostic(
            code="S001",
            message="the file describes no table",
            span=Span(file, 1, 1, 1, 1),
            why="tables stand in a document of the kind AvatarSchema",
            fix="take the file that the web application gives for a run, unchanged",
        )
    ]


def _nearest(spans: Mapping[Path, Span], path: Path, file: str) -> Span:
    while path:
        if path in spans:
            return spans[path]
        path = path[:-1]
    return Span(file, 1, 1, 1, 1)
