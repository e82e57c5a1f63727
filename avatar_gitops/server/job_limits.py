"""The hard walls around one job: the memory and the time after which it ends with an error, alone.

They are options of `serve`, or `AVATAR_JOB_MEMORY_MIB` and `AVATAR_JOB_SECONDS` in its environment. The supervisor
watches from outside, so they hold whatever the numerics do: a job cannot catch, delay or outgrow them. What a run takes
by estimate, and when it is cut into batches, is decided before by `limits`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.errors import UsageError
from avatar_gitops.server.limits import JOB_MEMORY, whole_number
from avatar_gitops.server.limits import MEMORY as BUDGET

MEMORY: Final = JOB_MEMORY
SECONDS: Final = "AVATAR_JOB_SECONDS"
DEFAULT_SECONDS: Final = 86_400
LEAST_MEMORY_MIB: Final = 512  # the libraries alone take about a third of it
CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


@dataclass(slots=True, frozen=True)
class JobLimits:
    """What one job may take: bytes of resident memory of the process that runs it, and seconds from its start."""

    memory: int
    seconds: int

    @property
    def too_much_memory(self) -> str:
        """What a job says that was ended at the wall of memory."""
        return (
            f"The job needed more memory than one job may use on this platform ({self.memory >> 20:,} MiB)."
            " Anonymize fewer rows or columns at once, or a smaller ncp; or let whoever runs the platform lower"
            f" {BUDGET}, above which tables go in batches, or raise {MEMORY}."
        )

    @property
    def too_much_time(self) -> str:
        """What a job says that was ended at the wall of time."""
        return (
            f"The job took longer than one job may on this platform ({self.seconds:,} seconds)."
            " Anonymize fewer rows or columns at once, or a smaller ncp; or let whoever runs the platform raise"
            f" {SECONDS}."
        )

    @property
    def environment(self) -> dict[str, str]:
        """The limits as the environment of a worker."""
        return {MEMORY: str(self.memory >> 20), SECONDS: str(self.seconds)}


def job_limits(
    workers: int, memory: int | None = None, seconds: int | None = None, environment: Mapping[str, str] | None = None
) -> JobLimits:
    """The walls: what was said (MiB and seconds), else what the environment says, else the defaults.

    By default the workers together get nine tenths of the machine, each the same, and a job gets a day.

    Raises:
        UsageError: a variable is not a whole number, or the memory is too little for any job.
    """
    said = os.environ if environment is None else environment
    if memory is not None and memory < LEAST_MEMORY_MIB:
        raise UsageError(f"A job cannot run with less than {LEAST_MEMORY_MIB} MiB of memory.")
    share = machine_memory() * 9 // 10 // workers >> 20
    mib = memory or whole_number(said, MEMORY, LEAST_MEMORY_MIB) or max(LEAST_MEMORY_MIB, share)
    return JobLimits(mib << 20, seconds or whole_number(said, SECONDS, 1) or DEFAULT_SECONDS)


def worker_limit() -> int:
    """The wall of memory around this worker in bytes, as its server said it; without a server, the whole machine."""
    return int(os.environ.get(MEMORY) or machine_memory() >> 20) << 20


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container that we are in, has."""
    import psutil  # here and below: a program that only talks to a server does without it

    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # no container, or `max`
        return min(total, int(CGROUP_LIMIT.read_text(encoding="ascii")))
    return total


def resident_bytes(process: int) -> int:
    """Resident memory of a process; 0 when it is gone."""
    import psutil

    with suppress(psutil.Error):
        return int(psutil.Process(process).memory_info().rss)
    return 0
