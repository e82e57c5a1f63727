"""A project as an offline plan sees it: specs of now, lock files of a commit, data as far as they are here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar_gitops.app.inputs import ABSENT, digest_key, existing_file, is_pointer, not_declared, sources_of
from avatar_gitops.app.loading import Loaded, assemble, locks_of
from avatar_gitops.app.selecting import commit_of
from avatar_gitops.app.validate import LoadedProject, LoadedRun, invalid, validate, with_findings
from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.plan.context import Base, NotCompared, Why
from avatar_gitops.plan.desired import TableInput, input_name
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.offline import published_input
from avatar_gitops.spec.facts import UNKNOWN_ROWS, InputFacts, Shape, bucket, scheme
from avatar_gitops.spec.models import Source
from avatar_gitops.spec.project import Project
from avatar_gitops.workspace.git import contents_at, default_branch, files_at, head_commit, merge_base, resolve
from avatar_gitops.workspace.inputs import InputUnreadable, local_facts, read_shape, remote_facts
from avatar_gitops.workspace.locks import parse_lock

SUFFIX: Final = ".lock.yaml"
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Offline:
    """Ask for a plan without a server; `base` is the revision whose lock files count, None for the best guess.

    `on_disk` = the lock files as they are in the work tree count, whatever git knows.
    """

    base: str | None = None
    on_disk: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """A project beside the lock files of a commit, and the data files that were not compared."""

    loaded: Loaded
    base: Base
    not_compared: tuple[NotCompared, ...]


def remember(project_path: Path | None, asked: Offline) -> Remembered:
    """Read the specs of now and the locks of then. Needs no server, no secret and no data.

    Raises SpecError with every finding, UsageError for a revision that git does not know.
    """
    result = validate(project_path, absent_ok=True)
    if result.project is None or not result.ok:
        raise invalid(result)
    base = Base() if asked.on_disk else find_base(result.root, asked.base)
    locks = {lock.set: lock for lock in _locks(result.root, result.project, base)}
    key = digest_key(result.project, os.environ, required=False)
    reader = _Reader(result.root, key, keyless=result.project.spec.digest_key is not None and key is None)
    runs, missing, problems = [], [], []
    for run in result.runs:
        found = [reader.read(run, item, locks) for item in _inputs(run)]
        runs.append(replace(run, inputs=tuple(fact for fact, _, _ in found)))
        missing += [gap for _, gap, _ in found if gap is not None]
        problems += [finding for _, _, findings in found for finding in findings]
    if problems:
        raise invalid(with_findings(result, problems))
    whole = LoadedProject(result.root, result.project, tuple(runs), result.diagnostics)
    return Remembered(assemble(whole, locks.values()), base, tuple(missing))


def find_base(root: Path, ref: str | None) -> Base:
    """The commit to compare with: asked for, else where this branch left the default one, else what is checked out."""
    if ref is not None:
        return Base(commit_of(root, ref, f"--base {ref}"), ref)
    branch = default_branch(root)
    common = merge_base(root, resolve(root, branch)) if branch else ""
    if common:
        return Base(common, f"merge base with {branch}")
    head = head_commit(root)
    return Base(head, "HEAD") if head else Base()


def _locks(root: Path, project: Project, base: Base) -> Iterator[Lock]:
    """Lock files of the base, whatever has become of them since."""
    if not base.commit:
        yield from locks_of(root, project)
        return
    names = [name for name in files_at(root, base.commit, project.spec.specs) if name.endswith(SUFFIX)]
    for name, content in contents_at(root, base.commit, names).items():
        yield parse_lock(content, f"{name} at {base.ref}")


@dataclass(frozen=True, slots=True)
class _Input:
    """One data file of a run as its spec names it; `name` is the table, `input` what the file is called in locks."""

    name: str
    input: str
    source: Source
    place: tuple[str | int, ...]


def _inputs(run: LoadedRun) -> Iterator[_Input]:
    for name, role, source, place in sources_of(run.parsed):
        yield _Input(name, input_name(name, role), source, place)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Facts about data files; `keyless` = the project keys its digests and the key is not here."""

    root: Path
    key: bytes | None
    keyless: bool

    def read(
        self, run: LoadedRun, item: _Input, locks: Mapping[str, Lock]
    ) -> tuple[InputFacts, NotCompared | None, tuple[Diagnostic, ...]]:
        """The facts of a file, why they are those of the lock, and what is wrong with the file."""
        uri, name = item.source.uri, run.run.metadata.name
        if scheme(uri) is not None:
            return remote_facts(item.input, uri, item.source.digest or ""), None, ()
        lock = locks.get(name)
        before = published_input(lock, item.input, uri) if lock else None
        path = self._here(uri)
        if path is None:
            return _absent(item, before), NotCompared(name, item.input, Why.NOT_HERE), ()
        if self.keyless:
            return _keyless(item, path, before), NotCompared(name, item.input, Why.NO_KEY), ()
        fact = local_facts(item.input, uri, path, self.key)
        return fact, None, tuple(not_declared(run.parsed, item.name, item.source, item.place, fact))

    def _here(self, uri: str) -> Path | None:
        """The file, unless it is not here or only as a pointer."""
        try:
            path = existing_file(self.root, uri)
        except InputUnreadable as error:
            if error.code == ABSENT:
                return None
            raise
        return None if is_pointer(read_shape(path, max_rows=0)) else path


def _absent(item: _Input, before: TableInput | None) -> InputFacts:
    """What was published, unless the spec names another content; else only what the spec says."""
    said = item.source.digest
    if before is not None and said in {None, before.digest}:
        return _as_published(item, before)
    return InputFacts(item.input, item.source.uri, (), UNKNOWN_ROWS, 0, said or UNKNOWN)


def _keyless(item: _Input, path: Path, before: TableInput | None) -> InputFacts:
    """What was published when size and columns are the same; no digest without the key, which would tell too much."""
    shape: Shape = read_shape(path)
    size = path.stat().st_size
    if before is not None and (before.bytes, before.columns) == (size, shape.safe_columns):
        return _as_published(item, before)
    return InputFacts(item.input, item.source.uri, shape.safe_columns, bucket(shape.rows), size, UNKNOWN)


def _as_published(item: _Input, before: TableInput) -> InputFacts:
    return InputFacts(item.input, item.source.uri, before.columns, before.rows, before.bytes, before.digest)
