"""`avatar-gitops doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, server_option


@click.command("doctor")
@project_option
@server_option
@color_option
@ascii_option
@click.pass_context
def command(ctx: click.Context, project: Path | None, server: str | None, color: str, ascii_only: bool) -> None:
    """Check project, specs, server, sign-in and storage; exit code 1 when something is wrong."""
    from avatar_gitops.app.doctor import Health, doctor

    style = style_for(color)
    signs = {Health.GOOD: "✔", Health.WARNING: "!", Health.BAD: "✘"}
    if ascii_wanted(ascii_only):
        signs = {Health.GOOD: "ok", Health.WARNING: "! ", Health.BAD: "x "}
    kinds = {Health.GOOD: "ok", Health.WARNING: "warn", Health.BAD: "fail"}
    counts = dict.fromkeys(Health, 0)
    for check in doctor(project, server):
        counts[check.health] += 1
        out(f"  {style(signs[check.health], kinds[check.health])} {check.subject:<15} {check.text}")
        if check.fix:
            out(f"    {'':<15} fix: {check.fix}")
    problems, warnings = counts[Health.BAD], counts[Health.WARNING]
    if not problems and not warnings:
        out("Everything is in order.\nNext: avatar-gitops plan")
    else:
        out(f"{problems} problem{'s' * (problems != 1)}, {warnings} warning{'s' * (warnings != 1)}.")
    ctx.exit(1 if problems else 0)
