"""Which statements of an assessment changed, with both texts, and who has to sign again: text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from avatar_gitops.assessment.statements import Changed
from avatar_gitops.plan.signoff import Signatures
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import Style, count, plain, safe, to_ascii

NONE: Final = "–"


def render(
    labels: tuple[str, str],
    changes: Sequence[Changed],
    signatures: Signatures,
    *,
    style: Style = plain,
    ascii_only: bool = False,
) -> str:
    """Each statement with what it said and what it says, then who has to sign."""
    lines = [f"{safe(labels[0])} -> {safe(labels[1])}", ""]
    for item in changes:
        lines.append(style(safe(item.id), "bold"))
        lines += [style(f"  - {safe(item.before)}", "fail")] if item.before is not None else []
        lines += [style(f"  + {safe(item.after)}", "ok")] if item.after is not None else []
    lines += [""] if changes else []
    text = "\n".join([*lines, _verdict(changes), *_signing(signatures)]) + "\n"
    return to_ascii(text) if ascii_only else text


def markdown(labels: tuple[str, str], changes: Sequence[Changed], signatures: Signatures) -> str:
    """The same for a pull request; texts cannot become markup."""
    lines = [f"### PIA: {escape(labels[0])} → {escape(labels[1])}", ""]
    if changes:
        lines += ["| Statement | Before | After |", "|---|---|---|"]
        lines += [f"| {escape(item.id)} | {_cell(item.before)} | {_cell(item.after)} |" for item in changes]
        lines.append("")
    return "\n\n".join(["\n".join(lines).rstrip(), _verdict(changes), *map(escape, _signing(signatures))]) + "\n"


def to_json(labels: tuple[str, str], changes: Sequence[Changed], signatures: Signatures) -> str:
    """The same as one JSON document."""
    content = {
        "format": "avatar-gitops/pia-diff",
        "version": "1.0",
        "before": labels[0],
        "after": labels[1],
        "statements": [{"id": item.id, "before": item.before, "after": item.after} for item in changes],
        "statement": signatures.now or None,
        "signing": signatures.standing.value,
        "to_sign": list(signatures.open),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _cell(text: str | None) -> str:
    return NONE if text is None else escape(text)


def _verdict(changes: Sequence[Changed]) -> str:
    if not changes:
        return "No statement differs."
    return f"{count(len(changes), 'statement')} {'differs' if len(changes) == 1 else 'differ'}."


def _signing(signatures: Signatures) -> Iterator[str]:
    for item in signatures.latest:
        if signatures.holds(item):
            decided = item.decision.value.capitalize()
            yield f"{decided} by {safe(item.role)} ({safe(item.person)}), {item.date}."
    if signatures.open:
        yield f"To sign: {', '.join(map(safe, signatures.open))}."
