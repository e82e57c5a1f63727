"""YAML syntax errors in words: what stands there, what it should be, and nothing about the parser's insides."""

from __future__ import annotations

import re
from typing import Any, Final

from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from avatar_gitops.diagnostics import Diagnostic, Related, Span
from avatar_gitops.spec.secrets import MASK, secret_columns

RESERVED: Final = {"@": "at signs", "`": "backticks", "%": "percent signs"}


def span_of(file: str, start: Any, end: Any) -> Span:
    """A span from the parser's 0-based marks."""
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def explain_syntax(error: YAMLError, text: str, file: str) -> Diagnostic:
    """A syntax error of the parser as a finding that says how to repair the line."""
    if isinstance(error, ReaderError):
        return _forbidden_character(error, text, file)
    mark = getattr(error, "problem_mark", None) if isinstance(error, MarkedYAMLError) else None
    if mark is None:
        return Diagnostic(code="Y001", message="this is not YAML", span=Span(file, 1, 1, 1, 1))
    assert isinstance(error, MarkedYAMLError)
    lines = text.splitlines() or [""]
    row = min(mark.line, len(lines) - 1)
    column = mark.column if row == mark.line else len(lines[row])
    return _explain(error, lines, Span(file, row + 1, column + 1, row + 1, column + 2))


def _forbidden_character(error: Any, text: str, file: str) -> Diagnostic:
    before = text[: error.position]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Diagnostic(
        code="Y009",
        message=f"character U+{ord(text[error.position]):04X} is not allowed in YAML",
        span=Span(file, line, column, line, column + 1),
        fix="delete the character; it may be invisible in your editor",
    )


def _explain(error: MarkedYAMLError, lines: list[str], span: Span) -> Diagnostic:
    line = lines[span.line - 1]
    problem = error.problem or ""
    context = error.context or ""
    indent = line[: len(line) - len(line.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
        return Diagnostic(
            code="Y003",
            message="a tab indents this line",
            span=Span(span.file, span.line, column, span.line, len(indent) + 1),
            label="YAML allows only spaces here",
            fix="replace each tab by two spaces",
        )
    if "cannot start any token" in problem:
        return _bad_start(line, span)
    if "mapping values are not allowed" in problem:
        return _stray_colon(lines, span)
    if "quoted scalar" in context:
        return _quoted(error, problem, span)
    if "flow" in context:
        return _flow(error, context, span)
    return _layout(error, context, lines, span)


def _bad_start(line: str, span: Span) -> Diagnostic:
    sign = line[span.column - 1 : span.column]
    if sign == "\t":
        return _finding("a tab stands where a value should start", span, fix="replace the tab by a space")
    if secret_columns(line):
        return _finding(f"a value cannot start with `{sign}`", span, label="put it in quotes")
    value = re.split(r" #|,|]|}", line[span.column - 1 :])[0].strip().replace('"', '\\"')
    return _finding(f"a value cannot start with `{sign}`", span, label=f'put it in quotes: "{value}"')


def _stray_colon(lines: list[str], span: Span) -> Diagnostic:
    before = next((row for row in range(span.line - 2, -1, -1) if lines[row].strip()), None)
    line = lines[span.line - 1]
    if re.search(r"\S:\s.*:\s|\S:\s.*:$", line[: span.column]):
        return _finding(
            "a second `: ` on one line", span, label="a value that holds `: ` needs quotes", fix='write key: "a: b"'
        )
    if before is not None:
        above = lines[before].strip()
        place = Span(
            span.file,
            before + 1,
            len(lines[before]) - len(lines[before].lstrip()) + 1,
            before + 1,
            len(lines[before].rstrip()) + 1,
        )
        if re.match(r"[\w.-]+:\S", above):
            key, _, value = above.partition(":")
            value = MASK if secret_columns(f"{key}: {value}") else value
            return _finding("there is no space after the colon", place, label=f"write `{key}: {value}`")
        if ":" not in above:
            return _finding("there is no colon after the key", place, label=f"write `{above}:`")
        first = len(line) - len(line.lstrip()) + 1
        return _finding(
            "the line is indented too far",
            Span(span.file, span.line, first, span.line, span.column),
            label="the line above already has a value, so nothing can stand under it",
            related=(Related(place, "this key has its value on the same line"),),
        )
    return _finding("a colon stands where no key can be", span, fix="put text that holds `: ` in quotes")


def _quoted(error: MarkedYAMLError, problem: str, span: Span) -> Diagnostic:
    start = _start_of(error, span)
    if "escape" in problem:
        return _finding(
            "a backslash in double quotes starts an escape that YAML does not know",
            span,
            fix=r"use single quotes, or write \\ for one backslash",
        )
    return _finding("a quote is opened and never closed", start, label="opened here", fix="close it on the same line")


def _flow(error: MarkedYAMLError, context: str, span: Span) -> Diagnostic:
    start = _start_of(error, span)
    sign = "]" if "sequence" in context else "}"
    if "node" in context:
        return _finding("a value is missing in a bracket", span, fix="close the bracket, or write the value")
    related = () if (start.line, start.column) == (span.line, span.column) else (Related(start, "opened here"),)
    return _finding(
        f"a comma or the closing `{sign}` is missing", span, label=f"expected `,` or `{sign}`", related=related
    )


def _layout(error: MarkedYAMLError, context: str, lines: list[str], span: Span) -> Diagnostic:
    problem = error.problem or ""
    gate = re.search(r":\s+(>=?\s*[-\d.]+)", lines[span.line - 1])
    if "block scalar" in context and gate:
        place = Span(span.file, span.line, gate.start(1) + 1, span.line, gate.end(1) + 1)
        return _finding(
            "a comparison needs quotes", place, label=f'write "{gate[1]}"; without quotes `>` starts a text'
        )
    if "block scalar" in context:
        return _finding(
            "text stands behind `|` or `>`", span, fix="start the text on the next line, indented, or put it in quotes"
        )
    if "found '<block mapping start>'" in problem or "found '<block sequence start>'" in problem:
        return _finding(
            "the indentation fits no line above",
            span,
            label="lines of one mapping start in the same column",
            fix="give the line the indentation of the keys that it belongs to",
        )
    if "expected <block end>" in problem:
        return _finding(
            "a list and a mapping are mixed at one level",
            span,
            fix="indent the line, or make every line of this level start with `- ` or none",
        )
    if "node content" in problem:
        return _finding("a bracket is closed that was never opened", span, fix="remove it, or put the text in quotes")
    if "could not find expected ':'" in problem:
        start = _start_of(error, span)
        text = lines[start.line - 1].strip()
        whole = Span(start.file, start.line, start.column, start.line, start.column + len(text))
        return _finding("there is no colon after the key", whole, fix="write `key: value`")
    if lines[span.line - 1].startswith("%"):
        return _finding("a line cannot start with `%`", span, fix="remove the line")
    return _finding(
        "this is not YAML", span, label="the reader stopped here", fix="look at this line and the one above"
    )


def _start_of(error: MarkedYAMLError, span: Span) -> Span:
    mark: Any = error.context_mark
    if mark is None:
        return span
    return Span(span.file, mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)


def _finding(
    message: str, span: Span, *, label: str = "", fix: str = "", related: tuple[Related, ...] = ()
) -> Diagnostic:
    return Diagnostic(code="Y001", message=message, span=span, label=label, fix=fix, related=related)
