"""`avatar-gitops diff`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option


@click.command("diff")
@click.argument("before")
@click.argument("after", required=False)
@project_option
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option(
    "--fail-on-regression",
    is_flag=True,
    help="Exit with 4 when a metric got worse by more than its noise; a metric without interval counts as exact.",
)
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    before: str,
    after: str | None,
    project: Path | None,
    form: str,
    fail_on_regression: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Compare two published runs: spec, metrics with their noise, gates, data, engine.

    BEFORE and AFTER are NAME (published now) or NAME@REF (published at a git commit, branch or tag); NAME alone is
    compared with its last commit. Lock files are read, no server is asked. The noise is that
    of repeated seeds where `avatar-gitops noise` measured it, else the interval of each metric.
    """
    from avatar_gitops.app.diff import diff
    from avatar_gitops.report import comparison as report

    compared = diff(project, before, after)
    found, labels = compared.comparison, compared.labels
    match form:
        case "json":
            text = report.to_json(found, labels)
        case "markdown":
            text = report.markdown(found, labels)
        case _:
            text = report.render(found, labels, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
    ctx.exit(4 if fail_on_regression and found.regressions else 0)
