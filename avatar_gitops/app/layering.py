"""The layers of each spec as files: defaults of the project and of folders, and the file that a spec starts from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from avatar_gitops.app.inputs import existing_file
from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.importing import from_platform
from avatar_gitops.spec.layers import subtree, without_positions
from avatar_gitops.spec.nodes import Document
from avatar_gitops.spec.parse import Parsed, has_errors, ordered, parse_defaults
from avatar_gitops.spec.project import Project
from avatar_gitops.spec.recognition import YAML_SUFFIXES, read_known
from avatar_gitops.spec.resolving import FROM, MadeRun, make_runs, starts_from
from avatar_gitops.workspace.discover import folder_defaults, read_start
from avatar_gitops.workspace.inputs import InputUnreadable, local_path


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file that was read: where it is, how findings name it, its bytes."""

    path: Path
    shown: str
    content: bytes

    @classmethod
    def read(cls, path: Path, here: Path) -> TextFile:
        """Read a small file. Raises UsageError when it cannot be read."""
        try:
            content = read_start(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror or 'unknown reason'})") from None
        return cls(path, shown_from(path, here), content)


def shown_from(path: Path, here: Path) -> str:
    """The name that people and editors can open from where they are."""
    try:
        return Path(os.path.relpath(path, _real(here))).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


@lru_cache(maxsize=4)
def _real(folder: Path) -> Path:
    """A folder without links; asked for every file of a project."""
    return folder.resolve()


@dataclass(slots=True)
class Layers:
    """Every layer that the specs of a project stand on; each file is read and checked once.

    `found` are the findings about the layers so far, `files` what was read.
    """

    root: Path
    here: Path
    project: Parsed[Project]
    files: dict[Path, TextFile] = field(default_factory=dict)
    found: list[Diagnostic] = field(default_factory=list)
    _defaults: dict[Path, Document | None] = field(default_factory=dict)
    _below: dict[Path, tuple[Path, ...]] = field(default_factory=dict)
    _started: dict[Path, tuple[Document | None, list[Diagnostic]]] = field(default_factory=dict)

    def runs(self, spec: TextFile) -> tuple[MadeRun, ...]:
        """The runs of a spec file, at least one; without a value when the file or a layer of it cannot be used."""
        document, found = read_known(spec.content, spec.shown)
        below = [self.default(path) for path in self._defaults_for(spec.path)]
        if document is None or None in below:
            return (MadeRun(Parsed(spec.shown, None, ordered(found), document)),)
        defaults = [*self._of_project(), *(layer for layer in below if layer is not None)]
        start, problems = self._start(document)
        if has_errors(problems):
            return (MadeRun(Parsed(spec.shown, None, ordered([*found, *problems]), document)),)
        return make_runs(document, [*found, *problems], defaults, start)

    def default(self, path: Path) -> Document | None:
        """A `_defaults.yaml`, None when it cannot be read."""
        if path not in self._defaults:
            self._defaults[path] = self._read_default(path)
        return self._defaults[path]

    def _defaults_for(self, spec: Path) -> tuple[Path, ...]:
        """The `_defaults.yaml` files that hold for a spec; the specs of one folder share them."""
        if spec.parent not in self._below:
            self._below[spec.parent] = folder_defaults(self.root, self._settings, spec)
        return self._below[spec.parent]

    def is_layer(self, shown: str) -> bool:
        """Whether a finding in this file is about something that several specs may share."""
        return shown == self.project.file or any(file.shown == shown for file in self.files.values())

    @property
    def _settings(self) -> Project:
        assert self.project.value is not None
        return self.project.value

    def _of_project(self) -> Iterator[Document]:
        if self._settings.spec.defaults is not None and self.project.document is not None:
            yield subtree(self.project.document, ("spec", "defaults"))

    def _read_default(self, path: Path) -> Document | None:
        name = shown_from(path, self.here)
        if local_path(self.root, str(path)) is None:
            self.found.append(
                Diagnostic(
                    code="X019",
                    message=f"`{path.name}` is a link that leaves the project",
                    span=Span(name, 1, 1, 1, 1),
                    why="what decides about a run has to be in the repository that is reviewed",
                    fix="put the file itself into the folder",
                    hide_source=True,
                )
            )
            return None
        file = self.files[path] = TextFile.read(path, self.here)
        parsed = parse_defaults(file.content, file.shown)
        self.found += parsed.diagnostics
        return parsed.document if parsed.document and isinstance(parsed.document.data, dict) else None

    def _start(self, spec: Document) -> tuple[Document | None, list[Diagnostic]]:
        """What the file that a spec starts from says, and what is wrong with it."""
        uri = starts_from(spec)
        if uri is None:
            return None, []
        try:
            path = existing_file(self.root, uri)
        except InputUnreadable as error:
            hint = (error.hint or "").replace(", or use a URL", "")  # as a data file may have
            return None, [_cannot_start(spec, error.message, hint)]
        if path.suffix.lower() not in YAML_SUFFIXES:
            return None, [_cannot_start(spec, "it is no YAML file", "name a run that the web application gave")]
        if path not in self._started:
            self._started[path] = self._read_start(path)
        return self._started[path]

    def _read_start(self, path: Path) -> tuple[Document | None, list[Diagnostic]]:
        file = self.files[path] = TextFile.read(path, self.here)
        imported = from_platform(file.content, file.shown)
        notes = [
            Diagnostic(
                "X066", note.message, note.span, severity=Severity.WARNING, fix="say it in the spec if it matters"
            )
            for note in imported.notes
        ]
        data = {"spec": imported.data.get("spec", {})}
        bare = without_positions(data, file.shown)  # for what the file says by having no document about it
        document = replace(bare, values={**bare.values, **imported.values}, keys={**bare.keys, **imported.keys})
        return document, [*imported.findings, *notes]


def _cannot_start(spec: Document, message: str, hint: str) -> Diagnostic:
    return Diagnostic(
        code="X064",
        message=f"the file of `from` cannot be used: {message}",
        span=spec.locate(FROM),
        path=FROM,
        fix=hint,
    )


def said_once(
    found: Iterable[tuple[str, Diagnostic]], layers: Iterable[Diagnostic], is_layer: Callable[[str], bool]
) -> list[Diagnostic]:
    """Findings of specs, by the name of the spec; one about a layer is said once and names the specs that it concerns.

    What the check of the layer itself has said already is not repeated.
    """
    said = {(one.code, one.span) for one in layers}
    shared: dict[tuple[str, Span, str], tuple[Diagnostic, list[str]]] = {}
    result: list[Diagnostic] = []
    for spec, finding in found:
        if finding.span.file == spec or not is_layer(finding.span.file):
            result.append(finding)
        elif (finding.code, finding.span) not in said:
            key = (finding.code, finding.span, finding.message)
            shared.setdefault(key, (finding, []))[1].append(spec)
    return result + [_concerning(finding, list(dict.fromkeys(specs))) for finding, specs in shared.values()]


def _concerning(finding: Diagnostic, specs: Sequence[str]) -> Diagnostic:
    more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
    note = f"for {specs[0]}{more}"
    return replace(finding, note=f"{finding.note}; {note}" if finding.note else note)
