"""Lock files `NAME.lock.yaml`, beside each spec: what was published last, in a form that is reviewed in git."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.desired import Digests, TableInput
from avatar_gitops.plan.lock import Applied, GateResult, Lock
from avatar_gitops.spec import emit
from avatar_gitops.workspace import records
from avatar_gitops.workspace.files import remove, write_atomic

VERSION: Final = 1
HEADER: Final = "# written by avatar-gitops apply; do not edit, commit it together with the spec\n"
OPTIONAL: Final = frozenset({"noise", "moved_from", "earlier", "adopted"})
MAX_BYTES: Final = 16 << 20
DIGEST: Final = r"^(sha256|hmac-sha256):[0-9a-f]{64}$"

Digest = Annotated[str, Field(pattern=DIGEST)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Digests(_Part):
    spec: Digest
    standard: Digest
    metrics: Digest
    reports: Digest
    input: Digest


class _Input(_Part):
    digest: Digest
    bytes: int = Field(ge=0)
    columns: list[str]
    rows: str


class _Run(_Part):
    id: str
    started: str
    finished: str
    jobs: dict[str, str]


class _Gate(_Part):
    metric: str
    condition: str
    value: FiniteFloat | None = None
    passed: bool


class _Applied(_Part):
    plan_digest: str
    approved_by: list[str] = []
    waivers: list[str] = []
    weaker: list[str] = []


class _File(_Part):
    version: int
    set: str
    path: str
    moved_from: list[str] = []
    earlier: list[str] = []
    adopted: dict[str, _Digests] = {}
    commit: str = ""
    engine: str
    digests: _Digests
    inputs: dict[str, _Input]
    run: _Run
    metrics: dict[str, dict[str, FiniteFloat]] = {}
    noise: dict[str, dict[str, FiniteFloat]] = {}
    gates: list[_Gate] = []
    applied: _Applied | None = None
    outputs: dict[str, Digest] = {}
    spec: dict[str, Any]


def lock_path(root: Path, spec_path: str, one_of: str = "") -> Path:
    """The lock file of the spec at this path, which is relative to the project root.

    A spec that makes several sets has one beside it for each: `one_of` is the name of the set.
    """
    path = PurePosixPath(spec_path)
    return root / path.with_name(f"{path.stem}.{one_of}.lock.yaml" if one_of else f"{path.stem}.lock.yaml")


def lock_text(lock: Lock) -> str:
    """Text of a lock file; equal locks give equal bytes, whatever the order in their maps."""
    content = _File(
        version=VERSION,
        set=lock.set,
        path=lock.path,
        moved_from=list(lock.moved_from),
        earlier=list(lock.earlier),
        adopted={run: _Digests.model_validate(made, from_attributes=True) for run, made in lock.adopted.items()},
        commit=lock.commit,
        engine=lock.engine,
        digests=_Digests.model_validate(lock.digests, from_attributes=True),
        inputs={item.table: _input(item) for item in lock.inputs},
        run=_Run(id=lock.run, started=lock.started, finished=lock.finished, jobs=dict(lock.jobs)),
        metrics={table: dict(values) for table, values in lock.metrics.items()},
        noise={table: dict(values) for table, values in lock.noise.items()},
        gates=[_Gate.model_validate(gate, from_attributes=True) for gate in lock.gates],
        applied=_applied(lock.applied),
        outputs=dict(lock.outputs),
        spec=dict(lock.spec),
    )
    plain = content.model_dump(mode="json", exclude_none=True)
    # The parts stand in the order of the model, what is inside them in the order of the names.
    ordered = {name: _sorted(value) for name, value in plain.items() if value or name not in OPTIONAL}
    return HEADER + emit.documents([ordered])


def write_lock(root: Path, lock: Lock, *, one_of_many: bool = False) -> Path:
    """Write the lock beside its spec in one step and return the path.

    When the spec makes several sets now, or does no longer, the lock that the set had until then goes.
    """
    path, other = lock_path(root, lock.path), lock_path(root, lock.path, lock.set)
    if one_of_many:
        path, other = other, path
    write_atomic(path, lock_text(lock))
    _remove_of(other, lock.set)
    return path


def remove_lock(root: Path, spec_path: str, name: str) -> bool:
    """Remove the lock beside a spec, if it is still the one of the set of this name; False when it is not."""
    alone = _remove_of(lock_path(root, spec_path), name)
    return _remove_of(lock_path(root, spec_path, name), name) or alone


def _remove_of(path: Path, name: str) -> bool:
    """Remove a lock file, if it is the one of a set."""
    try:
        found = _read(path, path.name)
    except IntegrityError:
        return False
    return found is not None and found.set == name and remove(path)


def read_lock(root: Path, spec_path: str) -> Lock | None:
    """The lock of a spec; None when there is none. Raises IntegrityError."""
    path = lock_path(root, spec_path)
    return _read(path, _name(root, path))


def _read(path: Path, name: str) -> Lock | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise IntegrityError(f"{name} cannot be read ({error.strerror or 'unknown reason'})") from None
    return parse_lock(content, name)


def parse_lock(content: bytes, name: str) -> Lock:
    """A lock from the bytes of its file. Raises IntegrityError, which names the file and no value in it."""
    if len(content) > MAX_BYTES:
        raise IntegrityError(f"{name} is too large to be a lock file", hint=_REBUILD)
    try:
        loaded = records.load(content)
    except ValueError:
        raise IntegrityError(f"{name} is not a readable lock file", hint=_REBUILD) from None
    if not isinstance(loaded, dict):
        raise IntegrityError(f"{name} is not a lock file", hint=_REBUILD)
    _check_version(loaded, name)
    try:
        found = _File.model_validate(loaded)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IntegrityError(f"{name} is damaged at {place} ({first['type']})", hint=_REBUILD) from None
    return _to_lock(found)


_REBUILD: Final = "restore it from git, or remove it: the next apply writes it again from the server"


def _check_version(loaded: Mapping[Any, Any], name: str) -> None:
    version = loaded.get("version")
    if isinstance(version, bool) or not isinstance(version, int):
        raise IntegrityError(f"{name} does not say its version", hint=_REBUILD)
    if version > VERSION:
        raise IntegrityError(
            f"{name} was written by a newer avatar-gitops (version {version} of lock files, this one knows {VERSION})",
            hint="update avatar-gitops: pip install --upgrade avatar-gitops",
        )
    if version < VERSION:
        raise IntegrityError(f"{name} has version {version} of lock files, which never existed", hint=_REBUILD)


def _to_lock(found: _File) -> Lock:
    return Lock(
        set=found.set,
        path=found.path,
        digests=Digests(**found.digests.model_dump()),
        spec=found.spec,
        inputs=tuple(
            TableInput(table, item.digest, item.bytes, tuple(item.columns), item.rows)
            for table, item in found.inputs.items()
        ),
        run=found.run.id,
        started=found.run.started,
        finished=found.run.finished,
        jobs=found.run.jobs,
        engine=found.engine,
        outputs=found.outputs,
        metrics=found.metrics,
        noise=found.noise,
        gates=tuple(GateResult(gate.metric, gate.condition, gate.value, gate.passed) for gate in found.gates),
        commit=found.commit,
        moved_from=tuple(found.moved_from),
        earlier=tuple(found.earlier),
        adopted={run: Digests(**made.model_dump()) for run, made in found.adopted.items()},
        applied=_to_applied(found.applied),
    )


def _applied(applied: Applied | None) -> _Applied | None:
    if applied is None:
        return None
    return _Applied(
        plan_digest=applied.plan_digest,
        approved_by=list(applied.approved_by),
        waivers=list(applied.waivers),
        weaker=list(applied.weaker),
    )


def _to_applied(found: _Applied | None) -> Applied | None:
    if found is None:
        return None
    return Applied(found.plan_digest, tuple(found.approved_by), tuple(found.waivers), tuple(found.weaker))


def _input(item: TableInput) -> _Input:
    return _Input(digest=item.digest, bytes=item.bytes, columns=list(item.columns), rows=item.rows)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
