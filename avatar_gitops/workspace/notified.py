"""What was posted to webhooks from this folder: `.avatar/notified.jsonl`, one JSON object per line.

An outcome of a set is told once for each state of its spec and data. When these change, the record of that set starts
again, so that what comes back later is told again.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = Path(".avatar") / "notified.jsonl"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: `hook` names where, `set` is empty for the project, `digest` what the set was made from."""

    hook: str
    set: str
    digest: str
    outcome: str


@dataclass(slots=True)
class Notified:
    """The record of one project folder; a line that a crash tore is skipped."""

    path: Path
    _told: dict[tuple[str, str], tuple[str, set[str]]] = field(default_factory=dict)

    @staticmethod
    def read(root: Path) -> Notified:
        """What was told so far."""
        record = Notified(root / FILE)
        with contextlib.suppress(FileNotFoundError):
            for raw in record.path.read_bytes().splitlines():
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    line = json.loads(raw)
                    record._note(Notice(**{name: str(line[name]) for name in ("hook", "set", "digest", "outcome")}))
        return record

    def told(self, notice: Notice) -> bool:
        """Whether this was told since the set last changed."""
        digest, outcomes = self._told.get((notice.hook, notice.set), ("", set()))
        return digest == notice.digest and notice.outcome in outcomes

    def knows(self, notice: Notice) -> bool:
        """Whether anything was ever told about this set there."""
        return (notice.hook, notice.set) in self._told

    def add(self, notice: Notice) -> None:
        """Remember that it was told. Raises OSError."""
        self._note(notice)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.write(b"\n" * _torn(self.path) + json.dumps(asdict(notice), ensure_ascii=False).encode() + b"\n")

    def _note(self, notice: Notice) -> None:
        digest, outcomes = self._told.get((notice.hook, notice.set), ("", set()))
        kept = outcomes if digest == notice.digest else set()
        self._told[notice.hook, notice.set] = (notice.digest, kept | {notice.outcome})


def _torn(path: Path) -> bool:
    """Whether the file ends in the middle of a line."""
    with path.open("rb") as stream:
        if stream.seek(0, os.SEEK_END) == 0:
            return False
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"
