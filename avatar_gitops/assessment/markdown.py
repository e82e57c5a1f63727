"""A document as Markdown, through the packaged template."""

from __future__ import annotations

import re
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from avatar_gitops.assessment.document import Document, Inline, Span, code

_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def to_markdown(document: Document) -> str:
    """GitHub-flavoured Markdown; every text is escaped, so that no statement can become markup."""
    environment = Environment(
        loader=PackageLoader("avatar_gitops.assessment"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown, escaped by the `inline` filter
    )
    environment.filters["inline"] = inline_markdown
    environment.filters["code"] = lambda name: inline_markdown(code(name))
    text = environment.get_template("document.md.j2").render(document=document)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def inline_markdown(content: Inline) -> str:
    """One line of Markdown."""
    return "".join(_span(span) for span in content)


def _span(span: Span) -> str:
    text = " ".join(span.text.split("\n"))
    if span.style == "code" and text:
        return "`" + text.replace("`", "'").replace("|", "\\|") + "`"
    escaped = _SPECIAL.sub(r"\\\1", text)
    if span.style == "strong" and escaped.strip():
        return f"**{escaped.strip()}**" + (" " if escaped.endswith((" ", "\u00a0")) else "")
    return escaped
