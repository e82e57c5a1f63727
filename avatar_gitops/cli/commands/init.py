"""`avatar-gitops init`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from avatar_gitops.cli.console import out

ON_THE_FORGE: Final = {
    "github": """\
On GitHub, make the environments avatar-plan and avatar-prod, each with the variable AVATAR_BASE_URL
and the secret AVATAR_API_KEY; give avatar-prod required reviewers.""",
    "gitlab": """\
On GitLab, add `include: {local: .gitlab/avatar.yml}` to .gitlab-ci.yml, and the variables AVATAR_BASE_URL,
AVATAR_API_KEY and AVATAR_GITLAB_TOKEN as the file says; protect the environment avatar-prod.""",
}


@click.command("init")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
@click.option(
    "--ci",
    type=click.Choice(["github", "gitlab"]),
    default=None,
    help="Also write workflows, or only them into a project.",
)
def command(folder: Path, ci: str | None) -> None:
    """Create a project in FOLDER (default: here) with one public sample table, a policy and schemas for editors.

    Files that are there already are kept as they are; a folder that is a project already is refused.
    """
    from avatar_gitops.app.init import init

    created = init(folder, ci)
    width = max(len(path) for path, _ in created.files)
    out(f"Created {created.folder}/")
    for path, purpose in created.files:
        out(f"  {path:<{width}}  {purpose}")
    if created.kept:
        out(f"Kept as they are: {', '.join(created.kept)}")
    if created.not_ignored:
        out(f"Add to .gitignore: {' '.join(created.not_ignored)}")
    enter = "" if folder == Path() else f"cd {created.folder} && "
    if ci:
        out(f"\n{ON_THE_FORGE[ci]}")
    out(f"\nNext: {enter}avatar-gitops plan")
