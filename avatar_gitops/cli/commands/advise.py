"""`avatar-gitops advise`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, server_option


@click.command("advise")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@project_option
@server_option
@click.option("--write", "writing", is_flag=True, help="Put proposals for fields that say nothing into the specs.")
@click.option("--overwrite", is_flag=True, help="With --write: also replace values that are written.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@color_option
@ascii_option
def command(
    names: tuple[str, ...],
    project: Path | None,
    server: str | None,
    writing: bool,
    overwrite: bool,
    form: str,
    color: str,
    ascii_only: bool,
) -> None:
    """Propose parameters and links that suit the data: of all sets, or of each NAME.

    The server looks at the tables and advises k, dimensions and imputation. Column types, tags and the attacks to
    measure are proposed from names and numbers of distinct values. These are starting points: gates and metrics
    decide what is good enough. Nothing is launched that `plan` or `drift` would see.

    For sets with several tables, keys are proposed from names and from which columns have another value in each row,
    and the server advises by their names how to link the tables. Whether the keys hold is found out here: a link is
    proposed only if each key is one row of its parent.
    """
    if overwrite and not writing:
        raise click.UsageError("--overwrite goes with --write")
    from avatar_gitops.app.advise import advise, write
    from avatar_gitops.report import advice as report

    found = advise(project, server, names)
    if form == "json":
        out(report.to_json(found.proposals, found.links))
    else:
        style, plain_signs = style_for(color), ascii_wanted(ascii_only)
        out(report.render(found.proposals, found.links, found.paths, style=style, ascii_only=plain_signs))
    tell = note if form == "json" else out
    everything = [one for proposed in found.proposals.values() for one in proposed]
    tell(f"\n{report.summary(everything)}")
    if writing:
        for path, number in write(found, overwrite=overwrite):
            tell(f"Wrote {number} field{'s' * (number != 1)} to {path}")
        tell("Next: avatar-gitops plan")
    elif everything:
        tell("Next: avatar-gitops advise --write")
