"""Proposals as text and as JSON: field, what is written, what is proposed, why, and which way privacy moves; and how
the links between the tables of a set stand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from avatar_gitops.plan.advice import Proposal
from avatar_gitops.plan.link_advice import LinkAdvice
from avatar_gitops.report.link_advice import plain_links, render_links
from avatar_gitops.report.values import ASCII_SIGNS, SIGNS, Style, count, field_name, plain, to_ascii, value
from avatar_gitops.spec import fields
from avatar_gitops.spec.fields import Privacy

SHOWN = frozenset({Privacy.WEAKER, Privacy.STRONGER})
HEAD = ("field", "now", "proposed", "why")


def render(
    found: Mapping[str, Sequence[Proposal]],
    links: Mapping[str, LinkAdvice],
    paths: Mapping[str, str],
    *,
    style: Style = plain,
    ascii_only: bool = False,
) -> str:
    """One table per set, a set without proposals in one line; below it the links of a set with several tables."""
    sets = []
    for name, proposed in found.items():
        parts = [_set(name, proposed, paths[name], style, ascii_only)]
        if name in links:
            parts.append(render_links(links[name], style))
        sets.append("\n\n".join(parts))
    text = "\n\n".join(sets)
    return to_ascii(text) if ascii_only else text


def to_json(found: Mapping[str, Sequence[Proposal]], links: Mapping[str, LinkAdvice]) -> str:
    """The same as plain data; `links` is there for sets with several tables."""
    sets = [
        {
            "set": name,
            "proposals": [_plain(one) for one in proposed],
            **({"links": plain_links(links[name])} if name in links else {}),
        }
        for name, proposed in found.items()
    ]
    return json.dumps({"version": 1, "sets": sets}, indent=2, ensure_ascii=False)


def summary(proposed: Sequence[Proposal]) -> str:
    """How many proposals there are, and how many of them would replace what somebody wrote."""
    if not proposed:
        return "Nothing to propose."
    written = sum(one.written for one in proposed)
    text = count(len(proposed), "proposal")
    return f"{text}, {written} of them for a value that is written (--overwrite)." if written else f"{text}."


def _set(name: str, proposed: Sequence[Proposal], path: str, style: Style, ascii_only: bool) -> str:
    head = f"{style(name, 'bold')}   {path}"
    if not proposed:
        return f"{head}\n  nothing to propose"
    rows = [HEAD, *(_row(one) for one in proposed)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row, one in zip(rows, (None, *proposed), strict=True):
        cells = "  ".join(f"{row[column]:<{widths[column]}}" for column in range(3))
        line = f"  {cells}  {row[3]}".rstrip()
        lines.append(style(line, "dim") if one is None else line + _mark(one, style, ascii_only))
    return "\n".join([head, *lines])


def _row(one: Proposal) -> tuple[str, str, str, str]:
    return field_name(one.path), value(one.now), _proposed(one), one.why


def _proposed(one: Proposal) -> str:
    """A proposed value; a link is said as it leads."""
    if one.path[-2] != "links":
        return value(one.proposed)
    to = one.proposed["to"]
    return value(f"{one.proposed['field']} -> {to['table']}.{to['field']}")


def _mark(one: Proposal, style: Style, ascii_only: bool) -> str:
    if one.privacy not in SHOWN:
        return ""
    sign = (ASCII_SIGNS if ascii_only else SIGNS)[one.privacy]
    return "  " + style(f"{sign} {fields.words(one.path, one.privacy)}", one.privacy.value)


def _plain(one: Proposal) -> dict[str, Any]:
    return {
        "field": field_name(one.path),
        "path": list(one.path),
        "now": one.now,
        "proposed": one.proposed,
        "why": one.why,
        "privacy": one.privacy.value,
    }
