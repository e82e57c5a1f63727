"""Files that `init --ci` writes: workflows of GitHub Actions, or a pipeline of GitLab."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from avatar_gitops import __version__
from avatar_gitops.errors import UsageError

WORKFLOWS: Final = {
    "avatar-plan.yml": "checks and plans pull requests",
    "avatar-comment.yml": "publishes the plan as one comment",
    "avatar-apply.yml": "applies what was merged",
    "avatar-drift.yml": "looks for drift every morning",
}
FORGES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "github": (".github/workflows", WORKFLOWS),
    "gitlab": (".gitlab", {"avatar.yml": "plans merge requests, applies what is merged, looks for drift"}),
}


def pipelines(folder: Path, forge: str) -> Mapping[str, tuple[bytes, str]]:
    """Path in the repository to content and purpose; the version that is installed there is the one that wrote them."""
    _at_the_top(folder)
    place, names = FORGES[forge]
    scaffold = files("avatar_gitops.app").joinpath("scaffold").joinpath(forge)
    return {
        f"{place}/{name}": (
            scaffold.joinpath(name).read_text(encoding="utf-8").replace("==VERSION", f"=={__version__}").encode(),
            purpose,
        )
        for name, purpose in names.items()
    }


def _at_the_top(folder: Path) -> None:
    """Refuse a folder inside a repository: forges read pipelines only at its top."""
    here = folder.resolve()
    top = next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), here)
    if top != here:
        raise UsageError(
            "pipelines are read only at the top of a repository, and this folder is inside of one",
            hint="run it at the top of the repository",
        )
