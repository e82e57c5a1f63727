"""`avatar-gitops init`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from avatar_gitops.cli.console import out

EDIT: Final = (
    "Edit avatar-gitops.yaml: `server: env`, so that this machine and the pipeline use one platform.",
    "Edit configs/iris-demo.yaml: your table (s3://, https:// or a path; personal data do not belong into git),",
    "its columns, and what its gates ask for.",
)
BRANCH: Final = 'git switch -c first-plan && git add . && git commit -m "Plan a set" && git push -u origin HEAD'
REQUEST: Final = {"github": "pull request", "gitlab": "merge request"}
STEPS: Final = {
    "github": (
        (
            'git add .github && git commit -m "Add the workflows" && git push',
            "The main branch needs them first: GitHub lets only its workflows write comments.",
        ),
        (
            "On GitHub, Settings > Environments: make avatar-plan and avatar-prod, each with the variable",
            "AVATAR_BASE_URL and the secret AVATAR_API_KEY; give avatar-prod required reviewers.",
        ),
        EDIT,
        (BRANCH, "Open the pull request: a comment shows the plan, and after the merge the results."),
    ),
    "gitlab": (
        ("Add `include: {local: .gitlab/avatar.yml}` to .gitlab-ci.yml; push both to the main branch.",),
        (
            "On GitLab, Settings > CI/CD > Variables: AVATAR_BASE_URL, AVATAR_API_KEY and AVATAR_GITLAB_TOKEN as",
            "the file says; protect the environment avatar-prod.",
        ),
        EDIT,
        (BRANCH, "Open the merge request: a note shows the plan, and after the merge the results."),
    ),
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
    from avatar_gitops.spec.project import PROJECT_FILE

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
        edit = PROJECT_FILE in dict(created.files)
        where = "" if folder == Path() else f", from {created.folder}"
        out(f"\nTo the first plan in a {REQUEST[ci]}{where}:\n\n{_steps(ci, edit=edit)}")
    out(f"\nNext: {enter}avatar-gitops plan")


def _steps(forge: str, *, edit: bool) -> str:
    """What is left to do, numbered; without `edit` the project was there already."""
    chosen = [lines for lines in STEPS[forge] if edit or lines is not EDIT]
    numbered = ((number, lines) for number, lines in enumerate(chosen, 1))
    return "\n".join(f"  {number}  " + "\n     ".join(lines) for number, lines in numbered)
