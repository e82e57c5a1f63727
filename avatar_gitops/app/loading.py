"""The project as plan and apply see it: desired sets with digests, lock files, the commit."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from avatar_gitops.app.inputs import facts_of
from avatar_gitops.app.validate import LoadedProject, LoadedRun, invalid, load_project, validate
from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.desired import DesiredSet, FieldPath, TableInput, desire
from avatar_gitops.plan.lock import Lock
from avatar_gitops.spec.facts import InputFacts
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.workspace.discover import find_root, shown
from avatar_gitops.workspace.git import head_commit
from avatar_gitops.workspace.locks import parse_lock


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid project. `locks` are by set name, also those whose spec is gone."""

    root: Path
    project: Project
    desired: tuple[DesiredSet, ...]
    locks: Mapping[str, Lock]
    commit: str
    warnings: tuple[Diagnostic, ...]
    runs: Mapping[str, LoadedRun]

    @property
    def name(self) -> str:
        """The project's id, which marks what it owns."""
        return self.project.metadata.name

    @property
    def out(self) -> Path:
        """Folder of the artifacts."""
        return self.root / self.project.spec.out

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        """The data files of a set as they are now. Raises AvatarGitOpsError when one cannot be read."""
        facts, problems = facts_of(self.root, self.project, self.runs[desired.name].parsed, os.environ)
        if problems:
            raise AvatarGitOpsError(problems[0].message, hint="avatar-gitops validate")
        return tuple(map(_input, facts))


def load(project_path: Path | None) -> Loaded:
    """Read all that a plan depends on. Raises SpecError with every finding, IntegrityError for a damaged lock."""
    found = load_project(project_path)
    return assemble(found, locks_of(found.root, found.project))


def assemble(found: LoadedProject, locks: Iterable[Lock]) -> Loaded:
    """A valid project with the locks that it is compared with."""
    return Loaded(
        root=found.root,
        project=found.project,
        desired=tuple(_desired(found, run) for run in found.runs),
        locks={lock.set: lock for lock in locks},
        commit=head_commit(found.root),
        warnings=found.warnings,
        runs={run.run.metadata.name: run for run in found.runs},
    )


@dataclass(frozen=True, slots=True)
class AppliedProject:
    """What was applied, from a valid project file and the lock files; specs are not looked at."""

    root: Path
    project: Project
    locks: Mapping[str, Lock]

    @property
    def name(self) -> str:
        """The project's id, which marks what it owns."""
        return self.project.metadata.name

    @property
    def out(self) -> Path:
        """Folder of the artifacts."""
        return self.root / self.project.spec.out


def load_applied(project_path: Path | None) -> AppliedProject:
    """Read the project file and the locks. Raises SpecError for the project file, IntegrityError for a damaged lock."""
    root = find_root(project_path or Path.cwd())
    found = validate(root, (root / PROJECT_FILE,))
    if found.project is None or not found.ok:
        raise invalid(found)
    return AppliedProject(root, found.project, {lock.set: lock for lock in locks_of(root, found.project)})


def _desired(found: LoadedProject, loaded: LoadedRun) -> DesiredSet:
    path = shown(found.root, loaded.path)
    spans = loaded.parsed.document.values if loaded.parsed.document else {}
    lines: dict[FieldPath, int] = {at: span.line for at, span in spans.items()}
    made = desire(loaded.run, path, map(_input, loaded.inputs), lines)
    names = {name: _from_root(found.root, name) for name in {span.file for span in spans.values()}}
    inherited = {at: names[span.file] for at, span in spans.items() if names[span.file] != path}
    return replace(made, files=inherited, one_of_many=bool(loaded.matrix))


def _from_root(root: Path, name: str) -> str:
    """A file of a finding, whose name starts where the command was called, as it is called from the project root."""
    return shown(root, Path(os.path.normpath(Path.cwd().resolve() / name)))


def _input(facts: InputFacts) -> TableInput:
    return TableInput(facts.table, facts.digest, facts.bytes, facts.columns, facts.rows_bucket)


def locks_of(root: Path, project: Project) -> Iterator[Lock]:
    """Every lock file on disk. Raises IntegrityError for a damaged one."""
    for path in sorted((root / project.spec.specs).rglob("*.lock.yaml")):
        yield parse_lock(path.read_bytes(), shown(root, path))
