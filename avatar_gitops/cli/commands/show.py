"""`avatar-gitops show`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, server_option


@click.command("show")
@click.argument("name")
@project_option
@server_option
@click.option("--resolved", is_flag=True, help="Only the resolved spec, with every default filled in.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@color_option
@ascii_option
def command(
    name: str, project: Path | None, server: str | None, resolved: bool, form: str, color: str, ascii_only: bool
) -> None:
    """Show one set: what plan says, the published run with its metrics and gates, where its files are."""
    from avatar_gitops.app.status import as_json, show
    from avatar_gitops.report.show import as_text

    shown = show(project, server, name)
    if form == "json":
        out(as_json(shown))
    elif resolved:
        out(json.dumps(shown.resolved, indent=2, ensure_ascii=False))
    else:
        files = shown.folder.as_posix() if shown.folder else None
        out(as_text(shown.change, files, style=style_for(color), ascii_only=ascii_wanted(ascii_only)))
