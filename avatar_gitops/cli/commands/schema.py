"""`avatar-gitops schema`: the JSON Schemas that editors and other tools check files with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from avatar_gitops.cli.console import note, out

if TYPE_CHECKING:
    from avatar_gitops.spec.schema import Kind

KINDS: Final = ("run", "project", "defaults", "policy", "waivers", "policy-test")


@click.command(name="schema")
@click.argument("kind", type=click.Choice(KINDS), default="run")
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    metavar="DIR",
    help="Write every schema into this folder instead of printing one.",
)
def command(kind: str, folder: Path | None) -> None:
    """Print the JSON Schema of run specs (default), of the project file, of `_defaults.yaml` or of files in policies/.

    Editors use it through the first line of a spec: # yaml-language-server: $schema=PATH
    """
    from avatar_gitops.spec.schema import ROOTS, file_name, schema_text

    if folder is None:
        out(schema_text(cast("Kind", kind)).rstrip("\n"))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for root in ROOTS:
        path = folder / file_name(root)
        path.write_text(schema_text(root), encoding="utf-8")
        note(f"Wrote {path.as_posix()}")
