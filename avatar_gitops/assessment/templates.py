"""A project's own templates: found by name in one folder, and errors in them told with file and line.

The folder may hold, for each kind of document (`pia`, `technical`) or for both (`document`): `KIND.md.j2` (Jinja),
`KIND.typ` (typst, for PDF) and `KIND.docx` (styles, header, footer and page of a Word document). What is not there is
the packaged one. Templates get the view model of `assessment.view`, whose JSON Schema is `schemas/report.v1`.
"""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.errors import AvatarGitOpsError

SUFFIXES: Final = ("md.j2", "typ", "docx")
BOTH: Final = "document"
HINT: Final = "the names a template may use are in schemas/report.v1.schema.json"
_TYPST_PLACE: Final = re.compile(r"┌─ (?P<file>.*?):(?P<line>\d+):\d+")


class TemplateProblem(AvatarGitOpsError):
    """A template of the project cannot be used; the message begins with its file and line."""


@dataclass(slots=True, frozen=True)
class Templates:
    """Where a project's templates are; None = the packaged ones."""

    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.folder is not None and not self.folder.is_dir():
            raise TemplateProblem(f"{self.folder.as_posix()}: there is no such folder of templates")

    def find(self, kind: str, suffix: str) -> Path | None:
        """The template for a kind of document, else the one for both kinds, else None."""
        if self.folder is None:
            return None
        paths = (self.folder / f"{name}.{suffix}" for name in (kind, BOTH))
        return next((path for path in paths if path.is_file()), None)


PACKAGED: Final = Templates()


def in_jinja(path: Path, error: Exception) -> TemplateProblem:
    """What Jinja said of a template, at the line it was at."""
    line = getattr(error, "lineno", None)
    if line is None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = frames[-1].lineno if frames else None
    where = path.as_posix() if line is None else f"{path.as_posix()}:{line}"
    return TemplateProblem(f"{where}: {getattr(error, 'message', None) or error}", hint=HINT)


def in_typst(path: Path, error: Exception) -> TemplateProblem:
    """What typst said of a template, at the file and line it was at."""
    found = _TYPST_PLACE.search(getattr(error, "diagnostic", "") or "")
    where = path.as_posix()
    if found:
        named = Path(found["file"]).resolve()  # typst tells it from the folder of the process
        folder = path.parent.resolve()
        inside = named.is_file() and named.is_relative_to(folder)
        file = path.parent / named.relative_to(folder) if inside else path
        where = f"{file.as_posix()}:{found['line']}"
    return TemplateProblem(f"{where}: {getattr(error, 'message', None) or error}", hint=HINT)
