"""What a preview compares: for each set that would run again, the spec as it is and the one that is published."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from avatar_gitops.app.inputs import digest_key, existing_file, facts_of, is_pointer
from avatar_gitops.app.validate import LoadedRun, ValidationResult, invalid, validate
from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.diff import against_lock
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, FieldChange, Reason, Selection
from avatar_gitops.plan.prediction import Basis
from avatar_gitops.plan.select import chosen
from avatar_gitops.plan.versions import first_difference
from avatar_gitops.spec.facts import InputFacts, scheme
from avatar_gitops.spec.fields import Consequence
from avatar_gitops.spec.models import AvatarRun, Source, Table
from avatar_gitops.spec.project import Project
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.git import contents_at, files_at, resolve
from avatar_gitops.workspace.inputs import InputUnreadable, read_shape
from avatar_gitops.workspace.locks import parse_lock

AUTO: Final = "auto"
LOCKS: Final = ".lock.yaml"
RERUN: Final = frozenset({Consequence.RERUN_ALL, Consequence.RERUN_METRICS})
DATA_ONLY: Final = "only the data changed, and the published run was made from other data: the head alone is measured"


@dataclass(frozen=True, slots=True)
class Sources:
    """A valid project whose data files need not be here, with the locks of now or of a commit."""

    result: ValidationResult
    project: Project
    locks: Mapping[str, Lock]

    @property
    def root(self) -> Path:
        """The project folder."""
        return self.result.root


@dataclass(frozen=True, slots=True)
class Case:
    """One set to measure: `head` is the spec of now, `base` the published one on the same input, if there is one.

    `name` and `path` are the set's; the runs may read samples in place of the data.
    """

    name: str
    path: str
    basis: Basis
    head: DesiredSet
    base: DesiredSet | None = None
    new: bool = False
    fields: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cases:
    """The sets to measure, and how many others would not run again."""

    cases: tuple[Case, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A set as it is now beside what is published of it; `here` = the data are at hand."""

    loaded: LoadedRun
    desired: DesiredSet
    lock: Lock | None
    here: bool

    @property
    def stage(self) -> Consequence:
        """The first stage that would run again; data that cannot be compared count as unchanged."""
        if self.lock is None:
            return Consequence.RERUN_ALL
        now = self.desired.digests
        if not self.desired.inputs:
            now = replace(now, input=self.lock.digests.input)
        return first_difference(self.lock.digests, now)

    @property
    def change(self) -> Change:
        """The set as selectors see it."""
        again = self.stage is not Consequence.METADATA
        action = (Action.RELAUNCH if self.lock else Action.LAUNCH) if again else Action.UNCHANGED
        reason = (Reason.SPEC_CHANGED if self.lock else Reason.NEW) if again else Reason.NOTHING_CHANGED
        fields = against_lock(self.desired, self.lock)
        return Change(self.desired.name, action, reason, self.desired.path, fields, (), self.desired, lock=self.lock)


def read(project: Path | None, base: str = "") -> Sources:
    """Read a project as a preview needs it. Raises SpecError, and UsageError for a revision that git does not know."""
    result = validate(project, absent_ok=True)
    if result.project is None or not result.ok:
        raise invalid(result)
    locks = _locks_at(result.root, result.project, base) if base else _locks(result.root, result.project)
    return Sources(result, result.project, {lock.set: lock for lock in locks})


def cases(found: Sources, selection: Selection, on: str) -> Cases:
    """The sets that would run again because of their spec or their data, ready to run.

    Raises SpecError when there is nothing to run one of them on.
    """
    candidates = [_candidate(found, loaded) for loaded in found.result.runs]
    changes = [candidate.change for candidate in candidates]
    names = chosen(changes, selection)
    wanted = [one for one in candidates if one.desired.name in names and one.stage in RERUN]
    ready = [(one, _basis(one, on)) for one in wanted]
    problems = [problem for one, basis in ready for problem in _nothing_to_run_on(one, basis)]
    if problems:
        raise invalid(replace(found.result, diagnostics=(*found.result.diagnostics, *problems)))
    made = tuple(_case(found, one, basis) for one, basis in ready)
    return Cases(made, len(names) - len(made))


def inputs_of(found: Sources, loaded: LoadedRun, run: AvatarRun) -> tuple[tuple[TableInput, ...], list[Diagnostic]]:
    """The files that a run reads, fingerprinted without a key: these digests stay on this machine."""
    spec = found.project.spec.model_copy(update={"digest_key": None})
    plain = found.project.model_copy(update={"spec": spec})
    facts, problems = facts_of(found.root, plain, replace(loaded.parsed, value=run), {})
    return tuple(map(_input, facts)), problems


def _candidate(found: Sources, loaded: LoadedRun) -> _Candidate:
    here = all(_is_here(found.root, source) for source in _files(loaded.run))
    inputs: tuple[TableInput, ...] = ()
    keyed = found.project.spec.digest_key is not None
    if here and not (keyed and digest_key(found.project, os.environ, required=False) is None):
        facts, problems = facts_of(found.root, found.project, loaded.parsed, os.environ)
        if problems:
            raise invalid(replace(found.result, diagnostics=(*found.result.diagnostics, *problems)))
        inputs = tuple(map(_input, facts))
    desired = desire(loaded.run, shown(found.root, loaded.path), inputs)
    return _Candidate(loaded, desired, _lock(found, desired.name), here)


