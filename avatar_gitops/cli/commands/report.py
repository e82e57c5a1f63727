"""`avatar-gitops report`: documents of a published run again, signatures under its assessment, what changed in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from avatar_gitops.cli.console import ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option

if TYPE_CHECKING:
    from avatar_gitops.assessment import Format
    from avatar_gitops.assessment.view import Kind


class NamedGroup(click.Group):
    """A group whose default is `render`: `report NAME` is `report render NAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["render", *args]
        return super().parse_args(ctx, args)


@click.group("report", cls=NamedGroup)
def command() -> None:
    """Render the documents of a published run again, sign its assessment, see which statements changed.

    `avatar-gitops report NAME` is `avatar-gitops report render NAME`. Nothing here asks a server.
    """


@command.command("render", short_help="Render a document from what a published run left (the default).")
@click.argument("name")
@project_option
@click.option("--kind", type=click.Choice(["pia", "technical"]), default="pia", show_default=True)
@click.option("--format", "form", type=click.Choice(["pdf", "docx", "markdown"]), default="pdf", show_default=True)
@click.option("--language", type=click.Choice(["en", "fr"]), default=None, help="When not given, that of the spec.")
@click.option(
    "--templates",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=None,
    metavar="DIR",
    help="Folder with own templates; when not given, spec.reports.templates of the project file.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=None,
    metavar="FILE",
    help="When not given NAME.KIND.EXT in this folder; `-` is standard output.",
)
def render_command(name: str, project: Path | None, kind: Kind, form: Format, **wishes: Any) -> None:
    """Render a document from out/NAME/, the lock file and the signatures.

    Own templates are, in their folder, `pia.…`, `technical.…`, or `document.…` for both: `.md.j2` (Jinja) for Markdown,
    `.typ` (typst) for PDF, `.docx` (a Word file whose styles, header and footer are used) for DOCX. What they may use
    is told by `avatar-gitops schema report`.
    """
    from avatar_gitops.app.report import Wanted, render_report, save

    output = wishes["output"]
    to_stdout = output == Path("-")
    wanted = Wanted(kind, form, wishes["language"], wishes["templates"])
    rendered = render_report(project, name, wanted, None if to_stdout else output)
    if to_stdout:
        sys.stdout.buffer.write(rendered.content)
    else:
        note(f"Wrote {save(rendered, output).as_posix()}")


@command.command("sign", short_help="Record who approved or refused the assessment that is published.")
@click.argument("name")
@project_option
@click.option("--role", required=True, help="For example dpo, owner or controller.")
@click.option("--person", default="", help="Who signs; when not given, user.email of git.")
@click.option("--refuse", is_flag=True, help="Record that the assessment is refused.")
@click.option("--note", "remark", default="", help="A sentence that is kept with the signature.")
def sign_command(name: str, project: Path | None, role: str, person: str, refuse: bool, remark: str) -> None:
    """Record who approved or refused the assessment that is published, in signoffs/NAME.yaml.

    The signature is bound to the digest of out/NAME/pia.json: when a statement changes, it has to be given again.
    Commit the file; its author in git is the proof of who wrote it.
    """
    from avatar_gitops.app.clock import today
    from avatar_gitops.app.report import Given, sign
    from avatar_gitops.plan.signoff import Decision

    decision = Decision.REFUSED if refuse else Decision.APPROVED
    done = sign(project, name, Given(role, decision, person, remark), today())
    path = done.path.as_posix()
    note(f"{decision.value.capitalize()} as {role}, in {path}")
    if role not in done.required:
        note(f"Nobody has to sign as {role}; the roles that have to: {', '.join(done.required)}")
    note(f"Next: git add {path} && git commit")


@command.command("diff", short_help="Show which statements of an assessment changed, and who has to sign again.")
@click.argument("before")
@click.argument("after", required=False)
@project_option
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--exit-code", is_flag=True, help="Exit with 2 when a statement differs.")
@color_option
@ascii_option
@click.pass_context
def diff_command(
    ctx: click.Context,
    before: str,
    after: str | None,
    project: Path | None,
    form: str,
    exit_code: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Show which statements of an assessment changed, with both texts, and who has to sign again.

    BEFORE and AFTER are NAME (published now), NAME@REF (out/ at a git commit, branch or tag), a pia.json or a folder
    with one; NAME alone is compared with its last commit.
    """
    from avatar_gitops.app.report import difference
    from avatar_gitops.report import pia_diff

    found = difference(project, before, after)
    parts = (found.labels, found.changes, found.signatures)
    match form:
        case "json":
            text = pia_diff.to_json(*parts)
        case "markdown":
            text = pia_diff.markdown(*parts)
        case _:
            text = pia_diff.render(*parts, style=style_for(color), ascii_only=ascii_wanted(ascii_only))
    out(text.rstrip("\n"))
    ctx.exit(2 if exit_code and found.changes else 0)
