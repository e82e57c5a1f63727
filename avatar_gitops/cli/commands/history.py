"""`avatar-gitops history`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option


@click.command("history")
@project_option
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many, newest first.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@color_option
@ascii_option
def command(project: Path | None, limit: int, form: str, color: str, ascii_only: bool) -> None:
    """List the applies made from this folder: when, which plan, which sets, how they ended. No server is asked."""
    from avatar_gitops.app.history import history
    from avatar_gitops.report import history as report

    entries = history(project)[:limit]
    if form == "json":
        text = report.to_json(entries)
    else:
        text = report.render(entries, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
