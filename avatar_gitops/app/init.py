"""`init`: a small project that works at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from avatar_gitops.app.init_ci import pipelines
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.spec.schema import Kind, file_name, schema_text

IGNORED: Final = b".avatar/\nout/\n"
SCHEMAS: Final[tuple[Kind, ...]] = ("run", "project", "defaults", "policy", "waivers", "policy-test")


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
        contents |= pipelines(folder, ci)
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
        "policies/baseline.yaml": (scaffold.joinpath("baseline.yaml").read_bytes(), "rules for every set"),
        ".gitignore": (IGNORED, "keeps server state and results out of git"),
    }
    return contents | {
        f"schemas/{file_name(kind)}": (schema_text(kind).encode(), "for your editor") for kind in SCHEMAS
    }
