"""What a preview compares: for each set that would run again, the spec as it is and the one that is published."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from avatar_gitops.app.inputs import existing_file, facts_of, is_pointer
from avatar_gitops.app.loading import Loaded
from avatar_gitops.app.offline import Offline
from avatar_gitops.app.plan import Consent, plan_offline
from avatar_gitops.app.validate import LoadedRun
from avatar_gitops.diagnostics import Diagnostic, SpecError
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, FieldChange, Selection
from avatar_gitops.plan.prediction import Basis
from avatar_gitops.plan.versions import first_difference
from avatar_gitops.spec.facts import InputFacts, scheme
from avatar_gitops.spec.fields import STAGE, Consequence
from avatar_gitops.spec.models import AvatarRun, Source, Table
from avatar_gitops.workspace.inputs import InputUnreadable, read_shape

AUTO: Final = "auto"
RERUN: Final = frozenset({Consequence.RERUN_ALL, Consequence.RERUN_METRICS})
DATA_ONLY: Final = "only the data changed, and the published run was made from other data: the head alone is measured"


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

    loaded: Loaded
    cases: tuple[Case, ...]
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A set that would run again, and what is published of it; `here` = the data are at hand."""

    loaded: LoadedRun
    desired: DesiredSet
    lock: Lock | None
    fields: tuple[FieldChange, ...]
    here: bool


def cases(project: Path | None, selection: Selection, on: str, base: str = "") -> Cases:
    """The sets that a plan against the lock files would run again, or measure again, ready to run.

    `base` is a git revision whose lock files count; without it those on disk do. Needs neither a server nor a secret,
    and the data only where no sample stands in for them. Raises SpecError, UsageError.
    """
    offline = Offline(base) if base else Offline(on_disk=True)
    planned = plan_offline(project, Consent(look=True), selection, offline)
    loaded = planned.loaded
    candidates = [_candidate(loaded, change) for change in planned.plan.changes if _runs_again(change)]
    ready = [(one, _basis(one, on)) for one in candidates]
    _refuse([problem for one, basis in ready for problem in _nothing_to_run_on(one, basis)])
    made = tuple(_case(loaded, one, basis) for one, basis in ready)
    present = [change for change in planned.plan.changes if change.desired is not None]
    return Cases(loaded, made, len(present) - len(made))


def _runs_again(change: Change) -> bool:
    stages = {STAGE[job] for job in change.jobs}
    return change.action in {Action.LAUNCH, Action.RELAUNCH} and bool(stages & RERUN)


def _candidate(loaded: Loaded, change: Change) -> _Candidate:
    assert change.desired is not None
    run = loaded.runs[change.set]
    lock = change.lock or next(iter(change.left), None)
    here = all(_is_here(loaded.root, source) for source in _files(run.run))
    return _Candidate(run, change.desired, lock, change.fields, here)


def _refuse(problems: Iterable[Diagnostic]) -> None:
    found = tuple(problems)
    if found:
        raise SpecError("a preview has nothing to run on", found, hint="avatar-gitops explain X024")


def _inputs(loaded: Loaded, run: LoadedRun, wanted: AvatarRun) -> tuple[tuple[TableInput, ...], list[Diagnostic]]:
    """The files that a run reads, fingerprinted without a key: these digests stay on this machine."""
    spec = loaded.project.spec.model_copy(update={"digest_key": None})
    plain = loaded.project.model_copy(update={"spec": spec})
    facts, problems = facts_of(loaded.root, plain, replace(run.parsed, value=wanted), {})
    return tuple(map(_input, facts)), problems


def _basis(one: _Candidate, on: str) -> Basis:
    if on != AUTO:
        return Basis(on)
    tables = one.loaded.run.spec.tables.values()
    remote = any(scheme(_uri(source)) is not None for source in _files(one.loaded.run))
    sampled = all(table.sample is not None and table.avatars is None for table in tables)
    return Basis.SAMPLE if not one.here or (remote and sampled) else Basis.DATA


def _nothing_to_run_on(one: _Candidate, basis: Basis) -> Iterator[Diagnostic]:
    """A finding for each table that keeps a set from running on a basis."""
    if basis is Basis.DATA and one.here:
        return
    for name, table in one.loaded.run.spec.tables.items():
        problem, fix = _missing(table, basis)
        if problem:
            path = ("spec", "tables", name)
            yield Diagnostic(
                code="X024",
                message=f"table `{name}` cannot be previewed: {problem}",
                span=one.loaded.parsed.locate_key(path),
                path=path,
                why="" if one.here else "the data are not here, so that only a sample could stand in for them",
                fix=fix,
            )


def _missing(table: Table, basis: Basis) -> tuple[str, str]:
    """What a table lacks to run on a basis, and what to do; empty when it lacks nothing."""
    if basis is Basis.DATA:
        return "its data are not here", "avatar-gitops preview --on sample, or bring the data here"
    if table.avatars is not None:
        return "its avatars are given, and belong to the data and not to a sample", "bring the data here"
    if table.sample is None:
        return "it has no `sample`", "add `sample: FILE`, a synthetic table with the columns of the source"
    return "", ""


def _case(loaded: Loaded, one: _Candidate, basis: Basis) -> Case:
    run = one.loaded.run if basis is Basis.DATA else _on_samples(one.loaded.run)
    inputs, problems = _inputs(loaded, one.loaded, run)
    _refuse(problems)
    base, notes = _base(loaded, one, run)
    return Case(
        name=one.desired.name,
        path=one.desired.path,
        basis=basis,
        head=desire(run, one.desired.path, inputs),
        base=base,
        new=one.lock is None,
        fields=one.fields,
        notes=notes,
    )


def _base(loaded: Loaded, one: _Candidate, head: AvatarRun) -> tuple[DesiredSet | None, tuple[str, ...]]:
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
    inputs, problems = _inputs(loaded, one.loaded, run)
    if problems:
        return None, ("the input of the published spec cannot be read: the head alone is measured",)
    return desire(run, one.desired.path, inputs), ()


def _tables(run: AvatarRun) -> Iterable[tuple[str, Table]]:
    return run.spec.tables.items()


def _fed(table: Table, like: Table) -> Table:
    """A table that reads what another one reads."""
    given = like.avatars if table.avatars is not None else None
    control = like.holdout if table.holdout is not None else None
    update = {"avatars": given or table.avatars, "holdout": control or table.holdout}
    return table.model_copy(update={"source": like.source, **update, "sample": None})


def _on_samples(run: AvatarRun) -> AvatarRun:
    """The run with each table's sample in place of its data."""
    return _with_tables(
        run,
        {
            # real people are no control for avatars of synthetic ones
            name: table.model_copy(update={"source": table.sample, "sample": None, "holdout": None})
            for name, table in _tables(run)
        },
    )


def _with_tables(run: AvatarRun, tables: Mapping[str, Table]) -> AvatarRun:
    return run.model_copy(update={"spec": run.spec.model_copy(update={"tables": dict(tables)})})


def _files(run: AvatarRun) -> Iterator[str | Source]:
    for table in run.spec.tables.values():
        yield table.source
        yield from (given for given in (table.avatars, table.holdout) if given is not None)


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
