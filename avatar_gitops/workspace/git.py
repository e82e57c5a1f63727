"""What git says about the project: the commit, and whether files differ from it. Asks git, changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

SECONDS: Final = 20.0
# A repository's own settings must not make git start programs, and looking must not write to its index.
SAFE: Final = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks")


def head_commit(root: Path) -> str:
    """The commit that is checked out; empty outside a repository, before the first commit, and without git."""
    return _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()


def is_dirty(root: Path, paths: Sequence[Path] = ()) -> bool:
    """Whether files (all, or these) differ from the commit, new ones included; False outside a repository."""
    chosen = [str(path) for path in paths]
    return bool(_git(root, "status", "--porcelain", "--untracked-files=normal", "--", *chosen))


def resolve(root: Path, ref: str) -> str:
    """The commit that a branch, tag or other revision means; empty when there is no such commit."""
    return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()


def files_at(root: Path, commit: str, folder: str) -> tuple[str, ...]:
    """Files below a folder in a commit; paths, given and returned, are relative to `root`."""
    return tuple(filter(None, _git(root, "ls-tree", "-r", "-z", "--name-only", commit, "--", folder).split("\0")))


def file_at(root: Path, commit: str, path: str) -> bytes | None:
    """Content of a file, by its path relative to `root`, in a commit; None when it is not there."""
    return _output(root, "cat-file", "blob", f"{commit}:./{path}")


def _git(root: Path, *arguments: str) -> str:
    """Output of a git command as text; empty when it fails."""
    return (_output(root, *arguments) or b"").decode("utf-8", "replace")


def _output(root: Path, *arguments: str) -> bytes | None:
    """Output of a git command; None when it fails."""
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, *SAFE, "-C", str(root), *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the program is found by its full path
            command,
            env={**inherited, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
