"""What one run may take on this server, from the environment that it was started with.

`AVATAR_MAX_LINES` is the number of rows that are anonymized in one piece (more are split into batches),
`AVATAR_MAX_DIMENSIONS` the number of dimensions above which a table is refused, `AVATAR_MEMORY_MIB` the memory that the
rows of one run may take by estimate: a table above it never is in memory as a whole (`server.work_large`). When nothing
is said it stays below the wall around a job (`server.job_limits`), with room for the program itself. Workers inherit
the environment of their server.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from avatar_gitops.engine.params import Limits
from avatar_gitops.errors import UsageError

LINES: Final = "AVATAR_MAX_LINES"
DIMENSIONS: Final = "AVATAR_MAX_DIMENSIONS"
MEMORY: Final = "AVATAR_MEMORY_MIB"
JOB_MEMORY: Final = "AVATAR_JOB_MEMORY_MIB"
PROGRAM_MIB: Final = 384  # of a worker with its libraries, and pieces of tables on their way in and out
LEAST_MIB: Final = 128
DEFAULTS: Final[Mapping[str, int]] = {LINES: 2_000_000, DIMENSIONS: 1_000, MEMORY: 8_192}


def run_limits(environment: Mapping[str, str] | None = None) -> Limits:
    """The limits of one run.

    Raises:
        UsageError: a variable is not a whole number above 0.
    """
    said = os.environ if environment is None else environment
    lines, dimensions = (whole_number(said, name) or DEFAULTS[name] for name in (LINES, DIMENSIONS))
    memory = whole_number(said, MEMORY)
    if memory is None:
        wall = whole_number(said, JOB_MEMORY)
        memory = DEFAULTS[MEMORY] if wall is None else max(LEAST_MIB, min(DEFAULTS[MEMORY], wall - PROGRAM_MIB))
    return Limits(rows=lines, memory=memory << 20, dimensions=dimensions)


def whole_number(said: Mapping[str, str], name: str, least: int = 1) -> int | None:
    """A variable as a number; None when it is not set or empty.

    Raises:
        UsageError: it is something else than a whole number of at least `least`.
    """
    text = said.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) < least:
        raise UsageError(f"{name} is not a whole number of at least {least}.", hint="Change it, or unset it.")
    return int(text)
