"""Worker processes of an embedded platform, to be found and held still."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from avatar_gitops.server.state import read_address


def children(pid: int) -> list[int]:
    """Worker processes of a server."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


@contextmanager
def workers_held(state: Path) -> Iterator[None]:
    """No job of the server of this folder goes on in here, however fast the machine is."""
    address = read_address(state / "server.json")
    assert address is not None
    workers = children(address.pid)
    assert workers, "a server has workers"
    _signal(workers, signal.SIGSTOP)
    while not _can_be_written(state / "platform.sqlite3"):  # one was stopped in the middle of a transaction
        _signal(workers, signal.SIGCONT)
        time.sleep(0.05)
        _signal(workers, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(workers, signal.SIGCONT)


def _signal(workers: list[int], number: signal.Signals) -> None:
    for worker in workers:
        with suppress(ProcessLookupError):  # it was killed while it was held
            os.kill(worker, number)


def _can_be_written(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
