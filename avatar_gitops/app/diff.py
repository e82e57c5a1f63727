"""`diff`: two published runs, from the lock files of now or of any commit. Needs git, and no server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from avatar_gitops.app.loading import AppliedProject, load_applied
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.compare import Comparison, compare
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.noise import NoiseBand
from avatar_gitops.workspace.git import file_at, files_at, resolve
from avatar_gitops.workspace.locks import parse_lock
from avatar_gitops.workspace.noise import read_noise

SUFFIX = ".lock.yaml"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs and what they were called."""

    comparison: Comparison
    labels: tuple[str, str]


def diff(project: Path | None, before: str, after: str | None) -> Compared:
    """Compare `NAME` or `NAME@REF` with another one; alone, the committed lock is compared with the one of now."""
    applied = load_applied(project)
    first, second = (before, after) if after is not None else (_committed(before), before)
    old, new = _lock(applied, first), _lock(applied, second)
    return Compared(compare(old, new, _band(applied, old, new)), (first, second))


def _band(applied: AppliedProject, old: Lock, new: Lock) -> NoiseBand | None:
    """What was measured for the later run, else for the earlier one; only bands of now are looked at."""
    found = (read_noise(applied.root, lock.path, lock.set) for lock in (new, old))
    return next((band for band in found if band is not None), None)


def _committed(text: str) -> str:
    if "@" in text:
        raise UsageError(f"{text} is compared with what?", hint=f"avatar-gitops diff {text} {text.partition('@')[0]}")
    return f"{text}@HEAD"


def _lock(applied: AppliedProject, text: str) -> Lock:
    name, at, ref = text.partition("@")
    if not at:
        if name in applied.locks:
            return applied.locks[name]
        raise _no_set(name, "no lock file", sorted(applied.locks))
    commit = resolve(applied.root, ref) if ref else ""
    if not commit:
        raise UsageError(f"git does not know the commit `{ref}`", hint="NAME@REF takes a branch, a tag or a commit")
    names = []
    for lock in _locks_at(applied, name, commit, ref):
        if lock.set == name:
            return lock
        names.append(lock.set)
    raise _no_set(name, f"no lock file at {ref}", sorted(names))


def _locks_at(applied: AppliedProject, name: str, commit: str, ref: str) -> Iterator[Lock]:
    """The locks of a commit, the likeliest first."""
    paths = [path for path in files_at(applied.root, commit, applied.project.spec.specs) if path.endswith(SUFFIX)]
    for path in sorted(paths, key=lambda path: (Path(path).name != name + SUFFIX, path)):
        content = file_at(applied.root, commit, path)
        if content is not None:
            yield parse_lock(content, f"{path} at {ref}")


def _no_set(name: str, why: str, known: list[str]) -> UsageError:
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"published there: {', '.join(known) or 'nothing'}"
    return UsageError(f"there is {why} for a set `{name}`", hint=hint)
