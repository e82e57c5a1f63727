"""`avatar-gitops plan`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import Style, ascii_wanted, note, out, plain, style_for
from avatar_gitops.cli.options import (
    ascii_option,
    color_option,
    consent_options,
    project_option,
    select_options,
    server_option,
)

if TYPE_CHECKING:
    from avatar_gitops.plan.model import Plan

FORMATS = ["text", "json", "markdown"]


@click.command("plan")
@project_option
@server_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="Form of the plan."
)
@click.option("--summary", is_flag=True, help="Two lines.")
@click.option("--explain", is_flag=True, help="The steps that apply would carry out.")
@click.option("--why", metavar="NAME", default=None, help="The fields and digests behind one change.")
@click.option("--out", "outs", metavar="FORMAT:PATH", multiple=True, help="Also write the plan to a file; repeatable.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@select_options
@consent_options
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    project: Path | None,
    server: str | None,
    form: str,
    summary: bool,
    explain: bool,
    why: str | None,
    outs: tuple[str, ...],
    detailed_exitcode: bool,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    allow_delete: tuple[str, ...],
    allow_relaunch: tuple[str, ...],
    force: str | None,
    color: str,
    ascii_only: bool,
) -> None:
    """Show what would happen to each set, why, and whether privacy gets weaker. Changes nothing."""
    from avatar_gitops.app.plan import Consent, plan
    from avatar_gitops.plan.select import Selection

    files = [_target(text) for text in outs]
    consent = Consent.of(allow_delete, allow_relaunch, force)
    found = plan(project, server, consent, Selection(select, exclude)).plan
    zoom = "why" if why else "explain" if explain else "summary" if summary else form
    out(rendered(found, zoom, why, style_for(color), ascii_wanted(ascii_only)).rstrip("\n"))
    for kind, path in files:
        path.write_text(rendered(found, kind, None, plain, ascii_only=False), encoding="utf-8")
        note(f"Wrote {path}")
    ctx.exit(2 if detailed_exitcode and found.effective else 0)


def rendered(plan: Plan, form: str, name: str | None, style: Style, ascii_only: bool) -> str:
    """The plan in one of its forms."""
    from avatar_gitops.plan.serial import document
    from avatar_gitops.report import plan as text
    from avatar_gitops.report import plan_explain, plan_markdown

    match form:
        case "json":
            return json.dumps(document(plan), indent=2, ensure_ascii=False) + "\n"
        case "markdown":
            return plan_markdown.markdown(plan)
        case "summary":
            return text.summary(plan, style=style, ascii_only=ascii_only)
        case "explain":
            return plan_explain.explain(plan, style=style, ascii_only=ascii_only)
        case "why":
            change = next((change for change in plan.changes if change.set == name), None)
            if change is None:
                raise click.UsageError(f"There is no set {name!r} in this plan.")
            return plan_explain.why(change, style=style, ascii_only=ascii_only)
        case _:
            return text.render(plan, style=style, ascii_only=ascii_only)


def _target(text: str) -> tuple[str, Path]:
    kind, colon, path = text.partition(":")
    if not colon or kind not in FORMATS or not path:
        raise click.UsageError(f"--out takes FORMAT:PATH with a format of {', '.join(FORMATS)}, not {text!r}.")
    return kind, Path(path)
