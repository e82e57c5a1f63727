"""`validate --fix`: findings that have one safe repair, repaired in place; what is written means what was meant."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avatar_gitops.app.validate import validate
from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.spec.layers import DEFAULTS_FILE
from avatar_gitops.spec.parse import parse_defaults, parse_project, parse_run
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.workspace.files import write_atomic


@dataclass(frozen=True, slots=True)
class Fixed:
    """One repair: where it was made and which finding it answers."""

    file: str
    line: int
    message: str
    written: str


def fix(project: Path | None, files: Sequence[Path]) -> tuple[Fixed, ...]:
    """Repair what has exactly one repair, in all files of the project or in these; the rest stays for `validate`."""
    found = validate(project, files).diagnostics
    names = dict.fromkeys(finding.span.file for finding in found if finding.edit)
    return tuple(done for name in names for done in _file(name, [one for one in found if one.span.file == name]))


def _file(name: str, found: Sequence[Diagnostic]) -> list[Fixed]:
    path = Path(name).resolve()
    before = path.read_bytes()
    edits = list(_agreeing(found))
    after = _edited(before.decode("utf-8"), edits).encode()
    if not edits or not _repaired(name, before, after, edits):
        return []
    write_atomic(path, after, mode=stat.S_IMODE(path.stat().st_mode))
    return [Fixed(name, edit.span.line, edit.message, edit.edit) for edit in edits]


def _agreeing(found: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """Repairs on one line each, without two that would write the same key into one group."""
    edits = [one for one in found if one.edit and one.span.line == one.span.end_line]
    renames = Counter((one.path[:-1], one.edit) for one in edits if one.code == "S002")
    return (one for one in edits if one.code != "S002" or renames[one.path[:-1], one.edit] == 1)


def _edited(text: str, edits: Iterable[Diagnostic]) -> str:
    """The text with each repair in place of its span; line breaks and a byte order mark stay."""
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}" if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else ""
    lines = text.removeprefix(mark).split("\n")
    for edit in sorted(edits, key=lambda one: (one.span.line, one.span.column), reverse=True):
        line = lines[edit.span.line - 1]
        lines[edit.span.line - 1] = line[: edit.span.column - 1] + edit.edit + line[edit.span.end_column - 1 :]
    return mark + "\n".join(lines)


def _repaired(name: str, before: bytes, after: bytes, edits: Iterable[Diagnostic]) -> bool:
    """Whether every finding that was answered is gone and the text is no worse as YAML; new ones may come to light."""
    old, new = ({(one.code, one.path) for one in _findings(name, text)} for text in (before, after))
    answered = {(edit.code, edit.path) for edit in edits}
    return answered.isdisjoint(new) and all(found in old for found in new if found[0].startswith("Y"))


def _findings(name: str, text: bytes) -> tuple[Diagnostic, ...]:
    """What is wrong with a file, taken alone."""
    kind = Path(name).name
    if kind == PROJECT_FILE:
        return parse_project(text, name).diagnostics
    return parse_defaults(text, name).diagnostics if kind == DEFAULTS_FILE else parse_run(text, name).diagnostics
