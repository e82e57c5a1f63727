"""What versions say about themselves, kept between commands: documents of a version never change, and asking is slow.

The memory is sealed with the API key, so that only somebody who has the key can have written it: a file that came with
a branch, or one that was damaged, is nothing to remember. It holds our marks, no document and no secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from pydantic import TypeAdapter, ValidationError

Marks = Mapping[str, str]
Seal = Callable[[bytes], str]

MAX_VERSIONS: Final = 50_000
SEAL_LENGTH: Final = 64
VERSION: Final = "annotations 1\n"

_READ: Final = TypeAdapter(dict[str, dict[str, str]])


class Shelf(Protocol):
    """Where bytes may be kept between commands; whatever goes wrong there, nothing is found or nothing is kept."""

    def read(self, name: str) -> bytes | None:
        """What was kept under a name."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Keep bytes under a name."""
        ...


class Memory:
    """The marks of the versions of one server, for one key. Without a shelf it lasts as long as the process."""

    def __init__(self, server: str, seal: Seal, shelf: Shelf | None = None) -> None:
        self._seal, self._shelf = seal, shelf
        self._scope = f"{VERSION}{server}\n".encode()
        self._known: dict[str, Marks] = {}
        self._kept: frozenset[str] = frozenset()
        if shelf is not None:
            self._known = dict(self._opened(shelf.read(self._name)))
            self._kept = frozenset(self._known)

    def __contains__(self, version: str) -> bool:
        return version in self._known

    def get(self, version: str) -> Marks:
        """The marks of a version; none when it is not known."""
        return self._known.get(version, {})

    def __setitem__(self, version: str, marks: Marks) -> None:
        self._known[version] = marks

    def keep(self, listed: Mapping[str, object]) -> None:
        """Put the marks of the versions that the server lists on the shelf, if there is one and they are not there."""
        marks = {version: dict(self._known[version]) for version in sorted(listed) if version in self._known}
        if self._shelf is None or self._kept == marks.keys() or len(marks) > MAX_VERSIONS:
            return
        content = json.dumps(marks).encode()
        self._shelf.write(self._name, self._seal(self._scope + content).encode() + b"\n" + content)
        self._kept = frozenset(marks)

    @property
    def _name(self) -> str:
        return f"annotations-{self._seal(self._scope)[:16]}.json"

    def _opened(self, kept: bytes | None) -> Mapping[str, Marks]:
        if kept is None:
            return {}
        seal, content = kept[:SEAL_LENGTH], kept[SEAL_LENGTH + 1 :]
        if seal != self._seal(self._scope + content).encode():
            return {}
        try:
            return _READ.validate_json(content)
        except ValidationError:
            return {}
