"""Drift as text, JSON and Markdown: what differs, and the one thing to do about each difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from avatar_gitops.plan.drift import Drift, Finding, Kind
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import Style, count, plain, safe, to_ascii

NAME_WIDTH: Final = 17
STYLES: Final = {Kind.RESULTS_EXPIRED: "warn", Kind.INPUT_CHANGED: "warn"}
NEXT: Final = {
    Kind.MISSING: "avatar-gitops apply --select {set} makes it again",
    Kind.FOREIGN: "use another name for the set, or ask the owner",
    Kind.EDITED: "avatar-gitops plan --select {set} tells what apply would do",
    Kind.AMBIGUOUS: "find out who made the other one; apply never touches it",
    Kind.JOB_FAILED: "avatar-gitops apply --select {set} runs again what failed",
    Kind.RESULTS_EXPIRED: "nothing to do while out/{set} is kept; the lock still has the digests",
    Kind.INPUT_CHANGED: "avatar-gitops plan --select {set}, or restore the file",
    Kind.ARTIFACT_CHANGED: "restore the files, the lock has their digests",
}


def render(found: Drift, *, style: Style = plain, ascii_only: bool = False) -> str:
    """One block per set; the verdict comes first."""
    lines = [_verdict(found)]
    if found.findings:
        lines.append("")
        lines += _lines(found, style)
    if found.unseen:
        lines += ["", f"Not compared, because not here: {', '.join(map(safe, found.unseen))}"]
    lines.append("Nothing was changed.")
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(found: Drift) -> str:
    """The same as one JSON document."""
    content = {
        "format": "avatar-gitops/drift",
        "version": "1.0",
        "project": found.project,
        "server": found.server,
        "checked": found.checked,
        "drifted": len(found.sets),
        "findings": [{**asdict(finding), "next": _next(finding)} for finding in found.findings],
        "not_compared": list(found.unseen),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def markdown(found: Drift) -> str:
    """The same for an issue or a job summary; text from outside cannot become markup."""
    sign = "⚠️" if found.findings else "✅"
    lines = [f"### {sign} Avatar: {escape(_verdict(found).rstrip('.'))}", ""]
    if found.findings:
        lines += ["| Set | Drift | What differs | Next |", "|---|---|---|---|"]
        lines += [
            f"| `{one.set}` | {escape(one.kind.value)} | {escape(one.detail)} | {escape(_next(one))} |"
            for one in found.findings
        ]
        lines.append("")
    if found.unseen:
        lines += [f"<sub>Not compared: {escape(', '.join(found.unseen))}</sub>", ""]
    return "\n".join(lines).rstrip() + "\n"


def _verdict(found: Drift) -> str:
    server = safe(found.server)
    if not found.checked:
        return f"Nothing was applied yet: there is no lock file to compare with {server}."
    if not found.findings:
        verb = "is as it was" if found.checked == 1 else "are as they were"
        return f"No drift. {count(found.checked, 'set')} on {server} {verb} applied."
    verb = "differs" if len(found.sets) == 1 else "differ"
    return f"{len(found.sets)} of {count(found.checked, 'set')} on {server} {verb} from what was applied."


def _lines(found: Drift, style: Style) -> Iterator[str]:
    width = max(len(finding.set) for finding in found.findings)
    before = ""
    for finding in found.findings:
        name = finding.set if finding.set != before else ""
        before = finding.set
        kind = style(f"{finding.kind.value:<{NAME_WIDTH}}", STYLES.get(finding.kind, "fail"))
        yield f"  {name:<{width}}   {kind}   {safe(finding.detail)}"
        yield f"  {'':<{width}}   {'':<{NAME_WIDTH}}   next: {_next(finding)}"


def _next(finding: Finding) -> str:
    return NEXT[finding.kind].format(set=finding.set)
