"""A folder of files that only make the next command faster; any of them may be missing, and nobody is told."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.workspace.files import write_atomic

STATE: Final = ".avatar"
CACHE: Final = "cache"
MAX_BYTES: Final = 64 << 20
PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class FolderShelf:
    """The shelf of a project, `.avatar/cache`; implements `client.memory.Shelf`."""

    root: Path

    def read(self, name: str) -> bytes | None:
        """Content of a file; None when there is none, when it is too large and when it cannot be read."""
        try:
            with (self.root / STATE / CACHE / name).open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError:
            return None
        return content if len(content) <= MAX_BYTES else None

    def write(self, name: str, content: bytes) -> None:
        """Replace a file, for its owner only; nothing is written where nothing can be written."""
        with contextlib.suppress(OSError):
            state = self.root / STATE
            state.mkdir(exist_ok=True)
            if not (state / ".gitignore").exists():
                write_atomic(state / ".gitignore", "*\n")
            write_atomic(state / CACHE / name, content, mode=PRIVATE)
