"""Findings as text with carets, one line each, JSON and GitHub annotations. Pure: sources come in, text goes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.report.snippets import Sources, clean, plain_style, snippet

Style = Callable[[str, str], str]

ANNOTATIONS_PER_LEVEL: Final = 10
KINDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warn", Severity.NOTE: "link"}
COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def as_text(
    diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], *, width: int = 100, style: Style = plain_style
) -> str:
    """Every finding with its lines and carets, a blank line between two; secrets in the lines are hidden."""
    prepared = Sources(sources, diagnostics)
    return "\n".join(_block(diagnostic, prepared, width, style) for diagnostic in diagnostics)


def _block(diagnostic: Diagnostic, sources: Sources, width: int, style: Style) -> str:
    kind = KINDS[diagnostic.severity]
    head = style(f"{diagnostic.severity}[{diagnostic.code}]", kind) + ": " + style(clean(diagnostic.message), "bold")
    lines, gutter = snippet(diagnostic, sources, width, lambda text, mark: style(text, kind if mark == "^" else "link"))
    lines.extend(
        f"{' ' * (gutter + 2)}{style('=', 'dim')} {name}: {clean(text)}"
        for name, text in (("why", diagnostic.why), ("fix", diagnostic.fix), ("note", diagnostic.note))
        if text
    )
    return "\n".join((head, *lines)) + "\n"


def summary(diagnostics: Sequence[Diagnostic], files_checked: int, sets_made: int = 0) -> str:
    """The verdict in one line: how many files, how many of them valid, how many errors and warnings.

    `sets_made` is said when it is not 0: then specs make more sets than there are files.
    """
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    warnings = sum(found.severity is Severity.WARNING for found in diagnostics)
    bad = len({found.span.file for found in errors})
    text = f"{_count(files_checked, 'file')} checked: {max(files_checked - bad, 0)} valid"
    if errors:
        text += f", {bad} with {_count(len(errors), 'error')}"
    if warnings:
        text += f", {_count(warnings, 'warning')}"
    repairs = sum(bool(found.edit) and found.span.line == found.span.end_line for found in diagnostics)
    made = f" The specs make {_count(sets_made, 'set')}." if sets_made else ""
    return f"{text}.{made}" + (f" {repairs} can be repaired with --fix." if repairs else "")


def explain_line(diagnostics: Sequence[Diagnostic]) -> str:
    """The command that explains the first finding, errors first; empty if there is none."""
    ranked = sorted(diagnostics, key=lambda found: found.severity is not Severity.ERROR)
    return f"Explain one: avatar-gitops explain {ranked[0].code}" if ranked else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def as_short(diagnostics: Iterable[Diagnostic]) -> str:
    """One line per finding, `file:line:column: severity code message`, for editors and grep."""
    return "".join(_short(diagnostic) + "\n" for diagnostic in diagnostics)


def _short(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    place = f"{clean(span.file)}:{span.line}:{span.column}"
    hint = f"; {clean(_guess(diagnostic))}" if _guess(diagnostic) else ""
    return f"{place}: {diagnostic.severity} {diagnostic.code} {clean(diagnostic.message)}{hint}"


def _guess(diagnostic: Diagnostic) -> str:
    label = diagnostic.label
    return label[: label.index("?") + 1] if label.startswith("did you mean") and "?" in label else ""


def as_json(diagnostics: Iterable[Diagnostic], files_checked: int, sets_made: int = 0) -> str:
    """One JSON document with every finding; absent texts are null."""
    document = {
        "format": "avatar-gitops/diagnostics",
        "version": "1.0",
        "files": files_checked,
        **({"sets": sets_made} if sets_made else {}),
        "diagnostics": [_plain(diagnostic) for diagnostic in diagnostics],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _plain(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.span),
        "path": list(diagnostic.path),
        "label": diagnostic.label or None,
        "why": diagnostic.why or None,
        "fix": {"text": diagnostic.fix, "edits": _edits(diagnostic)} if diagnostic.fix else None,
        "note": diagnostic.note or None,
        "related": [{"label": related.label, **_place(related.span)} for related in diagnostic.related],
    }


def _edits(diagnostic: Diagnostic) -> list[dict[str, Any]]:
    """What `--fix` writes and where, for editors; nothing where a person has to decide."""
    return [{**_place(diagnostic.span), "text": diagnostic.edit}] if diagnostic.edit else []


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "start": {"line": span.line, "column": span.column},
        "end": {"line": span.end_line, "column": span.end_column},
    }


def as_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Workflow commands that annotate lines; GitHub shows ten per level, so the rest follows as plain lines."""
    found = list(diagnostics)
    lines: list[str] = []
    rest: list[Diagnostic] = []
    for severity, command in COMMANDS.items():
        level = [diagnostic for diagnostic in found if diagnostic.severity is severity]
        more = len(level) - ANNOTATIONS_PER_LEVEL
        for index, diagnostic in enumerate(level[:ANNOTATIONS_PER_LEVEL]):
            last = index == ANNOTATIONS_PER_LEVEL - 1 and more > 0
            lines.append(_annotation(diagnostic, command, f" (+{more} more)" if last else ""))
        rest += level[ANNOTATIONS_PER_LEVEL:]
    return "".join(f"{line}\n" for line in lines) + as_short(rest)


def _annotation(diagnostic: Diagnostic, command: str, tail: str) -> str:
    span = diagnostic.span
    place = f"file={_property(span.file)},line={span.line},col={span.column},title={_property(diagnostic.code)}"
    parts = (diagnostic.message, _guess(diagnostic), diagnostic.fix or diagnostic.note)
    return f"::{command} {place}::{_data(' '.join(_sentence(part) for part in parts if part) + tail)}"


def _sentence(text: str) -> str:
    capital = text if text.startswith(("`", "avatar-gitops ")) else text[0].upper() + text[1:]
    return capital if capital.endswith((".", "?", "!")) else capital + "."


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
