"""The audit log as text and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from avatar_gitops.report.values import Style, count, plain, safe, short_digest, to_ascii

Lines = Sequence[Mapping[str, Any]]


def render(
    entries: Lines,
    broken: str,
    notes: Sequence[str],
    *,
    whole: Lines | None = None,
    style: Style = plain,
    ascii_only: bool = False,
) -> str:
    """Some lines of the log, oldest first, with what was overridden below them; then whether the log is whole.

    `whole` are all lines of the log, where only some are to be shown.
    """
    every = entries if whole is None else whole
    lines = [text for entry in entries for text in _entry(entry, style)]
    if lines:
        lines.append("")
    lines += [f"note: {safe(note)}" for note in notes]
    if broken:
        lines.append(style(f"The audit log is not as it was written. {safe(broken)}", "error"))
    elif every:
        shown = f"{len(entries)} of " if len(entries) < len(every) else ""
        last = short_digest(str(every[-1]["digest"]))
        lines.append(f"{shown}{count(len(every), 'line')}, each as it was written; the last is {last}.")
    else:
        lines.append("There is no audit log in this project yet; the first apply begins it.")
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(entries: Lines, broken: str, notes: Sequence[str], *, left_out: int = 0) -> str:
    """The same as one JSON document; `left_out` lines were not asked for."""
    content = {
        "format": "avatar-gitops/audit-log",
        "version": "1.0",
        "ok": not broken,
        "broken": broken,
        "notes": list(notes),
        **({"left_out": left_out} if left_out else {}),
        "entries": [dict(entry) for entry in entries],
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _entry(entry: Mapping[str, Any], style: Style) -> Iterator[str]:
    plan = f" {short_digest(entry['plan'])}" if entry["plan"] else ""
    server = f" on {safe(entry['server'])}" if entry["server"] else ""
    head = f"{entry['seq']:>4}  {entry['at'][:19].replace('T', ' ')}  {safe(entry['actor'])}"
    text = f"{head}  {safe(entry['command'])}{plan}{server} {_verdict(entry)}"
    yield style(text, "warn") if entry["phase"] == "refused" else text
    if entry["phase"] == "refused":
        yield f"      {safe(entry['refusal'])} {safe(entry['message'])}".rstrip()
    if entry["phase"] == "begun":
        yield from _begun(entry)
    elif entry["phase"] == "ended" and not entry["plan"]:
        yield from _overrides(entry)


def _verdict(entry: Mapping[str, Any]) -> str:
    match entry["phase"]:
        case "refused":
            return "refused"
        case "begun":
            return f"began: {_counted(entry)}"
        case _:
            return f"ended: {_counted(entry)}"


def _counted(entry: Mapping[str, Any]) -> str:
    by_word: dict[str, list[str]] = {}
    for name, word in sorted(entry["sets"].items()):
        by_word.setdefault(word, []).append(name)
    counted = Counter(entry["sets"].values())
    return "; ".join(f"{counted[word]} {word.replace('_', ' ')} ({safe(', '.join(by_word[word]))})" for word in by_word)


def _begun(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from _overrides(entry)
    if entry["approvals"]:
        at = entry.get("approved_at", {})
        names = (f"{name} ({at[name]})" if name in at else name for name in entry["approvals"])
        yield f"      approved by {safe(', '.join(names))}"
    for waiver in entry["waivers"]:
        where = f" in {waiver['set']}" if waiver["set"] else ""
        about = f"{waiver['rule']}{where}, {waiver['owner']} until {waiver['expires']}: {waiver['reason']}"
        yield f"      waived {safe(about)}"


def _overrides(entry: Mapping[str, Any]) -> Iterator[str]:
    for given in entry["overrides"]:
        value = f" {given['value']}" if given["value"] else ""
        reason = f": {given['reason']}" if given["reason"] else ""
        yield f"      override {safe(given['option'] + value + reason)}"
