"""The audit log on disk: `audit/<year>-<month>.jsonl` in the project's folder, one canonical JSON object per line.

Each line holds the digest of the line before, across months. `audit/head.json` names the last line, so that lines that
are cut off at the end are missed, too. It is written after the line: a crash between the two leaves it one behind.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from avatar_gitops.audit.entry import Entry, bytes_digest, chained, line_bytes, line_digest

FOLDER: Final = Path("audit")
HEAD: Final = "head.json"
PLANS: Final = "plans"
GUARD: Final = Path(".avatar") / "audit.lock"
MONTH: Final = re.compile(r"\d{4}-\d{2}\.jsonl")
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
MOST_LINES: Final = (1 << 53) - 1  # the last whole number of canonical JSON
WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One raw line: its file inside the folder, its number from 1, its bytes with the line feed if it has one."""

    file: str
    number: int
    raw: bytes

    @property
    def content(self) -> dict[str, Any] | None:
        """The line as data; None when it is no JSON object."""
        try:
            content = json.loads(self.raw)
        except (ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


def append(root: Path, entry: Entry, now: datetime) -> str:
    """Write one line, on disk when this returns, and return its digest. Safe against other processes.

    What a crash tore stays in the file as a line of its own, and the new line holds its digest.
    """
    folder = root / FOLDER
    (root / GUARD).parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True)
    with FileLock(root / GUARD, timeout=WAIT_SECONDS):
        last, torn = _end(folder)
        piece = bytes_digest(torn.raw) if torn is not None and not _whole(torn) else ""
        seq, prev = (int(last["seq"]), str(last["digest"])) if last else (0, "")
        content = chained(entry, seq + 1, prev, now, piece)
        file = folder / f"{content['at'][:7]}.jsonl"
        if torn is not None:
            _add(folder / torn.file, b"\n")
        _add(file, line_bytes(content))
        _write_head(folder, content)
    return str(content["digest"])


def plan_path(digest: str) -> Path:
    """Where the record of a plan is, from the project's folder."""
    return FOLDER / PLANS / f"{digest.rpartition(':')[2][:16]}.json"


def lines(root: Path) -> Iterator[Line]:
    """Every line of every month, oldest first."""
    for path in sorted((root / FOLDER).glob("*.jsonl")):
        if MONTH.fullmatch(path.name):
            yield from lines_in(path.name, path.read_bytes())


def lines_in(name: str, content: bytes) -> Iterator[Line]:
    """The lines of the file of one month."""
    for number, raw in enumerate(content.splitlines(keepends=True), start=1):
        yield Line(name, number, raw)


def read_head(root: Path) -> Mapping[str, Any] | None:
    """What `head.json` says; None when there is none, nothing in it when it cannot be read."""
    try:
        raw = (root / FOLDER / HEAD).read_bytes()
    except FileNotFoundError:
        return None
    return head_in(raw)


def head_in(raw: bytes) -> Mapping[str, Any]:
    """What the bytes of `head.json` say; nothing when they are not as they were written."""
    try:
        content = json.loads(raw)
        return content if isinstance(content, dict) and line_bytes(content) == raw else {}
    except (ValueError, RecursionError):
        return {}


def as_written(content: Mapping[str, Any], raw: bytes) -> bool:
    """Whether the bytes of a line, line feed included, are what is written for its content, and its digest is right."""
    try:
        return line_bytes(content) == raw and content.get("digest") == line_digest(content)
    except (ValueError, RecursionError):  # what canonical JSON does not have
        return False


def _end(folder: Path) -> tuple[dict[str, Any] | None, Line | None]:
    """The last line that can be read, and the last line of all when it has no line feed."""
    last, final = None, None
    for final in lines(folder.parent):
        content = final.content
        if content is not None and _can_go_on(content):
            last = content
    return last, final if final is not None and not final.raw.endswith(b"\n") else None


def _can_go_on(content: Mapping[str, Any]) -> bool:
    """Whether a line has a number and a digest that the next line can build on."""
    seq, digest = content.get("seq"), content.get("digest")
    return isinstance(seq, int) and 0 < seq < MOST_LINES and isinstance(digest, str) and bool(DIGEST.fullmatch(digest))


def _whole(line: Line) -> bool:
    """Whether a line without line feed is complete otherwise."""
    content = line.content
    return content is not None and as_written(content, line.raw + b"\n")


def _add(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_head(folder: Path, content: Mapping[str, Any]) -> None:
    temporary = folder / f".{HEAD}.tmp"
    temporary.write_bytes(line_bytes({"seq": content["seq"], "digest": content["digest"]}))
    temporary.replace(folder / HEAD)
