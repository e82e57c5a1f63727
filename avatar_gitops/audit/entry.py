"""One line of the audit log: what it says, its digest, and its canonical text."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.spec.canonical import canonical

VERSION: Final = 1


class Phase(StrEnum):
    """When a line is written: before anything is changed, after everything ended, or instead of both."""

    BEGUN = "begun"
    ENDED = "ended"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Override:
    """A guard rail that somebody passed: the option or place that allows it, what it was given, and the reason."""

    option: str
    value: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WaiverUsed:
    """Somebody answers for a finding of a rule in a set."""

    rule: str
    set: str
    owner: str
    reason: str
    expires: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line says. `sets` maps set to action when it begins, to state when it ended; no value of any data.

    `run` is the id of the command run; `plan` is empty when the plan itself was refused. `approved_at` says when those
    in `approvals` agreed, as far as that is known (ISO text, UTC); `authors` wrote what is applied.
    """

    phase: Phase
    command: str
    run: str
    actor: str
    project: str
    server: str = ""
    plan: str = ""
    commit: str = ""
    sets: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    approvals: tuple[str, ...] = ()
    approved_at: Mapping[str, str] = field(default_factory=dict)
    authors: tuple[str, ...] = ()
    waivers: tuple[WaiverUsed, ...] = ()
    refusal: str = ""
    message: str = ""
    exit_code: int | None = None


def chained(entry: Entry, seq: int, prev: str, now: datetime, torn: str = "") -> dict[str, Any]:
    """A line as data: the entry with its number, its time, the digest of the line before and its own.

    `torn` is the digest of a piece of a line that a crash left before this one.
    """
    content: dict[str, Any] = {
        "version": VERSION,
        "seq": seq,
        "at": now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        **asdict(entry),
        "phase": entry.phase.value,
        "prev": prev,
        **({"torn": torn} if torn else {}),
    }
    content = {name: list(value) if isinstance(value, tuple) else value for name, value in content.items()}
    return {**content, "digest": line_digest(content)}


def line_digest(content: Mapping[str, Any]) -> str:
    """Digest of a line without the digest that it carries."""
    return bytes_digest(canonical({name: value for name, value in content.items() if name != "digest"}))


def bytes_digest(content: bytes) -> str:
    """`sha256:` and the SHA-256 of some bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def line_bytes(content: Mapping[str, Any]) -> bytes:
    """The only text that a line may have: RFC 8785, and a line feed."""
    return canonical(dict(content)) + b"\n"
