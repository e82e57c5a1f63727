"""Whether an audit log is as it was written: every line in its place, none changed, removed, swapped or added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avatar_gitops.audit.entry import bytes_digest
from avatar_gitops.audit.log import FOLDER, HEAD, Line, as_written, lines, read_head


@dataclass(frozen=True, slots=True)
class Verified:
    """The lines up to the first one that is not as it was written; `broken` says where and how, or is empty.

    `notes` tell of crashes that the log has outlived.
    """

    entries: tuple[Mapping[str, Any], ...] = ()
    broken: str = ""
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every line is as it was written."""
        return not self.broken


class _Broken(Exception):
    """The first line that is not as it was written."""


def verify(root: Path) -> Verified:
    """Read a project's audit log and check it; a log that does not exist is empty and well."""
    return verify_lines(lines(root), read_head(root))


def verify_lines(written: Iterable[Line], head: Mapping[str, Any] | None) -> Verified:
    """Check the lines of a log, oldest first, and what its head says; None when there is none."""
    entries: list[dict[str, Any]] = []
    notes: list[str] = []
    try:
        _check_lines(written, entries, notes)
        _check_head(head, entries, notes)
    except _Broken as found:
        return Verified(tuple(entries), str(found), tuple(notes))
    return Verified(tuple(entries), notes=tuple(notes))


def _check_lines(found: Iterable[Line], entries: list[dict[str, Any]], notes: list[str]) -> None:
    torn: Line | None = None
    for line in found:
        content = line.content
        if content is None:
            if torn is not None:
                raise _Broken(_says(torn, "it is not a line that avatar-gitops wrote"))
            torn = line
            continue
        _check(line, content, entries[-1] if entries else None, torn)
        if torn is not None:
            notes.append(_says(torn, "a crash tore this line; the log goes on after it"))
            torn = None
        entries.append(content)
    if torn is not None:
        raise _Broken(_says(torn, "it is torn or was added; after a crash the next apply goes on behind it"))


def _check(line: Line, content: dict[str, Any], before: Mapping[str, Any] | None, torn: Line | None) -> None:
    piece = bytes_digest(torn.raw.removesuffix(b"\n")) if torn is not None else None
    seq = int(before["seq"]) + 1 if before else 1
    if torn is not None and content.get("torn") != piece:
        raise _Broken(_says(torn, "it is not a line that avatar-gitops wrote"))
    if not as_written(content, line.raw) or (torn is None and "torn" in content):
        raise _Broken(_says(line, "it was changed"))
    if content.get("seq") != seq or content.get("prev") != (before["digest"] if before else ""):
        raise _Broken(_says(line, f"line {seq} of the log is expected here; lines were removed, moved or added"))
    if not str(content.get("at", "")).startswith(line.file.removesuffix(".jsonl")):
        raise _Broken(_says(line, "it belongs to another month"))


def _check_head(head: Mapping[str, Any] | None, entries: list[dict[str, Any]], notes: list[str]) -> None:
    where = (FOLDER / HEAD).as_posix()
    named = None if head is None else (head.get("seq"), head.get("digest"))
    ends = [None, *((entry["seq"], entry["digest"]) for entry in entries)]
    if named == ends[-1]:
        return
    if len(ends) > 1 and named == ends[-2]:
        notes.append(f"{where} is one line behind: a crash came between the two; the next apply repairs it")
        return
    raise _Broken(f"{where}: it does not name the last line; lines were removed at the end, or it was changed")


def _says(line: Line, what: str) -> str:
    return f"{(FOLDER / line.file).as_posix()}:{line.number}: {what}"
