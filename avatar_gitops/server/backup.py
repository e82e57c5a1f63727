"""Backup of a state folder while its server runs, and its restoration.

A backup is a folder: the database as it was at one moment, every blob that it points at, and `SHA256SUMS` in the form
of `sha256sum --check`. Blobs never change, so those on the same file system are hard links. The key in `client.env` is
left out: the first start over a restored folder makes a new one, and keys that users hold go on working.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.errors import Locked, UsageError
from avatar_gitops.server.state import StateFolder

SUMS: Final = "SHA256SUMS"
ROUNDS: Final = 5  # blobs are made and removed while we copy; a snapshot that lost one is taken again
COPIED: Final = ("storage.secret", "audit.log")
POINTERS: Final = "SELECT blob FROM objects UNION SELECT blob FROM inputs UNION SELECT blob FROM upload_parts"
ELSEWHERE: Final = (
    "Back up the database first, with pg_dump or your provider's snapshots, then the bucket with its own versioning or"
    " replication: blobs never change, so a bucket that is copied after its database has all that it points at."
)


@dataclass(slots=True, frozen=True)
class Saved:
    """What a backup holds: number of files and their bytes."""

    files: int
    size: int


def back_up(state_dir: Path, target: Path) -> Saved:
    """Make a backup in a folder that does not exist yet; the server may run meanwhile.

    Raises:
        UsageError: there is no database in the state folder, its objects are elsewhere, or the target is in use.
    """
    state = StateFolder(state_dir.resolve())
    _check_source(state)
    with _made_whole(target) as folder:
        made = StateFolder(folder)
        made.blobs.mkdir(mode=0o700)
        _copy_consistently(state, made)
        for name in COPIED:
            if (state.root / name).exists():
                _copy(state.root / name, folder / name)
        return _write_sums(folder)


def restore(source: Path, state_dir: Path) -> Saved:
    """Make a state folder of a backup, after every digest was compared.

    Raises:
        UsageError: the state folder has something in it, or the backup is not complete and as it was made.
    """
    sums = _read_sums(source)
    with _made_whole(state_dir) as folder:
        size = 0
        for name, digest in sums.items():
            path = folder / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                _copy(source / name, path)
            except FileNotFoundError:
                raise UsageError(
                    f"The backup is not complete: {name} is missing.", hint="Use another backup."
                ) from None
            if _digest(path) != digest:
                raise UsageError(f"The backup was damaged: {name} is not as it was made.", hint="Use another backup.")
            size += path.stat().st_size
        state = StateFolder(folder)
        state.create()
        _check_database(state)
        return Saved(len(sums), size)


def _check_source(state: StateFolder) -> None:
    if os.environ.get("AVATAR_GITOPS_DATABASE"):
        raise UsageError("The database is not in the state folder.", hint=ELSEWHERE)
    if not state.database.is_file():
        raise UsageError(
            "There is no database in the state folder.",
            hint=f"Name the folder of the server with --state-dir. With a database by URL: {ELSEWHERE}",
        )
    with closing(_connect(state.database)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        query = "SELECT value FROM installation WHERE name = 'objects'"
        place = connection.execute(query).fetchone() if "installation" in tables else None
    if place is not None and str(place[0]).startswith("s3://"):
        raise UsageError(f"The files are in {place[0]}, not in the state folder.", hint=ELSEWHERE)


def _copy_consistently(state: StateFolder, made: StateFolder) -> None:
    # What is there now is taken before the database, so that the little that comes later is all that can get lost.
    for blob in _blobs(state):
        _take(state, made, blob)
    for _ in range(ROUNDS):
        made.database.unlink(missing_ok=True)
        _snapshot(state.database, made.database)
        wanted = _pointers(made)
        if all(_take(state, made, blob) for blob in wanted):
            break
    else:
        raise Locked("The folder changes too fast for a consistent backup.", hint="Try again when less is running.")
    for blob in _blobs(made) - wanted:
        _path(made, blob).unlink()


def _snapshot(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with closing(_connect(source)) as there, closing(sqlite3.connect(target)) as here:
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")  # one file; a start sets WAL again


def _pointers(state: StateFolder) -> set[str]:
    with closing(_connect(state.database)) as connection:
        return {row[0] for row in connection.execute(POINTERS)}


def _check_database(state: StateFolder) -> None:
    with closing(sqlite3.connect(state.database)) as connection:
        found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    missing = _pointers(state) - _blobs(state)
    if found != "ok" or missing:
        raise UsageError("The backup is not consistent in itself.", hint="Use another backup.")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=20)


def _blobs(state: StateFolder) -> set[str]:
    return {path.name for path in state.blobs.glob("*/*") if path.is_file()}


def _path(state: StateFolder, blob: str) -> Path:
    return state.blobs / blob[:2] / blob


def _take(state: StateFolder, made: StateFolder, blob: str) -> bool:
    """Let the backup have a blob; False when it is gone."""
    target = _path(made, blob)
    if target.exists():
        return True
    target.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        try:
            os.link(_path(state, blob), target)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
                raise
            _copy(_path(state, blob), target)  # another file system, or one without links
    except FileNotFoundError:
        target.unlink(missing_ok=True)
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            shutil.copyfileobj(read, written, 1 << 20)
            written.flush()
            os.fsync(written.fileno())


def _write_sums(folder: Path) -> Saved:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    _write(folder / SUMS, "".join(lines))
    return Saved(len(paths), sum(path.stat().st_size for path in paths))


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read_sums(source: Path) -> dict[str, str]:
    try:
        lines = (source / SUMS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UsageError(f"This is no backup: it has no {SUMS}.", hint="Name the folder that a backup made.") from None
    sums = {}
    for line in lines:
        digest, _, name = line.partition("  ")
        parts = name.split("/")
        known = name in {"platform.sqlite3", *COPIED} or (len(parts) == 3 and parts[0] == "blobs")
        if not known or ".." in parts or len(digest) != 64:
            raise UsageError(f"This is no backup: its {SUMS} names what no backup has.", hint="Use another backup.")
        sums[name] = digest
    if "platform.sqlite3" not in sums:
        raise UsageError("The backup is not complete: it has no database.", hint="Use another backup.")
    return sums


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """A new folder that appears under its name when it is complete, or not at all."""
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target.name} is there already and not an empty folder.", hint="Nothing is overwritten.")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.mkdir(mode=0o700)
    except FileExistsError:
        raise Locked(
            f"{partial.name} is there already: another backup runs, or one was interrupted.",
            hint="Remove that folder when none runs.",
        ) from None
    try:
        yield partial
        partial.replace(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
