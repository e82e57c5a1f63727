"""Which processes use a server that was started on demand: each holds a locked file, and the lock dies with it."""

from __future__ import annotations

import uuid
from pathlib import Path

from filelock import FileLock, Timeout


def hold(folder: Path) -> FileLock:
    """Take hold; release the lock, or die, to let go."""
    while True:
        lock = FileLock(folder / uuid.uuid4().hex)
        lock.acquire()
        # Between creation and locking the file could be taken for a stale one and removed.
        if Path(lock.lock_file).exists():
            return lock
        lock.release()


def let_go(lock: FileLock) -> None:
    """Release a hold."""
    path = Path(lock.lock_file)
    lock.release()
    path.unlink(missing_ok=True)


def other_holders(folder: Path, mine: FileLock | None = None) -> bool:
    """Whether any process holds, apart from `mine`; removes files that dead processes left."""
    for path in folder.iterdir():
        if mine is not None and path == Path(mine.lock_file):
            continue
        if is_locked(path):
            return True
        path.unlink(missing_ok=True)
    return False


def is_locked(path: Path) -> bool:
    """Whether some process has locked the file."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
