"""The record of releases, `ledger/SOURCE.yaml`: one file per source, written by apply, committed with the locks.

A file only ever grows: a release stays in it when its set is deleted. The same release is written once, so that a
crash before the lock file was written, and the same apply again, change nothing.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.ledger import Release
from avatar_gitops.spec import emit
from avatar_gitops.spec.policies import LEDGER_FOLDER
from avatar_gitops.workspace import records
from avatar_gitops.workspace.files import write_atomic

VERSION: Final = 1
HEADER: Final = "# releases of one source, written by avatar-gitops apply; commit it, take nothing out\n"
MAX_BYTES: Final = 16 << 20
REBUILD: Final = "restore it from git; nothing else knows of releases whose sets are gone"

_APPENDING: Final = threading.Lock()
Digest = Annotated[str, Field(pattern=r"^((sha256|hmac-sha256):[0-9a-f]{64})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Release(_Part):
    set: str
    table: str
    when: str
    recipient: str
    method: str
    epsilon: FiniteFloat | None = None
    rows: str
    columns: list[str]
    data: Digest
    parameters: Digest
    avatars: Digest = ""
    run: str
    job: str = ""
    commit: str = ""
    approved_by: list[str] = []


class _File(_Part):
    version: int
    source: str
    releases: list[_Release]


def ledger_path(root: Path, source: str) -> Path:
    """The file of a source: the last part of its address, made safe, and eight characters that tell it from others."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", PurePosixPath(source).stem).strip("-")[:40] or "source"
    return root / LEDGER_FOLDER / f"{slug}-{hashlib.sha256(source.encode()).hexdigest()[:8]}.yaml"


def read_ledger(root: Path) -> tuple[Release, ...]:
    """All releases on record. Raises IntegrityError, which names the file and no value in it."""
    return tuple(release for path in sorted((root / LEDGER_FOLDER).glob("*.yaml")) for release in _read(root, path))


def append_releases(root: Path, releases: Iterable[Release]) -> None:
    """Put releases on record that are not there yet; safe to call from several threads of one apply."""
    with _APPENDING:
        by_source: dict[str, list[Release]] = {}
        for release in releases:
            by_source.setdefault(release.source, []).append(release)
        for source, new in by_source.items():
            path = ledger_path(root, source)
            before = _read(root, path) if path.is_file() else ()
            known = set(map(_identity, before))
            fresh = [release for release in new if _identity(release) not in known]
            if fresh:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(path, ledger_text(source, [*before, *fresh]))


def ledger_text(source: str, releases: Sequence[Release]) -> str:
    """Text of the file of one source."""
    content = _File(version=VERSION, source=source, releases=[_part(release) for release in releases])
    return HEADER + emit.documents([content.model_dump(mode="json", exclude_none=True)])


def parse_ledger(content: bytes, name: str) -> tuple[Release, ...]:
    """The releases in a file. Raises IntegrityError."""
    try:
        found = _File.model_validate(records.load(content))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IntegrityError(f"{name} is damaged at {place or 'its top'} ({first['type']})", hint=REBUILD) from None
    except ValueError:
        raise IntegrityError(f"{name} is not a readable record of releases", hint=REBUILD) from None
    if found.version != VERSION:
        raise IntegrityError(f"{name} has a version that this avatar-gitops does not know", hint="update avatar-gitops")
    return tuple(_release(found.source, part) for part in found.releases)


def _read(root: Path, path: Path) -> tuple[Release, ...]:
    name = path.relative_to(root).as_posix()
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise IntegrityError(f"{name} cannot be read ({error.strerror or 'unknown reason'})") from None
    if len(content) > MAX_BYTES:
        raise IntegrityError(f"{name} is too large to be a record of releases", hint=REBUILD)
    return parse_ledger(content, name)


def _identity(release: Release) -> tuple[str, ...]:
    """What makes it another entry: other bytes, or the same bytes for somebody else."""
    return release.set, release.table, release.recipient, release.key


def _part(release: Release) -> _Release:
    return _Release(
        set=release.set,
        table=release.table,
        when=release.when,
        recipient=release.recipient,
        method=release.method,
        epsilon=release.epsilon,
        rows=release.rows,
        columns=list(release.columns),
        data=release.data,
        parameters=release.parameters,
        avatars=release.avatars,
        run=release.run,
        job=release.job,
        commit=release.commit,
        approved_by=list(release.approved_by),
    )


def _release(source: str, part: _Release) -> Release:
    values = part.model_dump() | {"columns": tuple(part.columns), "approved_by": tuple(part.approved_by)}
    return Release(source=source, **values)
