"""Worker processes of an embedded platform, to be found and held still."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
    held = children(address.pid)
    assert held, "a server has workers"
    for worker in held:
        os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in held:
            with suppress(ProcessLookupError):  # it was killed meanwhile, as some tests want it
                os.kill(worker, signal.SIGCONT)
