"""A document as Markdown, through the packaged template or the project's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from avatar_gitops.assessment.sandbox import sandbox
from avatar_gitops.assessment.templates import PACKAGED, Templates, in_jinja
from avatar_gitops.assessment.view import ReportView, plain

Said = Sequence[Mapping[str, str]]  # spans of the view: `text` and `style`

TEMPLATE: Final = "document.md.j2"
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def to_markdown(view: ReportView, templates: Templates = PACKAGED, folder: str = "") -> str:
    """GitHub-flavoured Markdown; every text is escaped, so that no statement can become markup.

    `folder` is where the pictures are, beside the document; without it they are told in words only.

    Raises:
        TemplateProblem: the project's own template is wrong; says the file and the line.
    """
    own = templates.find(view.kind, "md.j2")
    try:
        template = _environment(templates.folder).get_template(own.name if own else TEMPLATE)
        text = template.render(**plain(view), folder=folder)
    except Exception as error:
        if own is None or not isinstance(error, TemplateError | TypeError | ValueError | ArithmeticError | LookupError):
            raise
        raise in_jinja(own, error) from None
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment(own: Path | None) -> SandboxedEnvironment:
    environment = sandbox("avatar_gitops.assessment", own)
    environment.filters.update(inline=inline_markdown, cell=cell_markdown, code=code_cell, escape=escape)
    return environment


def inline_markdown(content: Said) -> str:
    """One line of Markdown outside a table."""
    return "".join(_span(span, code_span) for span in content)


def cell_markdown(content: Said) -> str:
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


def _span(span: Mapping[str, str], as_code: Callable[[str], str]) -> str:
    if span["style"] == "code":
        return as_code(span["text"])
    escaped = escape(span["text"])
    if span["style"] == "strong" and escaped.strip():
        return f"**{escaped.strip()}**" + (" " if escaped.endswith((" ", "\u00a0")) else "")
    return escaped
