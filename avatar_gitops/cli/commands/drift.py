"""`avatar-gitops drift`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import (
    ascii_option,
    color_option,
    events_option,
    project_option,
    select_options,
    server_option,
    verbose_option,
)


@click.command("drift")
@project_option
@server_option
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown", "github"]), default="text", show_default=True
)
@select_options
@events_option
@verbose_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    form: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    events: str | None,
    verbose: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Compare the server with what was applied. Cannot change anything; exit code 2 when something differs.

    Lock files are compared, not specs: a change in git that waits for its apply is no drift. Selectors go by name,
    path, label and owner, as the lock files have them.

    What spec.ignore_drift of the project file names does not count until the day it says; it is listed all the same.

    Webhooks of the project file that ask for `drift` are told once for each set of findings, as far as
    .avatar/notified.jsonl remembers.
    """
    from avatar_gitops.app.clock import today
    from avatar_gitops.app.drift import drift
    from avatar_gitops.app.telling import tell_drift
    from avatar_gitops.cli.eventlog import told
    from avatar_gitops.plan.select import Selection
    from avatar_gitops.report import drift as report

    with told("drift", events, verbose=verbose) as stream:
        found = drift(project, server, stream, Selection(select, exclude))
        tell_drift(stream, found)
    match form:
        case "json":
            text = report.to_json(found)
        case "markdown":
            text = report.markdown(found, today())
        case "github":
            text = report.github(found, today())
        case _:
            text = report.render(found, today(), style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
    ctx.exit(2 if found.findings else 0)
