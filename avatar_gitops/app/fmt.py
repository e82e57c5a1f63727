"""`fmt`: files with their keys in the order of the schema, and with the line by which editors find that schema."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.layers import DEFAULTS_FILE
from avatar_gitops.spec.modeline import with_modeline
from avatar_gitops.spec.ordering import in_order, kind_of
from avatar_gitops.spec.parse import parse_project
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.spec.schema import file_name
from avatar_gitops.workspace.discover import (
    defaults_files,
    find_root,
    is_spec_name,
    read_start,
    shown,
    spec_files,
)
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.inputs import local_path
from avatar_gitops.workspace.policies import policy_files, policy_test_files

BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
SCHEMAS: Final = "schemas"


@dataclass(frozen=True, slots=True)
class Formatted:
    """Files by what became of them; `changed` would change when nothing was written."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
    unreadable: tuple[str, ...]


def fmt(project: Path | None, files: Sequence[Path], *, check: bool) -> Formatted:
    """Order the keys of these files, or of all files of the project that people write; `check` writes nothing."""
    root, paths = _paths(project, files)
    found: dict[str, list[str]] = {"changed": [], "kept": [], "unreadable": []}
    for path in paths:
        found[_one(path, check)].append(shown(root, path))
    return Formatted(tuple(found["changed"]), tuple(found["kept"]), tuple(found["unreadable"]))


def _paths(project: Path | None, files: Sequence[Path]) -> tuple[Path, list[Path]]:
    if files:
        here = Path.cwd()
        named = (PROJECT_FILE, DEFAULTS_FILE)
        return here, [here / path for path in files if is_spec_name(path.name) or path.name in named]
    root = find_root(project or Path.cwd())
    file = root / PROJECT_FILE
    parsed = parse_project(read_start(file), PROJECT_FILE)
    if parsed.value is None:
        raise UsageError(f"{PROJECT_FILE} is not valid, so the specs cannot be found", hint="avatar-gitops validate")
    shared = (path for path in defaults_files(root, parsed.value) if local_path(root, str(path)) is not None)
    specs = sorted((*spec_files(root, parsed.value), *shared))
    return root, [file, *specs, *policy_files(root), *policy_test_files(root)]


def _one(path: Path, check: bool) -> str:
    real = path.resolve()
    try:
        text = real.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return "unreadable"
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or 'unknown reason'})") from None
    mark = BOM if text.startswith(BOM) else ""
    ordered = in_order(text.removeprefix(BOM))
    if ordered is None:
        return "unreadable"
    schema = _schema(path, ordered)
    done = mark + (with_modeline(ordered, schema) if schema else ordered)
    if done == text:
        return "kept"
    if not check:
        write_atomic(real, done, mode=stat.S_IMODE(real.stat().st_mode))
    return "changed"


def _schema(path: Path, text: str) -> str:
    """The schema that the project has for a file, as the file names it; empty when the project has none."""
    kind = kind_of(text)
    try:
        root = find_root(path.parent)
    except UsageError:
        return ""
    if kind is None or not (root / SCHEMAS / file_name(kind)).is_file():
        return ""
    return Path(os.path.relpath(root / SCHEMAS / file_name(kind), path.parent.resolve())).as_posix()
