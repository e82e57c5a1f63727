"""Worker processes of an embedded platform."""

from __future__ import annotations

import subprocess


def children(pid: int) -> list[int]:
    """Worker processes of a server."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]
