"""A note that many write, kept in memory, for tests of the lease."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from avatar_gitops.errors import RemoteUnavailable


@dataclass
class MemoryBoard:
    """Implements `ports.Board`. `before_write` runs before each write; `lose` answers to writes are lost."""

    content: bytes | None = None
    number: int = 0
    writes: int = 0
    exact: bool = True
    lose: int = 0
    down: bool = False
    before_write: Callable[[], None] = lambda: None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> tuple[bytes, str] | None:
        if self.down:
            raise RemoteUnavailable("down")
        with self._guard:
            return None if self.content is None else (self.content, str(self.number))

    def write(self, content: bytes, tag: str | None) -> str | None:
        if self.down:
            raise RemoteUnavailable("down")
        self.before_write()
        with self._guard:
            if self.exact and tag != (None if self.content is None else str(self.number)):
                return None
            self.content, self.number, self.writes = content, self.number + 1, self.writes + 1
            if self.lose:
                self.lose -= 1
                return None
            return str(self.number)
