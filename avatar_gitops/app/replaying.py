"""`audit replay`: repeat published runs on the embedded engine and compare what comes out with what was published."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from avatar_gitops.app import artifacts
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.inputs import ROLES, digest_key, existing_file
from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.signing import seal_of
from avatar_gitops.app.trials import TRIAL, Bench, follow, launch, preview_platform
from avatar_gitops.app.verifying import LOCK, anchors, judged
from avatar_gitops.audit import archive
from avatar_gitops.audit.layout import PROJECT
from avatar_gitops.audit.replay import Comparison, Original, Side, Values, compare, replay_statement
from avatar_gitops.audit.statement import FILE, REPLAY_ENVELOPE, REPLAY_FILE, sha256, statement_bytes
from avatar_gitops.errors import AvatarGitOpsError, IntegrityError, UsageError
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire, input_name
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.noise import NoiseBand, lock_family
from avatar_gitops.plan.outcome import MetricBlock, RunResult
from avatar_gitops.spec.facts import scheme
from avatar_gitops.spec.models import AvatarRun, Job
from avatar_gitops.spec.parse import parse_project
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.wire.environment import DISTRIBUTIONS, parsed
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.inputs import InputUnreadable, file_digest
from avatar_gitops.workspace.locks import lock_path, parse_lock
from avatar_gitops.workspace.noise import parse_noise, read_noise

METRICS: Final = "metrics.json"
REPEATED: Final = (Job.STANDARD, Job.PRIVACY_METRICS, Job.SIGNAL_METRICS)
"""Jobs whose results are compared. Reports carry the time and the ids of their run, so that they never are the same."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of a published run. `blocks` are those of its metrics.json, None when that is not here."""

    lock: Lock
    seed: int | None
    environment: Mapping[str, Any] = field(default_factory=dict)
    statement: str = ""
    blocks: tuple[MetricBlock, ...] | None = None
    noise: NoiseBand | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """Where a replay finds data (the folder in which the paths of specs begin) and settings.

    `place` says where the statement about a set goes.
    """

    root: Path
    project: Project
    place: Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One run that was repeated; `comparison` is None when it could not be, and `problem` says why.

    `unchecked` are inputs of whose content only the spec knows; `keyed` = their digests are keyed.
    """

    set: str
    comparison: Comparison | None = None
    original: Original | None = None
    engine: str = ""
    problem: str = ""
    keyed: bool = False
    unchecked: tuple[str, ...] = ()
    statement: str = ""
    signed: bool = False


def replay(project: Path | None, names: Sequence[str], output: Path | None) -> tuple[Replayed, ...]:
    """Repeat published runs of a project, by default all of them. Raises UsageError for a set that is not published."""
    applied = load_applied(project)
    unknown = [name for name in names if name not in applied.locks]
    if unknown or not applied.locks:
        published = ", ".join(sorted(applied.locks)) or "none"
        raise UsageError(f"{', '.join(unknown) or 'nothing'} is not published", hint=f"published sets: {published}")
    chosen = [_of_project(applied.root, applied.out, applied.locks[name]) for name in names or sorted(applied.locks)]
    folder = output or applied.out
    return _replayed(chosen, Where(applied.root, applied.project, lambda name: folder / name))


def replay_bundle(bundle: Path, project: Path | None, data: Path | None, output: Path | None) -> tuple[Replayed, ...]:
    """Repeat every run of a bundle on the data below a folder, by default here.

    Raises IntegrityError for a bundle that is not as it was made.
    """
    opened = archive.opened(bundle)
    said = judged(opened, anchors(project, ()))
    if not said.whole:
        raise IntegrityError(
            f"{bundle} is not as it was made, so nothing is repeated", hint=f"avatar-gitops audit verify {bundle}"
        )
    settings = parse_project(opened.files[PROJECT + PROJECT_FILE], PROJECT_FILE).value
    if settings is None:
        raise IntegrityError(f"the project file in {bundle} is not valid for this version")
    names = sorted(name for name in opened.files if name.endswith(LOCK))
    chosen = [_of_bundle(opened.files, parse_lock(opened.files[name], name), settings) for name in names]
    folder = output or Path("replay")
    root = (data or Path.cwd()).resolve()
    return _replayed(chosen, Where(root, _unsigned_without_key(settings), lambda name: folder / name))


def _unsigned_without_key(project: Project) -> Project:
    """The settings of a project for somebody who need not have its key."""
    signing = project.spec.signing
    name = (signing.key or "").removeprefix("env/") if signing else ""
    if not name or os.environ.get(name) or os.environ.get(f"{name}_FILE"):
        return project
    return project.model_copy(update={"spec": project.spec.model_copy(update={"signing": None})})


def _of_project(root: Path, out: Path, lock: Lock) -> Recorded:
    folder = out / lock.set
    files = {name: (folder / name).read_bytes() for name in (FILE, METRICS) if (folder / name).is_file()}
    trusted = {name: content for name, content in files.items() if sha256(content) == lock.outputs.get(name)}
    return _recorded(lock, trusted, read_noise(root, lock.path, lock.set))


def _of_bundle(files: Mapping[str, bytes], lock: Lock, project: Project) -> Recorded:
    place = f"{PROJECT}{project.spec.out}/{lock.set}/"
    beside = [lock_path(Path(PROJECT), lock.path, of).as_posix() for of in (lock.set, "")]
    noises = [name for path in beside if (name := path.replace(LOCK, ".noise.yaml")) in files]
    bands = [parse_noise(files[name], name) for name in noises]
    band = next((band for band in bands if band.set == lock.set), None)
    return _recorded(lock, {name: files[place + name] for name in (FILE, METRICS) if place + name in files}, band)


def _recorded(lock: Lock, files: Mapping[str, bytes], noise: NoiseBand | None) -> Recorded:
    said = json.loads(files[FILE])["predicate"]["engine"] if FILE in files else {}
    seed = lock.spec["spec"].get("seed", said.get("seed"))
    return Recorded(
        lock=lock,
        seed=seed,
        environment=_plain(parsed(said.get("environment"))),
        statement=sha256(files[FILE]) if FILE in files else "",
        blocks=artifacts.blocks(files[METRICS]) if METRICS in files else None,
        noise=noise,
    )


def _plain(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environment.items() if name != DISTRIBUTIONS}


def _replayed(chosen: Sequence[Recorded], where: Where) -> tuple[Replayed, ...]:
    with preview_platform(where.root, where.project.metadata.name) as gateway:
        bench = Bench(gateway, SystemClock(), where.project.metadata.name)
        return tuple(_one(recorded, where, bench) for recorded in chosen)


def _one(recorded: Recorded, where: Where, bench: Bench) -> Replayed:
    lock = recorded.lock
    try:
        desired = _desired(recorded)
        unchecked = tuple(_check_inputs(desired, where))
        result = _run(desired, bench)
    except AvatarGitOpsError as error:
        return Replayed(lock.set, problem=f"{error.message}; {error.hint}" if error.hint else error.message)
    original = Original(
        lock.set, lock.run, lock.digests.spec, lock.digests.input, recorded.seed, statement=recorded.statement
    )
    repeated = _side(lock, result, recorded.blocks is not None)
    found = compare(_recorded_side(recorded), repeated, _band(recorded))
    made = statement_bytes(replay_statement(original, repeated, found))
    folder = where.place(lock.set)
    seal = seal_of(where.project, os.environ)
    write_atomic(folder / REPLAY_FILE, made)
    if seal is not None:
        write_atomic(folder / REPLAY_ENVELOPE, seal(made))
    return Replayed(
        set=lock.set,
        comparison=found,
        original=original,
        engine=repeated.engine,
        keyed=any(item.digest.startswith("hmac-") for item in lock.inputs),
        unchecked=unchecked,
        statement=shown(where.root, folder / REPLAY_FILE),
        signed=seal is not None,
    )


def _desired(recorded: Recorded) -> DesiredSet:
    """What ran, from the lock alone. Raises AvatarGitOpsError when it cannot be repeated."""
    lock = recorded.lock
    if recorded.seed is None:
        raise AvatarGitOpsError("no seed is on record", hint="say `seed` in the spec; then its runs can be repeated")
    try:
        run = AvatarRun.model_validate_json(json.dumps(lock.spec))
    except ValidationError:
        raise AvatarGitOpsError(
            "its spec is not valid for this version", hint=f"repeat it with the version that ran it ({lock.engine})"
        ) from None
    made = desire(run, lock.path, lock.inputs)
    if made.digests.spec != lock.digests.spec:
        raise AvatarGitOpsError(
            "this version reads its spec in another way", hint=f"repeat it with the version that ran it ({lock.engine})"
        )
    if run.spec.seed is None:
        run = run.model_copy(update={"spec": run.spec.model_copy(update={"seed": recorded.seed})})
        made = desire(run, lock.path, lock.inputs)
    return made


def _check_inputs(desired: DesiredSet, where: Where) -> Iterator[str]:
    """Data files have the digest of the run; names of those that are elsewhere. Raises AvatarGitOpsError."""
    expected = {item.table: item for item in desired.inputs}
    key = digest_key(where.project, os.environ) if any(_keyed(item) for item in expected.values()) else None
    for name, uri in _sources(desired.run):
        item = expected.get(name)
        if item is None:
            continue
        if scheme(uri) is not None:
            yield name
            continue
        try:
            found = file_digest(existing_file(where.root, uri), key if _keyed(item) else None)
        except InputUnreadable as error:
            raise AvatarGitOpsError(f"the data of {name} cannot be read: {error.message}", hint=error.hint) from None
        if found != item.digest:
            raise AvatarGitOpsError(
                f"the data of {name} are not those of the run: their digest is another one",
                hint="replay with the data as they were, such as from a backup",
            )


def _keyed(item: TableInput) -> bool:
    return item.digest.startswith("hmac-")


def _sources(run: AvatarRun) -> Iterator[tuple[str, str]]:
    """Name among the inputs and address of every data file."""
    for name, table in run.spec.tables.items():
        for role in ROLES:
            source = getattr(table, role)
            if source is not None:
                yield input_name(name, role), source if isinstance(source, str) else source.uri


def _run(desired: DesiredSet, bench: Bench) -> RunResult:
    """Run the jobs whose results are compared, and delete them again."""
    jobs = tuple(job for job in wanted(desired.run) if job in REPEATED)
    started: dict[Job, Any] = {}
    try:
        version = launch(desired, jobs, TRIAL, bench, started)
        ended = follow(desired.name, started, bench)
        return bench.server.results(version, {job: ended[job].name for job in jobs})
    finally:
        bench.server.delete([job.name for job in started.values()])


def _recorded_side(recorded: Recorded) -> Side:
    lock = recorded.lock
    files = {name: value for name, value in lock.outputs.items() if name == METRICS or name.startswith("avatars/")}
    metrics = _of_blocks(recorded.blocks) if recorded.blocks is not None else _of_lock(lock.metrics)
    return Side(files, metrics, lock.engine, recorded.environment)


def _side(lock: Lock, result: RunResult, whole: bool) -> Side:
    contents = {avatars.name: avatars.content for avatars in result.avatars.values()}
    contents[METRICS] = artifacts.json_bytes(artifacts.metrics(lock.set, result.blocks))
    metrics = _of_blocks(result.blocks) if whole else _of_lock(result.metrics)
    return Side(artifacts.digests(contents), metrics, result.engine, artifacts.environment(result))


def _of_blocks(blocks: Iterable[MetricBlock]) -> Values:
    found: dict[tuple[str, str, str], float] = {}
    for block in blocks:
        family = " ".join(filter(None, (block.family, block.computation_type, block.reference)))
        found |= {(block.table, family, name): value for name, value in block.values.items()}
    return found


def _of_lock(metrics: Mapping[str, Mapping[str, float]]) -> Values:
    """The values that gates read, which are all that a lock has."""
    return {(table, "judged", name): value for table, values in metrics.items() for name, value in values.items()}


def _band(recorded: Recorded) -> Callable[[str, str], float | None]:
    """How much a metric moves by chance, where the noise file beside the spec is about these data and parameters."""
    band = recorded.noise
    if band is None or band.moved(lock_family(recorded.lock), recorded.lock.engine):
        return lambda table, metric: None
    return band.tolerance
