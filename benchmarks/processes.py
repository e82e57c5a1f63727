"""Whole processes as the operating system saw them: wall and processor time, peak memory, and what else ran."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SHORT_SECONDS: Final = 40.0  # a case is repeated until its runs took about so long together
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A measured program did not end well; the text is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians of several runs of one command, and what the last run printed.

    `wall` and `processor` are seconds from start to exit, `peak` MiB of resident memory of the process, `foreign` the
    number of cores that other processes kept busy meanwhile, `stages` medians of the seconds that the program printed.
    """

    wall: float
    processor: float
    peak: float
    foreign: float
    runs: int
    stages: Mapping[str, float]
    said: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.wall:.2f} s"


def measure(command: Sequence[str], runs: int = 5, environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command up to `runs` times, fewer when it is slow; its last line of output is JSON with its `stages`.

    This process must stay small: Linux counts the memory of the parent at the start as memory of the child.
    """
    found: list[Measured] = []
    while len(found) < runs and (not found or found[0].wall * (len(found) + 1) <= SHORT_SECONDS):
        found.append(_once(command, environment or {}))
    middle = {
        name: statistics.median(getattr(one, name) for one in found)
        for name in ("wall", "processor", "peak", "foreign")
    }
    stages = {name: statistics.median(one.stages[name] for one in found) for name in found[0].stages}
    return Measured(**middle, runs=len(found), stages=stages, said=found[-1].said)


def _once(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        flags = os.O_WRONLY | os.O_CREAT
        actions = [
            (os.POSIX_SPAWN_OPEN, 1, str(out), flags, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, str(err), flags, 0o600),
        ]
        busy, start = busy_seconds(), time.perf_counter()
        child = os.posix_spawn(command[0], list(command), {**os.environ, **environment}, file_actions=actions)
        _, status, used = os.wait4(child, 0)
        wall, busy = time.perf_counter() - start, busy_seconds() - busy
        if os.waitstatus_to_exitcode(status) != 0:
            raise Failed(f"{' '.join(command)}: {err.read_text(errors='replace')[-2_000:]}")
        lines = out.read_text(encoding="utf-8").strip().splitlines()
    said: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    processor = used.ru_utime + used.ru_stime
    foreign = max(0.0, busy - processor) / wall
    return Measured(wall, processor, used.ru_maxrss / 1024, foreign, 1, said.pop("stages", {}), said)


def busy_seconds() -> float:
    """Seconds that all cores together have worked since the machine started."""
    with Path("/proc/stat").open(encoding="ascii") as file:
        user, nice, system, _, _, irq, soft, *_ = (int(value) for value in file.readline().split()[1:])
    return (user + nice + system + irq + soft) / _TICKS