def _lock(found: Sources, name: str) -> Lock | None:
    """What is published of a set, also under the names that it had."""
    before = {moved.to: moved.from_ for moved in found.project.spec.moved}
    seen: set[str] = set()
    while name not in found.locks and name in before and name not in seen:
        seen.add(name)
        name = before[name]
    return found.locks.get(name)


def _basis(one: _Candidate, on: str) -> Basis:
    if on != AUTO:
        return Basis(on)
    tables = one.loaded.run.spec.tables.values()
    remote = any(scheme(_uri(source)) is not None for source in _files(one.loaded.run))
    sampled = all(table.sample is not None for table in tables)
    return Basis.SAMPLE if not one.here or (remote and sampled) else Basis.DATA


def _nothing_to_run_on(one: _Candidate, basis: Basis) -> Iterator[Diagnostic]:
    if basis is Basis.DATA and one.here:
        return
    for name, table in one.loaded.run.spec.tables.items():
        if basis is Basis.SAMPLE and table.sample is not None:
            continue
        path = ("spec", "tables", name)
        wanted = "it has no `sample`" if basis is Basis.SAMPLE else "its data are not here"
        yield Diagnostic(
            code="X024",
            message=f"table `{name}` cannot be previewed: {wanted}",
            span=one.loaded.parsed.locate_key(path),
            path=path,
            why="" if one.here else "the data are not here, so that only a sample could stand in for them",
            fix="add `sample: FILE`, a synthetic table with the columns of the source"
            if basis is Basis.SAMPLE
            else "avatar-gitops preview --on sample, or bring the data here",
        )


def _case(found: Sources, one: _Candidate, basis: Basis) -> Case:
    run = one.loaded.run if basis is Basis.DATA else _on_samples(one.loaded.run)
    inputs, problems = inputs_of(found, one.loaded, run)
    if problems:
        raise invalid(replace(found.result, diagnostics=(*found.result.diagnostics, *problems)))
    head = desire(run, one.desired.path, inputs, one.desired.lines)
    base, notes = _base(found, one, run)
    return Case(
        name=one.desired.name,
        path=one.desired.path,
        basis=basis,
        head=head,
        base=base,
        new=one.lock is None,
        fields=one.change.fields,
        notes=notes,
    )


def _base(found: Sources, one: _Candidate, head: AvatarRun) -> tuple[DesiredSet | None, tuple[str, ...]]:
    """The published spec on the input of the head, and why there is none."""
    if one.lock is None:
        return None, ()
    content = replace(one.desired.digests, input=one.lock.digests.input)
    if first_difference(one.lock.digests, content) not in RERUN:
        return None, (DATA_ONLY,)
    try:
        published = AvatarRun.model_validate_json(json.dumps(one.lock.spec))
    except ValidationError:
        return None, ("the published spec is not valid for this version: the head alone is measured",)
    missing = [name for name in published.spec.tables if name not in head.spec.tables]
    if missing:
        return None, (f"{', '.join(missing)} left the spec, so that the published one cannot run on the same tables",)
    run = _with_tables(published, {name: _fed(table, head.spec.tables[name]) for name, table in _tables(published)})
    inputs, problems = inputs_of(found, one.loaded, run)
    if problems:
        return None, ("the input of the published spec cannot be read: the head alone is measured",)
    return desire(run, one.desired.path, inputs), ()


def _tables(run: AvatarRun) -> Iterable[tuple[str, Table]]:
    return run.spec.tables.items()


def _fed(table: Table, like: Table) -> Table:
    """A table that reads what another one reads."""
    given = like.avatars if table.avatars is not None else None
    return table.model_copy(update={"source": like.source, "avatars": given or table.avatars, "sample": None})


def _on_samples(run: AvatarRun) -> AvatarRun:
    """The run with each table's sample in place of its data."""
    return _with_tables(
        run, {name: table.model_copy(update={"source": table.sample, "sample": None}) for name, table in _tables(run)}
    )


def _with_tables(run: AvatarRun, tables: Mapping[str, Table]) -> AvatarRun:
    return run.model_copy(update={"spec": run.spec.model_copy(update={"tables": dict(tables)})})


def _files(run: AvatarRun) -> Iterator[str | Source]:
    for table in run.spec.tables.values():
        yield table.source
        if table.avatars is not None:
            yield table.avatars


def _uri(source: str | Source) -> str:
    return source if isinstance(source, str) else source.uri


def _is_here(root: Path, source: str | Source) -> bool:
    """Whether a file can be read: it is on this machine, and not as a pointer of Git LFS only, or it has an address."""
    if scheme(_uri(source)) is not None:
        return True
    try:
        return not is_pointer(read_shape(existing_file(root, _uri(source)), max_rows=1))
    except InputUnreadable:
        return False


def _input(facts: InputFacts) -> TableInput:
    return TableInput(facts.table, facts.digest, facts.bytes, facts.columns, facts.rows_bucket)


def _locks(root: Path, project: Project) -> Iterator[Lock]:
    for path in sorted((root / project.spec.specs).rglob(f"*{LOCKS}")):
        yield parse_lock(path.read_bytes(), shown(root, path))


def _locks_at(root: Path, project: Project, ref: str) -> Iterator[Lock]:
    commit = resolve(root, ref)
    if not commit:
        raise UsageError(f"git does not know the commit `{ref}`", hint="--base takes a branch, a tag or a commit")
    paths = [path for path in files_at(root, commit, project.spec.specs) if path.endswith(LOCKS)]
    for path, content in contents_at(root, commit, paths).items():
        yield parse_lock(content, f"{path} at {ref}")
