"""`avatar-gitops noise`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, note, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, quiet_option


@click.command("noise")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@project_option
@click.option(
    "--seeds", type=click.IntRange(3, 100), default=8, show_default=True, help="Runs of each set, each with its seed."
)
@click.option(
    "--server",
    default="local",
    show_default=True,
    help="Where to run: the embedded platform of this machine, or a server of the project, where each run may cost.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@quiet_option
@color_option
@ascii_option
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    project: Path | None,
    seeds: int,
    server: str,
    form: str,
    quiet: bool,
    color: str,
    ascii_only: bool,
) -> None:
    """Measure how much the metrics of sets move by chance, and keep it beside their specs.

    Repeats the run of each spec with seeds derived from its own and writes NAME.noise.yaml. Rules about regressions
    take a smaller loss than that for chance. Other parameters, other data or another engine need a new measurement.
    The runs are deleted afterwards, and nothing is published.
    """
    from avatar_gitops.app.clock import SystemClock
    from avatar_gitops.app.noise import noise
    from avatar_gitops.cli.commands.preview import Lines
    from avatar_gitops.report.noise import as_data, render, to_json

    found = noise(project, names, seeds, server, SystemClock(), Lines(quiet))
    bands = [(one.band, one.path) for one in found if one.band is not None]
    if form == "json":
        out(to_json([as_data(band, path) for band, path in bands]))
    else:
        for band, path in bands:
            out(render(band, style=style_for(color), ascii_only=ascii_wanted(ascii_only)) + f"  {path}\n")
        if bands:
            out(f"Next: git add {' '.join(path for _, path in bands)}")
    for one in found:
        if one.error:
            note(f"{one.set}: could not be measured: {one.error}")
    ctx.exit(1 if len(bands) < len(found) else 0)
