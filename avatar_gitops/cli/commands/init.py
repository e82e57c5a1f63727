"""`avatar-gitops init`."""

from __future__ import annotations

from pathlib import Path

import click

from avatar_gitops.cli.console import out


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def command(folder: Path) -> None:
    """Create a project in FOLDER (default: here) with one public sample table."""
    from avatar_gitops.app.init import init

    created = init(folder)
    width = max(len(path) for path, _ in created.files)
    out(f"Created {created.folder}/")
    for path, purpose in created.files:
        out(f"  {path:<{width}}  {purpose}")
    enter = "" if folder == Path() else f"cd {created.folder} && "
    out(f"\nNext: {enter}avatar-gitops plan")
