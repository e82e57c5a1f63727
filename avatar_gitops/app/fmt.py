"""`fmt`: spec files with their keys in the order of the schema."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.ordering import in_order
from avatar_gitops.spec.parse import parse_project
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.workspace.discover import find_root, is_spec_name, read_start, shown, spec_files
from avatar_gitops.workspace.files import write_atomic

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Formatted:
    """Files by what became of them; `changed` would change when nothing was written."""

    changed: tuple[str, ...]
    kept: tuple[str, ...]
    unreadable: tuple[str, ...]


def fmt(project: Path | None, files: Sequence[Path], *, check: bool) -> Formatted:
    """Order the keys of these files, or of all specs and the project file; with `check` nothing is written."""
    root, paths = _paths(project, files)
    found: dict[str, list[str]] = {"changed": [], "kept": [], "unreadable": []}
    for path in paths:
        found[_one(path, check)].append(shown(root, path))
    return Formatted(tuple(found["changed"]), tuple(found["kept"]), tuple(found["unreadable"]))


def _paths(project: Path | None, files: Sequence[Path]) -> tuple[Path, list[Path]]:
    if files:
        here = Path.cwd()
        return here, [here / path for path in files if is_spec_name(path.name) or path.name == PROJECT_FILE]
    root = find_root(project or Path.cwd())
    file = root / PROJECT_FILE
    parsed = parse_project(read_start(file), PROJECT_FILE)
    if parsed.value is None:
        raise UsageError(f"{PROJECT_FILE} is not valid, so the specs cannot be found", hint="avatar-gitops validate")
    return root, [file, *spec_files(root, parsed.value)]


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
    if mark + ordered == text:
        return "kept"
    if not check:
        write_atomic(real, mark + ordered, mode=stat.S_IMODE(real.stat().st_mode))
    return "changed"
