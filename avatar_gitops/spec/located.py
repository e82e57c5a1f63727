"""Plain data with the position of every key and value: what reading a YAML text gives, whichever reader read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.diagnostics import Span

Path = tuple[str | int, ...]

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain data, and where each path of it stands. Paths in `broken` have a finding already."""

    file: str
    data: Any
    values: dict[Path, Span]
    keys: dict[Path, Span]
    plain: dict[Path, str]
    broken: frozenset[Path]

    def locate(self, path: Path) -> Span:
        """The span of the value at a path, or of the nearest thing around it that was written."""
        return self._nearest(self.values, path)

    def locate_key(self, path: Path) -> Span:
        """The span of the key at a path; of the value for list items; of what is around it otherwise."""
        while path:
            if found := self.keys.get(path) or self.values.get(path):
                return found
            path = path[:-1]
        return self.locate(())

    def _nearest(self, spans: dict[Path, Span], path: Path) -> Span:
        while path:
            if path in spans:
                return spans[path]
            path = path[:-1]
        return spans.get((), Span(self.file, 1, 1, 1, 1))
