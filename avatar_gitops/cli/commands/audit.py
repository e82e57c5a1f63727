"""`avatar-gitops audit`: the record of what was applied, and whether it is as it was written."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option


@click.group("audit")
def command() -> None:
    """The record of what was applied, by whom, and which guard rail was passed why.

    apply, retry and resume add lines to audit/YEAR-MONTH.jsonl in the project's folder: before anything is changed,
    when it ended, and when a plan was refused. Commit these files with the lock files.
    """


@command.command("log")
@project_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@color_option
@ascii_option
@click.pass_context
def log_command(ctx: click.Context, project: Path | None, form: str, color: str, ascii_only: bool) -> None:
    """Show the audit log and check that no line was changed, removed, moved or added.

    Each line holds the digest of the line before; audit/head.json names the last one. Exit code 1 when a line is not as
    it was written; the first such line is named. Whoever can rewrite the whole folder can rewrite the chain: the
    history of git is what protects it from that.
    """
    from avatar_gitops.app.auditing import audit_log
    from avatar_gitops.report import audit as report

    found = audit_log(project)
    if form == "json":
        text = report.to_json(found.entries, found.broken, found.notes)
    else:
        text = report.render(
            found.entries,
            found.broken,
            found.notes,
            style=style_for(color),
            ascii_only=ascii_wanted(ascii_only),
        )
    out(text.rstrip("\n"))
    ctx.exit(0 if found.ok else 1)
