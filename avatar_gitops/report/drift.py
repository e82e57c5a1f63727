"""Drift as text, JSON, Markdown and workflow commands: what differs, and the one thing to do about each difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from typing import Final

from avatar_gitops.plan.drift import Drift, Finding, Ignored, Kind
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import Style, count, plain, safe, to_ascii
from avatar_gitops.spec.days import day

NAME_WIDTH: Final = 17
MOST_IGNORED: Final = 12
VERSION: Final = "1.1"
SCHEMA: Final = "schemas/drift.v1.schema.json"
ANNOTATIONS: Final = 10  # as many as GitHub shows
STYLES: Final = {Kind.RESULTS_EXPIRED: "warn", Kind.INPUT_CHANGED: "warn", Kind.ENGINE_CHANGED: "warn"}
NEXT: Final = {
    Kind.MISSING: "avatar-gitops apply --select {set} makes it again",
    Kind.FOREIGN: "use another name for the set, or ask the owner",
    Kind.EDITED: "avatar-gitops plan --select {set} tells what apply would do",
    Kind.AMBIGUOUS: "find out who made the other one; apply never touches it",
    Kind.JOB_FAILED: "avatar-gitops apply --select {set} runs again what failed",
    Kind.RESULTS_EXPIRED: "nothing to do while out/{set} is kept; the lock still has the digests",
    Kind.INPUT_CHANGED: "avatar-gitops plan --select {set}, or restore the file",
    Kind.ARTIFACT_CHANGED: "restore the files, the lock has their digests",
    Kind.ENGINE_CHANGED: "nothing to do before the next run; ignore_drift in the project file lets it pass until a day",
}


def render(found: Drift, today: date, *, style: Style = plain, ascii_only: bool = False) -> str:
    """One block per set; the verdict comes first, and what is ignored last."""
    lines = [_verdict(found)]
    if found.findings:
        lines.append("")
        lines += _lines(found, today, style)
    lines += ["", *_passed(found)] if found.ignored or found.unused else []
    if found.unseen:
        lines += ["", f"Not compared, because not here: {', '.join(map(safe, found.unseen))}"]
    lines.append("Nothing was changed.")
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(found: Drift) -> str:
    """The same as one JSON document."""
    content = {
        "format": "avatar-gitops/drift",
        "version": VERSION,
        "$schema": SCHEMA,
        "project": found.project,
        "server": found.server,
        "checked": found.checked,
        "left_out": found.left_out,
        "drifted": len(found.sets),
        "findings": [_as_data(finding) for finding in found.findings],
        "ignored": [
            {
                **_as_data(one.finding),
                "reason": one.entry.reason,
                "expires": one.entry.expires,
                "ticket": one.entry.ticket,
            }
            for one in found.ignored
        ],
        "unused": [{"set": entry.set, "kind": entry.kind.value, "expires": entry.expires} for entry in found.unused],
        "not_compared": list(found.unseen),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _as_data(finding: Finding) -> dict[str, str | None]:
    return {**asdict(finding), "lapsed": finding.lapsed or None, "next": _next(finding)}


def github(found: Drift, today: date) -> str:
    """Workflow commands, one for each finding at its spec; GitHub shows ten, so the rest follows as plain lines."""
    lines = []
    for number, one in enumerate(found.findings):
        text = f"{one.set}: {safe(one.detail)}{_lapsed(one, today)}. Next: {_next(one)}"
        place = f"file={_property(one.path)},title={_property(f'drift {one.kind.value}')}"
        lines.append(f"::warning {place}::{_data(text)}" if number < ANNOTATIONS else f"{one.kind.value}  {text}")
    return "\n".join([*lines, _verdict(found), *_passed(found)]) + "\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def markdown(found: Drift, today: date) -> str:
    """The same for an issue or a job summary; text from outside cannot become markup."""
    sign = "⚠️" if found.findings else "✅"
    lines = [f"### {sign} Avatar: {escape(_verdict(found).rstrip('.'))}", ""]
    if found.findings:
        lines += ["| Set | Drift | What differs | Next |", "|---|---|---|---|"]
        for one in found.findings:
            cells = (one.kind.value, one.detail + _lapsed(one, today), _next(one))
            lines.append(f"| `{one.set}` | {' | '.join(map(escape, cells))} |")
        lines.append("")
    for line in _passed(found):
        lines += [f"<sub>{escape(line)}</sub>", ""]
    if found.unseen:
        lines += [f"<sub>Not compared: {escape(', '.join(found.unseen))}</sub>", ""]
    return "\n".join(lines).rstrip() + "\n"


def _verdict(found: Drift) -> str:
    server = safe(found.server)
    if not found.checked and found.left_out:
        return f"No set that was applied is selected, {found.left_out} left out."
    if not found.checked:
        return f"Nothing was applied yet: there is no lock file to compare with {server}."
    if not found.findings:
        verb = "is as it was" if found.checked == 1 else "are as they were"
        if found.ignored:
            return f"No drift that counts: {count(found.checked, 'set')} on {server}, {len(found.ignored)} ignored."
        return f"No drift. {count(found.checked, 'set')} on {server} {verb} applied."
    verb = "differs" if len(found.sets) == 1 else "differ"
    return f"{len(found.sets)} of {count(found.checked, 'set')} on {server} {verb} from what was applied."


def _passed(found: Drift) -> Iterator[str]:
    """What does not count, in one line, and entries of the project file that can go."""
    if found.ignored:
        listed = [_ignored(one) for one in found.ignored[:MOST_IGNORED]]
        more = len(found.ignored) - len(listed)
        listed += [f"and {more} more"] if more else []
        yield f"Ignored: {len(found.ignored)} ({'; '.join(listed)})"
    for entry in found.unused:
        yield f"Unused: ignore_drift has an entry for {safe(entry.set)} {entry.kind.value} that ignores nothing"


def _ignored(one: Ignored) -> str:
    ticket = f", {safe(one.entry.ticket)}" if one.entry.ticket else ""
    return f"{one.finding.set} {one.finding.kind.value}, until {one.entry.expires}{ticket}"


def _lapsed(finding: Finding, today: date) -> str:
    """When an entry that let a finding pass ended."""
    last = day(finding.lapsed)
    if last is None:
        return f"; ignored until {finding.lapsed}" if finding.lapsed else ""
    return f"; ignored until {last}, expired {count((today - last).days, 'day')} ago"


def _lines(found: Drift, today: date, style: Style) -> Iterator[str]:
    width = max(len(finding.set) for finding in found.findings)
    before = ""
    for finding in found.findings:
        name = finding.set if finding.set != before else ""
        before = finding.set
        kind = style(f"{finding.kind.value:<{NAME_WIDTH}}", STYLES.get(finding.kind, "fail"))
        yield f"  {name:<{width}}   {kind}   {safe(finding.detail)}{_lapsed(finding, today)}"
        yield f"  {'':<{width}}   {'':<{NAME_WIDTH}}   next: {_next(finding)}"


def _next(finding: Finding) -> str:
    return NEXT[finding.kind].format(set=finding.set)
