"""`avatar-gitops validate`: check the project file, the specs and the headers of the tables without any network."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import note, out, style_for
from avatar_gitops.cli.options import color_option, project_option, quiet_option
from avatar_gitops.diagnostics import Severity

MIN_WIDTH = 60
MAX_WIDTH = 120


@click.command(name="validate")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@project_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "short", "json", "github", "sarif", "gitlab"]),
    default="text",
    show_default=True,
    help="Form of the findings; `sarif` for code scanning, `gitlab` for a Code Quality report.",
)
@click.option(
    "--fix", "repair", is_flag=True, help="First repair what has one safe repair: misspelt keys, yes for true."
)
@quiet_option
@color_option
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[Path, ...],
    project: Path | None,
    form: str,
    repair: bool,
    quiet: bool,
    color: str,
) -> None:
    """Check specs without any network call: all of the project, or only FILES.

    Each run is checked as a whole, with its defaults, what its `from` says and each combination of its matrix; a
    finding is at the file that said it. Of a `_defaults.yaml` among FILES, the specs that it holds for are checked too.

    Exit code 0 if there is no error, 3 if there is one; warnings do not count.
    """
    from avatar_gitops.app.validate import validate
    from avatar_gitops.report.diagnostics import as_github, as_json, as_short, as_text, explain_line, summary
    from avatar_gitops.report.values import safe

    if repair:
        _repair(project, files)
    result = validate(project, files)
    found = [item for item in result.diagnostics if not quiet or item.severity is Severity.ERROR]
    for name in result.left_out:
        note(f"warning: {safe(name)} is not a spec of this project, so it was not checked")
    verdict = summary(found, result.files_checked, result.sets_made)
    match form:
        case "json":
            out(as_json(found, result.files_checked, result.sets_made).rstrip("\n"))
        case "sarif":
            from avatar_gitops.report.sarif import as_sarif

            out(as_sarif(found, _from_repository()).rstrip("\n"))
        case "gitlab":
            from avatar_gitops.report.code_quality import as_code_quality

            out(as_code_quality(found, _from_repository()).rstrip("\n"))
        case "short" | "github":
            text = as_short(found) if form == "short" else as_github(found)
            out(text + verdict)
        case _:
            width = max(MIN_WIDTH, min(MAX_WIDTH, _terminal_width()))
            body = as_text(found, result.sources, width=width, style=style_for(color))
            out("\n".join(part for part in (body, verdict) if part))
            if found and not quiet:
                out(explain_line(found))
    ctx.exit(0 if result.ok else 3)


def _repair(project: Path | None, files: tuple[Path, ...]) -> None:
    from avatar_gitops.app.fix import fix

    for done in fix(project, files):
        note(f"fixed {done.file}:{done.line}: {done.message}; wrote `{done.written}`")


def _from_repository() -> str:
    """The way from the root of the git repository to here; empty at the root and outside of one."""
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return "" if root == here else here.relative_to(root).as_posix()


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((100, 24)).columns
