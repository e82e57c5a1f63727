"""A document as Markdown, through the packaged template."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from avatar_gitops.assessment.document import Document, Inline, Span

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def to_markdown(document: Document) -> str:
    """GitHub-flavoured Markdown; every text is escaped, so that no statement can become markup."""
    text = _environment().get_template("document.md.j2").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("avatar_gitops.assessment"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown, escaped by the `inline` filter
    )
    environment.filters.update(inline=inline_markdown, cell=cell_markdown, code=code_cell)
    return environment


def inline_markdown(content: Inline) -> str:
    """One line of Markdown outside a table."""
    return "".join(_span(span, code_span) for span in content)


def cell_markdown(content: Inline) -> str:
    """One line of Markdown inside a table, where a bar ends the cell even in code."""
    return "".join(_span(span, code_cell) for span in content)


def escape(text: str) -> str:
    """A text on one line in which nothing is Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.splitlines()))


def code_span(text: str) -> str:
    """A name or a command as code."""
    one_line = " ".join(text.splitlines()).replace("`", "'")
    return f"`{one_line}`" if one_line else ""


def code_cell(text: str) -> str:
    """A name as code inside a table."""
    return code_span(text).replace("|", "\\|")


def _span(span: Span, as_code: Callable[[str], str]) -> str:
    if span.style == "code":
        return as_code(span.text)
    escaped = escape(span.text)
    if span.style == "strong" and escaped.strip():
        return f"**{escaped.strip()}**" + (" " if escaped.endswith((" ", "\u00a0")) else "")
    return escaped
