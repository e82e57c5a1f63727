"""Where text goes and whether it is coloured: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

Style = Callable[[str, str], str]

COLOURS: Final[dict[str, dict[str, Any]]] = {
    "delete": {"fg": "red"},
    "fail": {"fg": "red"},
    "error": {"fg": "red", "bold": True},
    "weaker": {"fg": "red"},
    "warn": {"fg": "yellow"},
    "relaunch": {"fg": "yellow"},
    "launch": {"fg": "green"},
    "ok": {"fg": "green"},
    "stronger": {"fg": "green"},
    "link": {"fg": "blue"},
    "dim": {"dim": True},
    "bold": {"bold": True},
}


def plain(text: str, kind: str) -> str:
    """No colour at all."""
    return text


def coloured(text: str, kind: str) -> str:
    """Colour by kind; colour is only ever a second signal beside a word or a symbol."""
    options = COLOURS.get(kind)
    return click.style(text, **options) if options else text


def style_for(color: str) -> Style:
    """The style function for `--color`; `auto` means a terminal without NO_COLOR, CLICOLOR=0 or TERM=dumb."""
    if color == "always":
        return coloured
    if color == "never" or os.environ.get("NO_COLOR") or os.environ.get("CLICOLOR") == "0":
        return plain
    return coloured if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else plain


@dataclass(frozen=True, slots=True)
class Look:
    """How a text is shown, and the options (` --select iris`) that a command which it names has to repeat."""

    style: Style = plain
    ascii_only: bool = False
    again: str = ""


def ascii_wanted(flag: bool) -> bool:
    """Whether only ASCII signs may be printed: asked for, a dumb terminal, or an output that cannot carry them."""
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    return flag or os.environ.get("TERM") == "dumb" or not encoding.startswith("utf")


def program() -> str:
    """How this command can be called again from here: by its name if that is found, else by its path."""
    name = "avatar-gitops"
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.is_file():
        return name
    return min(os.path.relpath(beside), str(beside), key=len)


def out(text: str) -> None:
    """Print a result."""
    click.echo(text, color=True)


def note(text: str) -> None:
    """Print anything that is not the result."""
    click.echo(text, err=True, color=True)
