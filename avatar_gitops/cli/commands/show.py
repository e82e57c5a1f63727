"""`avatar-gitops show`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import ascii_wanted, out, style_for
from avatar_gitops.cli.options import ascii_option, color_option, project_option, server_option


@click.command("show")
@click.argument("name")
@project_option
@server_option
@click.option("--resolved", is_flag=True, help="Only the run, with every default filled in; asks no server.")
@click.option("--origin", is_flag=True, help="With --resolved: say where each value comes from.")
@click.option("--format", "form", type=click.Choice(["text", "yaml", "json"]), default="text", show_default=True)
@color_option
@ascii_option
def command(name: str, project: Path | None, server: str | None, form: str, **looks: bool | str) -> None:
    """Show one set: what plan says, the published run with its metrics and gates, where its files are.

    With --resolved: the run that its layers make, as YAML or JSON. Layers are `spec.defaults` of the project file, each
    `_defaults.yaml` from the folder of the specs down to the spec, the file that its `from` names, and the spec itself;
    the nearer one wins, and `null` takes an inherited key away.
    """
    color, ascii_only = str(looks["color"]), bool(looks["ascii_only"])
    if looks["resolved"]:
        _resolved(project, name, form, color, bool(looks["origin"]))
        return
    if looks["origin"] or form == "yaml":
        raise click.UsageError("--origin and --format yaml show a resolved run: add --resolved")
    from avatar_gitops.app.status import as_json, show
    from avatar_gitops.report.show import as_text

    shown = show(project, server, name)
    if form == "json":
        out(as_json(shown))
        return
    files = shown.folder.as_posix() if shown.folder else None
    out(as_text(shown.change, files, style=style_for(color), ascii_only=ascii_wanted(ascii_only)))


def _resolved(project: Path | None, name: str, form: str, color: str, origin: bool) -> None:
    from avatar_gitops.app.show import show_resolved
    from avatar_gitops.report.resolved import as_json, as_yaml

    run = show_resolved(project, name)
    origins = run.origins if origin else None
    if form == "json":
        out(as_json(run.name, run.path, run.content, origins).rstrip("\n"))
    else:
        out(as_yaml(run.content, origins, style=style_for(color)).rstrip("\n"))
