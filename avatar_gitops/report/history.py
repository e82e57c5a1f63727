"""Applies of the past as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from avatar_gitops.report.values import Style, count, plain, safe, short_digest, to_ascii

HEAD: Final = ("WHEN (UTC)", "PLAN", "SERVER", "COMMIT", "OUTCOME")
WELL: Final = frozenset({"published", "updated", "deleted"})
MOST_NAMES: Final = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One apply. `sets` maps each set to how it ended, `outcome` each ending to how many sets had it."""

    begun: str
    plan: str
    server: str
    commit: str
    sets: Mapping[str, str]
    actions: Mapping[str, str]
    outcome: Mapping[str, int]
    force: str = ""

    @property
    def well(self) -> bool:
        """Whether every set ended as it was meant to."""
        return WELL.issuperset(self.outcome)


def render(entries: Sequence[Entry], *, style: Style = plain, ascii_only: bool = False) -> str:
    """One line for each apply, newest first, and under it the sets that did not end well."""
    if not entries:
        return "There is no journal of an apply in this project.\n"
    rows = [HEAD, *(_cells(entry) for entry in entries)]
    widths = [max(len(row[index]) for row in rows) for index in range(len(HEAD))]
    lines = [style(_line(HEAD, widths), "bold")]
    for entry, cells in zip(entries, rows[1:], strict=True):
        line = _line(cells, widths)
        lines.append(line if entry.well else style(line, "warn"))
        lines += [f"    {safe(name)}: {safe(_words(state))}" for name, state in entry.sets.items() if state not in WELL]
        if entry.force:
            lines.append(f"    forced: {safe(entry.force)}")
    if not entries[0].well:
        again = "resume" if "not ended" in entries[0].outcome or "interrupted" in entries[0].outcome else "retry"
        lines += ["", f"Next: avatar-gitops {again}"]
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(entries: Sequence[Entry]) -> str:
    """The same as one JSON document."""
    content = {"format": "avatar-gitops/history", "version": "1.0", "applies": [asdict(entry) for entry in entries]}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _cells(entry: Entry) -> tuple[str, ...]:
    ended = ", ".join(f"{number} {_words(state)}" for state, number in entry.outcome.items())
    return (
        safe(entry.begun[:19].replace("T", " ")),
        safe(short_digest(entry.plan)),
        safe(entry.server),
        safe(entry.commit[:7]) or "-",
        f"{count(len(entry.sets), 'set')}: {safe(ended)}{_names(entry)}",
    )


def _names(entry: Entry) -> str:
    """The names of the sets, where they fit and are not listed below."""
    names = [safe(name) for name in entry.sets]
    return f" ({', '.join(names)})" if entry.well and len(names) <= MOST_NAMES else ""


def _words(state: str) -> str:
    return state.replace("_", " ")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
