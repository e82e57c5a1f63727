"""The template environment of the reports: packaged Markdown templates that a project may override by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from avatar_gitops.assessment.markdown import code_cell, code_span, escape
from avatar_gitops.assessment.sandbox import sandbox
from avatar_gitops.assessment.templates import Templates, in_jinja


def render(name: str, overrides: Path | None, /, **content: Any) -> str:
    """A template filled in.

    Raises:
        TemplateProblem: the project's own template is wrong; says the file and the line.
    """
    own = Templates(overrides).folder
    try:
        return environment(own).get_template(name).render(**content)
    except Exception as error:
        if own is None or not (own / name).is_file():
            raise
        raise in_jinja(own / name, error) from None


@cache
def environment(overrides: Path | None = None) -> Environment:
    """Templates of this package, or those of the same name in a folder of the project.

    Filters: `cell` escapes a text for Markdown, also inside a table; `code` makes a code span, `code_cell` one inside a
    table; `link` makes a relative link.
    A name that a template uses and the view does not have is an error.
    """
    made = sandbox("avatar_gitops.report", overrides)
    made.filters.update(cell=escape, code=code_span, code_cell=code_cell, link=link)
    return made


def link(path: str | None, label: str) -> str:
    """A Markdown link to a path beside the document, or a dash when there is no such file."""
    if not path:
        return "–"
    safe = path.replace(" ", "%20").replace("(", "%28").replace(")", "%29").replace("|", "%7C")
    return f"[{escape(label)}]({safe})"
