"""`init`: a small project that works at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from avatar_gitops import __version__
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.spec.schema import Kind, file_name, schema_text

IGNORED: Final = b".avatar/\nout/\n"
WORKFLOWS: Final = {
    "avatar-plan.yml": "checks and plans pull requests",
    "avatar-comment.yml": "publishes the plan as one comment",
    "avatar-apply.yml": "applies what was merged",
    "avatar-drift.yml": "looks for drift every morning",
}
SCHEMAS: Final[tuple[Kind, ...]] = ("run", "project")


@dataclass(frozen=True, slots=True)
class Created:
    """What `init` wrote: the folder and, in order, each file with what it is for."""

    folder: Path
    files: tuple[tuple[str, str], ...]


def init(folder: Path, ci: str | None = None) -> Created:
    """Write a project into a new or existing folder; UsageError, and nothing written, when a file is in the way.

    With `ci` the workflows of that forge too, and nothing else where there is a project already.
    """
    contents = {} if ci and (folder / PROJECT_FILE).exists() else _project(folder)
    if ci:
        _at_the_top(folder)
        contents |= _workflows()
    taken = [path for path in contents if (folder / path).exists()]
    if taken:
        raise UsageError(f"{folder} already has {', '.join(taken)}; nothing was written", hint="choose another folder")
    for path, (content, _) in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return Created(folder, tuple((path, purpose) for path, (_, purpose) in contents.items()))


def _project(folder: Path) -> dict[str, tuple[bytes, str]]:
    scaffold = files("avatar_gitops.app").joinpath("scaffold")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-.") or "demo"
    project = scaffold.joinpath(PROJECT_FILE).read_text(encoding="utf-8").replace("PROJECT_NAME", name)
    contents = {
        PROJECT_FILE: (project.encode(), 'project file, server "local"'),
        "configs/iris-demo.yaml": (scaffold.joinpath("iris-demo.yaml").read_bytes(), "one run: 1 table, k=20"),
        "data/iris.csv": (scaffold.joinpath("iris.csv").read_bytes(), "public sample (UCI Iris, CC BY 4.0)"),
        ".gitignore": (IGNORED, "keeps server state and results out of git"),
    }
    return contents | {
        f"schemas/{file_name(kind)}": (schema_text(kind).encode(), "for your editor") for kind in SCHEMAS
    }


def _workflows() -> Mapping[str, tuple[bytes, str]]:
    """Workflows of GitHub Actions that install the version that wrote them."""
    scaffold = files("avatar_gitops.app").joinpath("scaffold").joinpath("github")
    return {
        f".github/workflows/{name}": (
            scaffold.joinpath(name).read_text(encoding="utf-8").replace("==VERSION", f"=={__version__}").encode(),
            purpose,
        )
        for name, purpose in WORKFLOWS.items()
    }


def _at_the_top(folder: Path) -> None:
    """Refuse a folder inside a repository: GitHub reads workflows only at its top."""
    here = folder.resolve()
    top = next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), here)
    if top != here:
        raise UsageError(
            "GitHub reads workflows only at the top of a repository, and this folder is inside of one",
            hint="run it at the top of the repository",
        )
