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
SAFE: Final = (
    *("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false"),
    *("--no-optional-locks", "--literal-pathspecs"),
)
DEFAULT_BRANCHES: Final = ("origin/main", "origin/master", "main", "master")


def head_commit(root: Path) -> str:
    """The commit that is checked out; empty outside a repository, before the first commit, and without git."""
    return _git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()


def user(root: Path) -> tuple[str, ...]:
    """Name and e-mail address of who commits here, as git is set up; empty where it is not."""
    return tuple(filter(None, (_git(root, "config", name).strip() for name in ("user.name", "user.email"))))


def authors_since(root: Path, commit: str) -> tuple[str, ...]:
    """Names and e-mail addresses of who wrote or committed what was added since a commit, each once."""
    said = _git(root, "log", "--format=%an%n%ae%n%cn%n%ce", f"{commit}..HEAD") if commit else ""
    return tuple(dict.fromkeys(filter(None, said.split("\n"))))


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


def contents_at(root: Path, commit: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Contents of many files, by their paths relative to `root`, in a commit; files that are not there are left out."""
    asked = [path for path in paths if "\n" not in path]
    given = "".join(f"{commit}:./{path}\n" for path in asked).encode()
    answer = _output(root, "cat-file", "--batch", given=given) if asked else None
    found: dict[str, bytes] = {}
    for path in asked if answer is not None else ():
        assert answer is not None
        line, _, rest = answer.partition(b"\n")
        words = line.rsplit(b" ", 2)
        if len(words) == 3 and words[1] == b"blob" and words[2].isdigit():
            size = int(words[2])
            found[path], rest = rest[:size], rest[size + 1 :]
        answer = rest
    return found


def default_branch(root: Path) -> str:
    """The branch that others are merged into, as far as this clone knows it, such as `origin/main`; else empty."""
    named = _git(root, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD").strip().removeprefix("refs/remotes/")
    candidates = (named, *DEFAULT_BRANCHES) if named else DEFAULT_BRANCHES
    return next((name for name in candidates if resolve(root, name)), "")


def merge_base(root: Path, commit: str) -> str:
    """The newest commit that the one that is checked out has in common with another; empty when there is none."""
    return _git(root, "merge-base", "HEAD", commit).strip()


def changed_files(root: Path, commit: str) -> frozenset[str] | None:
    """Files below `root` that differ from a commit, deleted and new ones included; None when git cannot tell.

    Paths are relative to `root`. New files that git ignores are not seen.
    """
    diff = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=dirty")
    changed = _output(root, *diff, "--relative", commit, "--", ".")
    new = _output(root, "ls-files", "-z", "--others", "--exclude-standard", "--", ".")
    if changed is None or new is None:
        return None
    return frozenset(filter(None, (changed + new).decode("utf-8", "surrogateescape").split("\0")))


def removed_in(root: Path, path: str) -> str:
    """The commit that removed a file, by its path relative to `root`; empty when it is still there, or never was."""
    if file_at(root, "HEAD", path) is not None:
        return ""
    return _git(root, "log", "-1", "--format=%H", "--diff-filter=D", "--no-renames", "HEAD", "--", path).strip()


def _git(root: Path, *arguments: str) -> str:
    """Output of a git command as text; empty when it fails."""
    return (_output(root, *arguments) or b"").decode("utf-8", "replace")


def _output(root: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    """Output of a git command that reads `given`; None when it fails."""
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, *SAFE, "-C", str(root), *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the program is found by its full path
            command,
            env={**inherited, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            input=given,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
