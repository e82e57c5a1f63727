"""A project's own templates: found by name in one folder, and errors in them told with file and line.

The folder may hold, for each kind of document (`pia`, `technical`) or for both (`document`): `KIND.md.j2` (Jinja),
`KIND.typ` (typst, for PDF) and `KIND.docx` (styles, header, footer and page of a Word document). What is not there is
the packaged one. A template may use the others of the folder and its pictures, and no other file. Templates get the
view model of `assessment.view`, whose JSON Schema is `schemas/report.v1`.
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
JINJA_SUFFIX: Final = ".j2"
TYPST_SUFFIX: Final = ".typ"
PICTURES: Final = (".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp")
HINT: Final = "the names a template may use are in schemas/report.v1.schema.json"
_PACKAGE: Final = re.compile(r'"@\w')
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
        found = next((path for path in paths if path.is_file()), None)
        if found is not None and not is_inside(found, self.folder):
            raise TemplateProblem(f"{found.as_posix()}: the template is a link to what is no template of this folder")
        return found

    def copy(self, to: Path) -> None:
        """Put the typst templates and the pictures of the folder, and nothing else of it, into another one."""
        if self.folder is None:
            return
        for path in sorted(self.folder.rglob("*")):
            if path.suffix in (TYPST_SUFFIX, *PICTURES) and path.is_file() and is_inside(path, self.folder):
                _refuse_packages(path)
                copied = to / path.relative_to(self.folder)
                copied.parent.mkdir(parents=True, exist_ok=True)
                copied.write_bytes(path.read_bytes())


def is_inside(path: Path, folder: Path) -> bool:
    """Whether a file and what it links to are in a folder and have the same kind of name."""
    real = path.resolve()
    return real.suffix == path.suffix and real.is_relative_to(folder.resolve())


def _refuse_packages(path: Path) -> None:
    """Raises TemplateProblem when a typst file names a package, which typst would fetch over the network."""
    if path.suffix != TYPST_SUFFIX:
        return
    text = path.read_text(encoding="utf-8", errors="replace")
    if found := _PACKAGE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise TemplateProblem(
            f"{path.as_posix()}:{line}: packages are not loaded", hint="put the files that you need beside the template"
        )


PACKAGED: Final = Templates()


def in_jinja(path: Path, error: Exception) -> TemplateProblem:
    """What Jinja said of a template, at the line it was at."""
    line = getattr(error, "lineno", None)
    if line is None:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = frames[-1].lineno if frames else None
    where = path.as_posix() if line is None else f"{path.as_posix()}:{line}"
    return TemplateProblem(f"{where}: {getattr(error, 'message', None) or error}", hint=HINT)


def in_typst(path: Path, copied: Path, error: Exception) -> TemplateProblem:
    """What typst said of the copy of a template, at the file and line it was at; a panic's own text is left out."""
    found = _TYPST_PLACE.search(getattr(error, "diagnostic", "") or "")
    where = path.as_posix()
    if found:
        named = Path(found["file"]).resolve()  # typst tells it from the folder of the process
        folder = copied.parent.resolve()
        inside = named.is_file() and named.is_relative_to(folder)
        file = path.parent / named.relative_to(folder) if inside else path
        where = f"{file.as_posix()}:{found['line']}"
    said = str(getattr(error, "message", None) or error)
    said = said.partition(" with")[0].partition(":")[0] if said.startswith(("panicked", "assertion failed")) else said
    return TemplateProblem(f"{where}: {said}", hint=HINT)
