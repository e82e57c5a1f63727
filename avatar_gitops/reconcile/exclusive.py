"""One apply at a time in a project of this machine, and who it is that the others wait for."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from avatar_gitops.errors import Locked
from avatar_gitops.ports import Clock

LOCK: Final = Path(".avatar") / "apply.lock"
HOLDER: Final = Path(".avatar") / "apply.json"


def this_process() -> str:
    """Who holds a lock that this process takes: machine and process id."""
    return f"{socket.gethostname()}, process {os.getpid()}"


@contextmanager
def exclusive(root: Path, clock: Clock, *, who: str | None = None, timeout: float = 0.0) -> Iterator[None]:
    """Hold the project's apply lock; wait up to `timeout` seconds for it. Raises Locked.

    The lock is the operating system's own, so it ends with the process, whatever happens to that.
    """
    path = root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        raise _locked(root) from None
    try:
        holder = root / HOLDER
        holder.write_text(
            json.dumps({"by": who or this_process(), "since": clock.now().strftime("%Y-%m-%d %H:%M UTC")}),
            encoding="utf-8",
        )
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                holder.unlink()
    finally:
        lock.release()


def _locked(root: Path) -> Locked:
    try:
        holder = json.loads((root / HOLDER).read_text(encoding="utf-8"))
        about = f"by {holder['by']}, since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        about = "by an apply that has only just begun"
    return Locked(
        f"another apply works on this project: {about}",
        hint="wait for it to end, also with --lock-timeout 30m; the lock goes away with its process",
        code="R008",
    )
