"""What one run may take on this server, from the environment that it was started with.

`AVATAR_MAX_LINES` is the number of rows that are anonymized in one piece (more are split into batches),
`AVATAR_MAX_DIMENSIONS` the number of dimensions above which a table is refused, `AVATAR_MEMORY_MIB` the memory of one
run by estimate: above it batches begin, and a table that does not fit even so is refused. Workers inherit the
environment of their server.
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
DEFAULTS: Final[Mapping[str, int]] = {LINES: 2_000_000, DIMENSIONS: 1_000, MEMORY: 8_192}


def run_limits(environment: Mapping[str, str] | None = None) -> Limits:
    """The limits of one run.

    Raises:
        UsageError: a variable is not a positive whole number.
    """
    said = os.environ if environment is None else environment
    lines, dimensions, memory = (_positive(name, said.get(name, "")) for name in (LINES, DIMENSIONS, MEMORY))
    return Limits(rows=lines, memory=memory << 20, dimensions=dimensions)


def _positive(name: str, text: str) -> int:
    if not text.strip():
        return DEFAULTS[name]
    if not text.strip().isdecimal() or int(text) < 1:
        raise UsageError(f"{name} is not a positive whole number.", hint=f"Unset it, or use {DEFAULTS[name]}.")
    return int(text)
