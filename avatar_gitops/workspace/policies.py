"""The folder `policies/` of a project: its policy and waiver files, its tests, and rules of installed packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from avatar_gitops.errors import UsageError
from avatar_gitops.spec.policies import FOLDER
from avatar_gitops.workspace.discover import read_start, shown
from avatar_gitops.workspace.inputs import local_path

TESTS: Final = "tests"
SUFFIXES: Final = (".yaml", ".yml")


def policy_files(root: Path) -> tuple[Path, ...]:
    """Policies and waivers, in the order of their names; links that leave the project are none of it."""
    return _files(root, root / FOLDER)


def policy_test_files(root: Path) -> tuple[Path, ...]:
    """Tests of the policy."""
    return _files(root, root / FOLDER / TESTS)


def _files(root: Path, folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        return ()
    found = (path for path in folder.iterdir() if path.suffix in SUFFIXES and path.name[0] not in "._")
    return tuple(sorted(path for path in found if path.is_file() and local_path(root, str(path)) is not None))


def read_policy(root: Path, path: Path) -> tuple[bytes, str]:
    """Content and shown name of one file."""
    try:
        return read_start(path), shown(root, path)
    except OSError as error:
        raise UsageError(f"{shown(root, path)} cannot be read ({error.strerror or 'unknown reason'})") from None


def installed(group: str, name: str) -> Any:
    """What an installed package declares under a name. Raises ValueError that says why there is nothing to use."""
    from importlib.metadata import entry_points

    found = entry_points(group=group, name=name)
    if not found:
        raise ValueError("no installed package declares it")
    try:
        return next(iter(found)).load()
    except Exception as error:
        # A rule of somebody else; what its import says may hold anything.
        raise ValueError(f"its package cannot be imported ({type(error).__name__})") from None
