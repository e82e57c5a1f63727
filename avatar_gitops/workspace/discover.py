"""Where a project is on disk: its root, its project file, its spec files."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.layers import DEFAULTS_FILE
from avatar_gitops.spec.policies import FOLDER as POLICIES
from avatar_gitops.spec.policies import LEDGER_FOLDER
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.workspace.inputs import local_path

MAX_READ_BYTES: Final = (1 << 20) + 1  # one byte more than the parser takes, so that it can refuse
SPEC_SUFFIXES: Final = (".yaml", ".yml")
RECORD_SUFFIXES: Final = (".lock.yaml", ".lock.yml", ".noise.yaml", ".noise.yml")


def find_root(start: Path) -> Path:
    """The folder that holds `avatar-gitops.yaml`: `start`, its folder if it is a file, or the nearest folder above."""
    if not start.exists():
        raise UsageError(f"{start} does not exist", hint="give the folder that holds avatar-gitops.yaml")
    folder = start.resolve()
    if folder.is_file():
        folder = folder.parent
    for candidate in (folder, *folder.parents):
        if (candidate / PROJECT_FILE).is_file():
            return candidate
    raise UsageError(
        f"there is no {PROJECT_FILE} in {start} or in a folder above",
        hint="go to your project, or start one with: avatar-gitops init",
    )


def spec_files(root: Path, project: Project) -> tuple[Path, ...]:
    """Every spec file of a project, in the order of their paths; empty if the folder does not exist.

    Lock and noise files, names that start with `_` or `.`, the project file, the folders of outputs and of policies,
    and links that leave the project are no specs.
    """
    folder = local_path(root, project.spec.specs)
    if folder is None:
        raise UsageError(f"`spec.specs` in {PROJECT_FILE} leaves the project", hint="name a folder inside the project")
    out = local_path(root, project.spec.out)
    found = (path for path in _walk(folder, {out, root / POLICIES, root / LEDGER_FOLDER}) if is_spec_name(path.name))
    return tuple(sorted(path for path in found if local_path(root, str(path)) is not None))


def _walk(folder: Path, left_out: Collection[Path | None]) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, followlinks=False):
        here = Path(place)
        folders[:] = [name for name in folders if not name.startswith((".", "_")) and here / name not in left_out]
        yield from (here / name for name in files)


def defaults_files(root: Path, project: Project) -> tuple[Path, ...]:
    """Every `_defaults.yaml` in the folder of the specs, in the order of their paths."""
    folder = local_path(root, project.spec.specs)
    out = local_path(root, project.spec.out)
    if folder is None:
        return ()
    return tuple(sorted(path for path in _walk(folder, {out, root / POLICIES}) if path.name == DEFAULTS_FILE))


def folder_defaults(root: Path, project: Project, spec: Path) -> tuple[Path, ...]:
    """The `_defaults.yaml` files that hold for a spec, the farthest first; none for a spec outside of the folder."""
    folder = local_path(root, project.spec.specs)
    if folder is None or not spec.parent.is_relative_to(folder):
        return ()
    inside = spec.parent.relative_to(folder).parts
    folders = [folder.joinpath(*inside[:depth]) for depth in range(len(inside) + 1)]
    return tuple(path for path in (place / DEFAULTS_FILE for place in folders) if path.is_symlink() or path.is_file())


def is_spec_name(name: str) -> bool:
    """Whether a file of this name in the spec folder is a spec."""
    return (
        name.endswith(SPEC_SUFFIXES)
        and not name.endswith(RECORD_SUFFIXES)
        and not name.startswith(("_", "."))
        and name != PROJECT_FILE
    )


def read_start(path: Path) -> bytes:
    """The bytes of a small text file, cut just above the size that the parser refuses."""
    with path.open("rb") as stream:
        return stream.read(MAX_READ_BYTES)


def shown(root: Path, path: Path) -> str:
    """A file's name as people see it: relative to the project root, with forward slashes."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()
