"""`avatar-gitops adopt`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.commands.import_ import files_of, tell
from avatar_gitops.cli.console import ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, server_option


@click.command("adopt")
@click.argument("name")
@project_option
@server_option
@click.option("--id", "set_id", metavar="UUID", default=None, help="Which set, when several have the same name.")
@click.option("--source", "sources", metavar="TABLE=PATH", multiple=True, help="For a new spec: where the rows are.")
@click.option("--avatars", metavar="TABLE=PATH", multiple=True, help="For a new spec: where given avatars are.")
@click.option("--holdout", metavar="TABLE=PATH", multiple=True, help="For a new spec: where the holdout of a table is.")
@click.option("--to", type=click.Path(path_type=Path), default=None, help="For a new spec: the file to write.")
@click.option("--accept-differences", is_flag=True, help="Adopt a set that was made from another spec; it runs again.")
@click.option("--take-over", metavar="REASON", default="", help="Adopt a set of another project; recorded.")
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    name: str,
    project: Path | None,
    server: str | None,
    set_id: str | None,
    sources: tuple[str, ...],
    avatars: tuple[str, ...],
    holdout: tuple[str, ...],
    to: Path | None,
    accept_differences: bool,
    take_over: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Make the set NAME, which others made on the server, one of this project's.

    The set is compared with the spec of that name. If they agree, the project file lists the set under `adopted`, and
    the next apply publishes it without running anything. Without a spec, one is written from the set. Exit code 5 when
    they differ. Nothing on the server changes.
    """
    from avatar_gitops.app.adopt import Consent, adopt
    from avatar_gitops.app.import_ import Wishes
    from avatar_gitops.report.adoption import differences

    wishes = Wishes(name, to, files_of(sources, avatars, holdout))
    found = adopt(project, server, name, set_id, wishes, Consent(accept_differences, take_over))
    if found.known:
        out(f"{name} belongs to this project already: nothing to do.")
        return
    if found.written:
        tell(found.written)
    else:
        for message in found.notes:
            note(f"not compared: {message}")
    if found.differences:
        style = style_for(color)
        out(differences(found.differences, found.path, style=style, ascii_only=ascii_wanted(ascii_only)))
    if not found.recorded:
        note(f"error: {name} was not adopted, because {found.path} is another run")
        note("   = fix: make the spec say what ran, or --accept-differences: then the next apply runs it again")
        ctx.exit(5)
    out(f"Adopted {name} ({found.id}) on {found.server}: listed in avatar-gitops.yaml under `adopted`")
    out("\nNext: avatar-gitops plan")
