"""`avatar-gitops import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from avatar_gitops.cli.console import note, out
from avatar_gitops.cli.options import project_option, server_option

if TYPE_CHECKING:
    from avatar_gitops.app.import_ import Written


@click.command("import")
@click.argument("source")
@project_option
@server_option
@click.option("--id", "set_id", metavar="UUID", default=None, help="Which set, when several have the same name.")
@click.option("--name", default="", help="Name of the set in the spec; else that of the source.")
@click.option(
    "--source", "sources", metavar="TABLE=PATH", multiple=True, help="Where the rows of a table are; repeatable."
)
@click.option("--avatars", metavar="TABLE=PATH", multiple=True, help="Where given avatars of a table are; repeatable.")
@click.option("--holdout", metavar="TABLE=PATH", multiple=True, help="Where the holdout of a table is; repeatable.")
@click.option("--to", type=click.Path(path_type=Path), default=None, help="File to write; else NAME.yaml, with specs.")
@click.option("--stdout", is_flag=True, help="Print the spec, write nothing; `--to -` does the same.")
def command(
    source: str,
    project: Path | None,
    server: str | None,
    set_id: str | None,
    name: str,
    sources: tuple[str, ...],
    avatars: tuple[str, ...],
    holdout: tuple[str, ...],
    to: Path | None,
    stdout: bool,
) -> None:
    """Make a spec from SOURCE: YAML of the platform, or a set on a server.

    SOURCE is a file that was downloaded from the web application or made with the Python client, or the display name
    or the id of a set. Comments of a file are kept; what a spec cannot say stands in the spec as `# not recovered`.
    Nothing on the server changes, and no file is overwritten.
    """
    from avatar_gitops.app.import_ import Wishes, import_, preview

    printing = stdout or to == Path("-")
    wishes = Wishes(name, None if printing else to, files_of(sources, avatars, holdout))
    if printing:
        out(preview(project, source, server, set_id, wishes).text.rstrip("\n"))
        return
    tell(import_(project, source, server, set_id, wishes))
    out("\nNext: avatar-gitops plan")


def files_of(
    sources: tuple[str, ...], avatars: tuple[str, ...], holdout: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    """What `--source`, `--avatars` and `--holdout` say, by table and role."""
    return _pairs(sources, "source") | _pairs(avatars, "avatars") | _pairs(holdout, "holdout")


def _pairs(options: tuple[str, ...], role: str) -> dict[tuple[str, str], str]:
    """`TABLE=PATH` by table and role."""
    found = {}
    for text in options:
        table, equals, path = text.rpartition("=")
        if not (equals and table and path):
            raise click.UsageError(f"--{role} takes TABLE=PATH, not {text}")
        found[table, role] = path
    return found


def tell(written: Written) -> None:
    """What was written, which data files were found by their names, and what was not recovered."""
    out(f"Wrote {written.path}: run spec `{written.name}`, {written.tables} table{'s' * (written.tables != 1)}")
    for table, path in written.found:
        out(f"  table {table}: {path}, found by its name")
    for one in written.notes:
        note(f"not recovered: line {one.span.line}: {one.message}")
