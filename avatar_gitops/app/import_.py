"""`import`: a spec from the platform's YAML, downloaded from the web application or read from a server."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.servers import open_server
from avatar_gitops.client.catalog import Catalog, Entry
from avatar_gitops.diagnostics import Diagnostic, Severity, SpecError
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.facts import scheme
from avatar_gitops.spec.imported_text import spec_text
from avatar_gitops.spec.importing import Imported, Note, from_platform
from avatar_gitops.spec.models import SET_NAME_PATTERN
from avatar_gitops.spec.nodes import read
from avatar_gitops.spec.parse import parse_project, parse_run
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.spec.recognition import YAML_SUFFIXES
from avatar_gitops.spec.schema import file_name
from avatar_gitops.workspace.discover import find_root, read_start, shown, spec_files
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.inputs import local_path

UNKNOWN_KEY: Final = "S002"
DATA_FOLDERS: Final = ("data", ".")
SCHEMAS: Final = "schemas"
OUR_UPLOAD: Final = re.compile(r"(?P<name>.+)-[0-9a-f]{16}(?P<suffix>\.[A-Za-z0-9]+)?")
UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller says: set name, file to write, and for (table, role) the path of the file; roles are those
    of `app.inputs`."""

    name: str = ""
    to: Path | None = None
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Documents to import, what they are called, and the jobs that are known to belong to them."""

    text: str | bytes
    label: str
    name: str = ""
    jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """A spec that was made: its text, the file it belongs to, what was not recovered, which data files were found."""

    name: str
    path: str
    text: str
    notes: tuple[Note, ...]
    found: tuple[tuple[str, str], ...]
    tables: int


def import_(project: Path | None, source: str, server: str | None, set_id: str | None, wishes: Wishes) -> Written:
    """Make a spec and write it, unless a file is in the way; nothing on the server changes."""
    root, loaded = project_of(project)
    made = make(root, loaded, _origin(root, loaded, source, server, set_id), wishes)
    write(root, made)
    return made


def preview(project: Path | None, source: str, server: str | None, set_id: str | None, wishes: Wishes) -> Written:
    """Make a spec without writing it; the file that it would go to may exist."""
    root, loaded = project_of(project)
    return make(root, loaded, _origin(root, loaded, source, server, set_id), wishes)


def project_of(project: Path | None) -> tuple[Path, Project]:
    """Root and project file; the specs need not be valid."""
    root = find_root(project or Path.cwd())
    parsed = parse_project(read_start(root / PROJECT_FILE), PROJECT_FILE)
    if parsed.value is None:
        raise UsageError(f"{PROJECT_FILE} is not valid", hint="avatar-gitops validate")
    return root, parsed.value


def write(root: Path, made: Written) -> None:
    """Write a spec that was made. UsageError when a file or a spec of that name is in the way."""
    path = root / made.path
    if path.exists():
        raise UsageError(f"{made.path} exists; nothing was written", hint="--to another file, or --stdout to compare")
    write_atomic(path, made.text)


def make(root: Path, project: Project, origin: Origin, wishes: Wishes) -> Written:
    """The spec of a set of documents. SpecError when they cannot be read or describe no valid run."""
    if wishes.name and not re.fullmatch(SET_NAME_PATTERN, wishes.name):
        raise UsageError(
            "no set can have the name that was asked for",
            hint="begin with a letter or a digit; go on with those, `_`, `.` and `-`, up to 200",
        )
    imported = from_platform(origin.text, origin.label, name=wishes.name, jobs=origin.jobs)
    if not imported.ok:
        raise SpecError(f"{origin.label} cannot be imported", imported.findings)
    name = wishes.name or imported.name or origin.name
    if not name:
        raise UsageError(f"{origin.label} does not say how the set is called", hint="--name NAME")
    imported.data["metadata"]["name"] = name
    target = _target(root, project, name, wishes.to)
    taken = spec_named(root, project, name)
    if taken is not None and taken != target:
        raise UsageError(f"{shown(root, taken)} is the spec of `{name}` already", hint="--name another name")
    found = _sources(root, imported, wishes)
    head = [_schema_line(root, target), f"imported from {origin.label}"]
    head += [f"not recovered: line {note.span.line}: {note.message}" for note in imported.notes]
    original = origin.text.decode("utf-8-sig") if isinstance(origin.text, bytes) else origin.text
    text = spec_text(imported, original.removeprefix("\ufeff"), [line for line in head if line])
    _check(text, imported)
    tables = len(imported.data["spec"]["tables"])
    return Written(name, shown(root, target), text, imported.notes, tuple(found), tables)


def _check(text: str, imported: Imported) -> None:
    """Refuse what would be no valid spec, with the places in the file that it comes from."""
    parsed = parse_run(text, imported.file)
    errors = [finding for finding in parsed.diagnostics if finding.severity is Severity.ERROR]
    if errors:
        raise SpecError(
            f"{imported.file} holds values that no spec can have",
            [_moved(finding, imported) for finding in errors],
            hint="change them in a copy of the file, and import that",
        )


def _moved(finding: Diagnostic, imported: Imported) -> Diagnostic:
    """A finding about a spec at the place that it was imported from; one about a key at the key."""
    locate = imported.locate_key if finding.code == UNKNOWN_KEY else imported.locate
    return replace(finding, span=locate(finding.path), related=(), edit="")


def spec_named(root: Path, project: Project, name: str) -> Path | None:
    """The spec file of a set, found by its name; the file need not be valid."""
    for path in spec_files(root, project):
        document, _ = read(read_start(path), "")
        data = document.data if document and isinstance(document.data, dict) else {}
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and metadata.get("name") == name:
            return path
    return None


def find(catalog: Catalog, server: str, wanted: str, set_id: str | None) -> Entry:
    """The set that is meant. UsageError when there is none, or several and nobody said which."""
    entries = catalog.find(set_id or wanted)
    if not entries:
        raise UsageError(
            f"there is no set `{set_id or wanted}` on {server}",
            hint="a file must exist here; a set is named by its display name or its id",
        )
    if len(entries) > 1:
        raise UsageError(
            f"{len(entries)} sets on {server} are called `{wanted}`:\n" + "\n".join(map(_line, entries)),
            hint=f"choose one: --id {entries[0].version.id}",
        )
    return entries[0]


def _line(entry: Entry) -> str:
    version = entry.version
    owner = version.project or "nobody"
    return f"  {version.id}   {version.created_at:%Y-%m-%d %H:%M} UTC   {len(version.jobs)} jobs   owner: {owner}"


def origin_of(entry: Entry, server: str) -> Origin:
    """A set of a server as something to import."""
    version = entry.version
    label = f"set {version.display_name} ({version.id}) on {server}"
    return Origin(entry.documents, label, version.display_name, tuple(job.parameters for job in version.jobs))


def _origin(root: Path, project: Project, source: str, server: str | None, set_id: str | None) -> Origin:
    path = Path(source)
    if path.is_file() and not set_id:
        if path.resolve().suffix.lower() not in YAML_SUFFIXES:
            raise UsageError(f"{source} is no YAML file", hint="name the file that the web application gives for a run")
        stem = UNSAFE.sub("-", path.stem).strip("-.")
        return Origin(path.read_bytes(), source, stem)
    if path.suffix in {".yaml", ".yml"} or len(path.parts) > 1:
        raise UsageError(f"there is no file {source}")
    with (
        open_server(root, project, server) as connection,
        closing(
            Catalog(connection.base_url, connection.api_key, clock=SystemClock(), verify=connection.verify_tls)
        ) as catalog,
    ):
        return origin_of(find(catalog, connection.name, source, set_id or _uuid(source)), connection.name)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


def _target(root: Path, project: Project, name: str, to: Path | None) -> Path:
    target = (Path.cwd() / to).resolve() if to else root / project.spec.specs / f"{name}.yaml"
    if not target.is_relative_to(root):
        raise UsageError(f"{to} is not in the project", hint=f"--to {project.spec.specs}/{name}.yaml")
    return target


def _sources(root: Path, imported: Imported, wishes: Wishes) -> list[tuple[str, str]]:
    """Give each table the path of its rows; the pairs of (table, path) that were found by the name of the file."""
    tables = imported.data["spec"]["tables"]
    unknown = [table for table, _ in wishes.files if table not in tables]
    if unknown:
        raise UsageError(f"there is no table `{unknown[0]}`; there are {', '.join(tables)}")
    needed = dict(imported.files)
    for table in tables:
        needed.setdefault((table, "source"), "")
    for table, role in wishes.files:
        if (table, role) not in needed:
            raise UsageError(f"table `{table}` has no {role} in what is imported", hint=f"leave out --{role} {table}=…")
    found: list[tuple[str, str]] = []
    missing: list[tuple[tuple[str, str], str]] = []
    for (table, role), file in needed.items():
        if said := wishes.files.get((table, role)):
            tables[table][role] = _in_project(root, said)
        elif guess := _guess(root, file):
            tables[table][role] = guess
            found.append((table, guess))
        else:
            missing.append(((table, role), file))
    if missing:
        raise _where(missing)
    return found


def _in_project(root: Path, said: str) -> str:
    """A path as specs write it, from the root of the project."""
    if scheme(said) is not None:
        return said
    here = Path(os.path.normpath(Path.cwd() / said))
    return shown(root, here) if here.is_file() and here.is_relative_to(root) else said


def _guess(root: Path, file: str) -> str:
    """The only file of the project that is called like the object on the platform, if there is exactly one."""
    ours = OUR_UPLOAD.fullmatch(file)
    names = [file, f"{ours['name']}{ours['suffix'] or ''}"] if ours else [file]
    for name in names:
        places = {path for folder in DATA_FOLDERS if name and (path := local_path(root, f"{folder}/{name}"))}
        here = [path for path in places if path.is_file()]
        if len(here) == 1:
            return shown(root, here[0])
    return ""


def _where(missing: Sequence[tuple[tuple[str, str], str]]) -> UsageError:
    (table, role), file = missing[0]
    called = f"; on the platform it is called {file}" if file else ""
    what = {"source": "rows", "holdout": "holdout"}.get(role, "avatars")
    options = " ".join(f"--{role} {table}=PATH" for (table, role), _ in missing)
    return UsageError(f"where is the file with the {what} of table `{table}`?{called}", hint=options)


def _schema_line(root: Path, target: Path) -> str:
    """The line that tells editors which schema a file has, where the project has the schemas."""
    file = root / SCHEMAS / file_name("run")
    if not file.is_file():
        return ""
    return f"yaml-language-server: $schema={Path(os.path.relpath(file, target.parent)).as_posix()}"
