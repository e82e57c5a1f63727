"""Which statements of privacy impact assessments a plan changes, in folds of its comment: section, before, after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.pia import CHOICES
from avatar_gitops.plan.model import Action, Change, FieldChange, Plan
from avatar_gitops.report.plan_markdown import escape
from avatar_gitops.report.values import before_and_after, count

LANGUAGE: Final = "en"  # of every comment, whatever the language of the document
UNKNOWN: Final = frozenset({None, "", "unknown", "Undefined"})
PRINCIPLES: Final = frozenset({"legal_basis"})
METHODS: Final = {"k": "made from {} neighbours", "epsilon": "made with a privacy budget epsilon of {}"}
"""Parameters that the assessment explains in words; all others stand in it by their name."""

Statement = tuple[str, str, str]


def folds(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Title and lines of a fold for each published set whose statements change, then one for sets that only run again.

    The title is HTML, the lines are Markdown.
    """
    again = []
    for change in plan.effective:
        if change.lock is None or change.action in {Action.DELETE, Action.RENAME}:
            continue
        rows = sorted(statements(change), key=lambda row: row[0])
        if rows:
            yield _title(change, len(rows)), (*_table(rows), "", _covers(change))
        elif change.action is Action.RELAUNCH:
            again.append(change)
    if again:
        names = ", ".join(f"`{change.set}`" for change in again)
        yield (
            f"<b>PIA</b>: the figures of {count(len(again), 'set')} are measured again",
            (
                f"No statement changes in {names}. What was signed so far covers the runs published so far; the new "
                "assessments have to be signed after the run.",
            ),
        )


def _title(change: Change, amount: int) -> str:
    verb = "changes" if amount == 1 else "change"
    return f"<b>PIA</b>: {count(amount, 'statement')} {verb} in <code>{change.set}</code>"


def _table(rows: list[Statement]) -> Iterator[str]:
    yield from ("| Section | Before | After |", "|---|---|---|")
    for section, before, after in rows:
        yield f"| {escape(section)} | {before} | {after} |"


def _covers(change: Change) -> str:
    assert change.lock is not None
    when = change.lock.finished[:10]
    of_day = f" of the run of {escape(when)}" if when else ""
    after = "apply" if change.action is Action.UPDATE else "the run"
    return f"The assessment{of_day} no longer covers this set. The new one has to be read and signed after {after}."


def statements(change: Change) -> Iterator[Statement]:
    """Section, and what it says before and after as Markdown, for each statement that a change alters.

    Sections begin with their number, so that their order is that of the document.
    """
    for field in change.fields:
        found = _context(field) or _table_statement(field)
        if found is not None:
            section, kind = found
            yield section, _said(field, kind, after=False), _said(field, kind, after=True)


def _context(field: FieldChange) -> tuple[str, str] | None:
    """Section of what people say about the processing, and how its value is said."""
    match field.path:
        case ("metadata", "owner"):
            name = "owner"
        case ("spec", "pia", "language"):
            return "Language of the document", ""
        case ("spec", "pia", str(name)) if f"field.{name}" in PIA_PHRASES:
            pass
        case _:
            return None
    section = "2" if name in PRINCIPLES else "1.1"
    return f"{section} {_phrase(f'field.{name}')}", CHOICES.get(name, "text")


def _table_statement(field: FieldChange) -> tuple[str, str] | None:
    """Section of what the assessment says about a table, and how its value is said."""
    match field.path:
        case ("inputs", str(table), "rows" | "columns" as what):
            return f"1.2 Data, table {table}, {what}", ""
        case ("spec", "tables", str(table)):
            return f"1.2 Data, table {table}", "presence"
        case ("spec", "tables", str(table), "columns", str(column), "drop"):
            return f"2 {_phrase('principle.minimisation').format(table=table)}, {column}", "drop"
        case ("spec", "tables", str(table), "columns", str(column), "pseudonymization", *_):
            return f"3 {_phrase('parameter.pseudonymized')}, {table}.{column}", ""
        case ("spec", "tables", str(table), "avatarization", *rest):
            name = ".".join(map(str, rest))
            return f"3 Technique, table {table}" + (f", {name}" if name else ""), str(rest[-1]) if rest else ""
        case ("spec", "tables", str(table), "privacy_metrics", "known_variables"):
            return f"4 {_phrase('parameter.known_variables')}, table {table}", "names"
        case ("spec", "tables", str(table), "privacy_metrics", "target"):
            return f"4 {_phrase('parameter.inference_target')}, table {table}", "names"
    return None


def _said(field: FieldChange, kind: str, *, after: bool) -> str:
    """One side of a statement; what nobody states is bold, as in the document, and so is what is new."""
    content: Any = field.after if after else field.before
    shown = escape(before_and_after(field)[after])
    if kind == "drop":
        return "dropped" if content else "released"
    if kind == "presence":
        return "not in the set" if content is None else "in the set"
    if kind == "names":
        return shown if content else "none"
    if kind == "text" or kind in CHOICES.values():
        if content in UNKNOWN:
            return "**unknown**"
        words = PIA_PHRASES.get(f"{kind}.{content}")
        return escape(words.in_(LANGUAGE)) if words else shown
    if kind in METHODS and content is not None:
        return METHODS[kind].format(f"**{shown}**" if after else shown)
    return shown


def _phrase(key: str) -> str:
    return PIA_PHRASES[key].in_(LANGUAGE)
