"""Links between the tables of a set, as text and as plain data: how they stand, whether their keys hold, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from avatar_gitops.plan.link_advice import Ends, LinkAdvice, LinkFinding, Standing, Unclear, key_words
from avatar_gitops.report.values import Style, safe
from avatar_gitops.spec.facts import bucket

SIGNS: Final = {
    Standing.PROPOSED: "+",
    Standing.DECLARED: "=",
    Standing.DIFFERS: "~",
    Standing.BROKEN: "!",
    Standing.BLOCKED: "!",
}
COLOURS: Final = {
    Standing.PROPOSED: "launch",
    Standing.DIFFERS: "warn",
    Standing.BROKEN: "weaker",
    Standing.BLOCKED: "weaker",
}
HEAD: Final = ("link", "method", "keys", "why")


def render_links(advice: LinkAdvice, style: Style) -> str:
    """One line per link with its sign, and what is to be done where one is not possible."""
    rows = [HEAD, *(_row(one) for one in advice.findings)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = []
    for row, one in zip(rows, (None, *advice.findings), strict=True):
        cells = "  ".join(f"{row[column]:<{widths[column]}}" for column in range(3))
        line = f"  {SIGNS[one.standing] if one else ' '} {cells}  {row[3]}".rstrip()
        lines.append(style(line, "dim" if one is None else COLOURS.get(one.standing, "")))
        if one is not None and one.fix:
            lines.append(f"      = fix: {safe(one.fix)}")
    told = lines if advice.findings else []
    return "\n".join([*told, *_rest(advice)])


def plain_links(advice: LinkAdvice) -> dict[str, Any]:
    """The same as plain data; rows in buckets, null where there are none."""
    return {
        "refused": advice.refused or None,
        "found": [_plain(one) for one in advice.findings],
        "unclear": [
            {"table": one.table, "field": one.column, "tables": list(one.candidates)} for one in advice.unclear
        ],
        "notes": list(advice.notes),
    }


def _row(one: LinkFinding) -> tuple[str, str, str, str]:
    return _ends(one.ends), one.method.value, safe(key_words(one.ends, one.check)), safe(one.why)


def _ends(ends: Ends) -> str:
    return safe(f"{ends.parent}.{ends.key} -> {ends.child}.{ends.foreign_key}")


def _rest(advice: LinkAdvice) -> Iterator[str]:
    if advice.refused:
        yield f"  no advice on links: {safe(advice.refused)}"
        yield "      = fix: write them by hand, under `links` of the parent: avatar-gitops explain parameters"
    elif not advice.findings and not advice.unclear:
        yield "  no links found: no column is called like the key of another table, or such keys are not unique"
    for one in advice.unclear:
        yield f"  ? {safe(f'{one.table}.{one.column}')}  {_candidates(one)}"
    for note in advice.notes:
        yield f"    note: {safe(note)}"


def _candidates(one: Unclear) -> str:
    if len(one.candidates) > 1:
        return (
            f"may lead to {safe(', '.join(one.candidates))}: the names do not say which; write the link that is meant"
        )
    return f"leads to {safe(one.candidates[0])} or to none" if one.candidates else "leads to no table of this set"


def _plain(one: LinkFinding) -> dict[str, Any]:
    check = one.check
    rows = (
        None
        if check is None
        else {
            "hold": check.holds,
            "parents_without_key": _bucket(check.without_key),
            "parents_that_share_a_key": _bucket(check.repeated),
            "children_of_no_parent": _bucket(check.orphans),
            "children_without_key": _bucket(check.without_parent),
        }
    )
    return {
        "parent": one.ends.parent,
        "field": one.ends.key,
        "to": {"table": one.ends.child, "field": one.ends.foreign_key},
        "method": one.method.value,
        "standing": one.standing.value,
        "declared": one.declared,
        "confidence": one.confidence or None,
        "why": one.why,
        "fix": one.fix or None,
        "keys": rows,
    }


def _bucket(rows: int) -> str | None:
    return bucket(rows) if rows else None
