"""`avatar-gitops status`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, select_options, server_option


@click.command("status")
@project_option
@server_option
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@select_options
@color_option
@ascii_option
def command(
    project: Path | None,
    server: str | None,
    form: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    color: str,
    ascii_only: bool,
) -> None:
    """List the sets with their state, gates, hidden rate, age and commit."""
    from avatar_gitops.app.policy import soon
    from avatar_gitops.app.status import status
    from avatar_gitops.plan.select import Selection
    from avatar_gitops.report import status as report
    from avatar_gitops.report.policy import expiry

    found = status(project, server, Selection(select, exclude))
    plan = found.plan
    now = datetime.now(UTC)
    match form:
        case "json":
            text = report.to_json(plan, now)
        case "markdown":
            text = report.markdown(plan, now)
        case _:
            text = report.render(plan, now, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
            text = "\n".join([text.rstrip("\n"), *expiry(soon(found.loaded.root, now.date()))])
    out(text.rstrip("\n"))
