"""`avatar-gitops fmt`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import note, out
from avatar_gitops.cli.options import project_option


@click.command("fmt")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@project_option
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 when a file would change.")
@click.pass_context
def command(ctx: click.Context, files: tuple[Path, ...], project: Path | None, check: bool) -> None:
    """Put keys in the order of the schema: in specs, defaults, the project file, policies and waivers, or only FILES.

    Comments, quotes and values stay as they are written, and no digest changes. Where the project has a folder
    schemas/, the first line tells editors which schema the file has; `avatar-gitops schema --write schemas` makes it. A
    file that is not readable YAML is left alone, and the exit code is 3.
    """
    from avatar_gitops.app.fmt import fmt

    found = fmt(project, files, check=check)
    for name in found.changed:
        out(f"{'would format' if check else 'formatted'} {name}")
    for name in found.unreadable:
        note(f"left alone, not readable YAML: {name}   see: avatar-gitops validate")
    total = len(found.changed) + len(found.kept) + len(found.unreadable)
    verb = "would change" if check else "changed"
    out(f"{len(found.changed)} of {total} file{'s' * (total != 1)} {verb}.")
    ctx.exit(3 if found.unreadable else 2 if check and found.changed else 0)
