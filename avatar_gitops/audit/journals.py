"""Whether the journals of a bundle are as an apply writes them: whole lines, attempts begun, in the order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from avatar_gitops.audit.archive import Finding, guarded
from avatar_gitops.audit.layout import JOURNAL
from avatar_gitops.audit.story import Story, Told

EVER: Final = datetime.fromtimestamp(0, UTC)
BEGUN: Final = "Begun"
START: Final = b'{"at": "'
"""What every line begins with, also one that a crash tore."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line and its number from 1; `content` is None for a line that a crash may have torn."""

    number: int
    content: Mapping[str, Any] | None


def check(story: Story, told: Told) -> Iterator[Finding]:
    """Lines that no apply wrote; lines whose times go backwards are noted, since a clock can be set back."""
    for name in sorted(name for name in story.files if name.startswith(JOURNAL)):
        yield from guarded(name, _journal(story, told, name))


def _journal(story: Story, told: Told, name: str) -> Iterator[Finding]:
    lines = [_Line(number, _content(raw)) for number, raw in enumerate(story.files[name].split(b"\n"), 1) if raw]
    for line, after in zip(lines, [*lines[1:], None], strict=True):
        if line.content is None and after is not None and _event(after) != BEGUN:
            yield Finding(name, f"line {line.number} is not one that avatar-gitops wrote")
        elif line.content is None:
            told.notes.append(f"{name}: line {line.number} is not whole, as after a crash")
    whole = [line for line in lines if line.content is not None]
    if not whole or _event(whole[0]) != BEGUN:
        yield Finding(name, "it does not begin with the plan of an apply")
        return
    plans = {str(line.content["plan"]) for line in whole if line.content and _event(line) == BEGUN}
    if any(plan.rpartition(":")[2][:8] != name.removeprefix(JOURNAL).removesuffix(".jsonl") for plan in plans):
        yield Finding(name, "it is about another plan than its name says")
    told.notes += [f"{name}: line {number} is earlier than one before it" for number in _backwards(whole)[:1]]


def _content(raw: bytes) -> Mapping[str, Any] | None:
    """A line as data, None for the beginning of one. Raises ValueError for what no apply writes."""
    try:
        found: dict[str, Any] = json.loads(raw)
    except ValueError:
        if raw[: len(START)] != START[: len(raw)]:
            raise
        return None
    if json.dumps(found, ensure_ascii=False).encode() != raw or not isinstance(found["event"], str):
        raise ValueError("it is not written as journals are")
    return found


def _event(line: _Line) -> str:
    return str(line.content["event"]) if line.content is not None else ""


def _backwards(lines: Sequence[_Line]) -> list[int]:
    """Lines with an earlier time than their attempt or than one above them of their set; sets run beside each other."""
    found: list[int] = []
    begun, last = EVER, dict[str, datetime]()
    for line in lines:
        assert line.content is not None
        at = datetime.fromisoformat(line.content["at"])
        of = str(line.content.get("set", ""))
        if _event(line) == BEGUN:
            before, begun, last = max([begun, *last.values()]), at, {}
        else:
            before = last.get(of, begun)
            last |= {of: at} if of else {}
        if at < before:
            found.append(line.number)
    return found
