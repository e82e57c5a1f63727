"""`avatar-gitops explain`: one page per code of a finding, what it means and how to repair it."""

from __future__ import annotations

from importlib import resources
from textwrap import wrap
from typing import Final

import click

from avatar_gitops.cli.console import out
from avatar_gitops.errors import UsageError

WIDTH: Final = 100
FENCE: Final = "```"


def pages() -> dict[str, str]:
    """Every page by its code."""
    folder = resources.files("avatar_gitops.cli").joinpath("explain")
    return {
        entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8")
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".md")
    }


def title(page: str) -> str:
    """Heading of a page without its marks."""
    return page.split("\n", 1)[0].removeprefix("# ")


def as_text(page: str) -> str:
    """A page as a terminal shows it: no marks of Markdown, examples set in, lines of a width that can be read."""
    lines: list[str] = []
    example = False
    for line in page.rstrip("\n").removeprefix("# ").split("\n"):
        if line.startswith(FENCE):
            example = not example
            if example and lines[-1:] == [""]:
                lines.pop()
        elif example:
            lines.append(f"  {line}".rstrip())
        elif line.startswith("|"):
            lines.append(line)
        else:
            lines += wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join(lines)


@click.command(name="explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a code such as S004; without CODE, list all."""
    known = pages()
    if code is None:
        out("\n".join(title(page) for page in known.values()))
        return
    page = known.get(code.upper())
    if page is None:
        from difflib import get_close_matches

        near = get_close_matches(code.upper(), known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"there is no code {code}", hint=f"{hint}list them: avatar-gitops explain")
    out(as_text(page))
