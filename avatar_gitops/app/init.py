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
from avatar_gitops.workspace.policies import policy_files

IGNORE: Final = ".gitignore"
POLICY: Final = "policies/baseline.yaml"
IGNORED: Final = b".avatar/\nout/\n"
SCHEMAS: Final[tuple[Kind, ...]] = ("run", "project", "defaults", "policy", "waivers", "policy-test")


@dataclass(frozen=True, slots=True)
class Created:
    """What `init` wrote: the folder and, in order, each file with what it is for; `kept` were there and stay."""

    folder: Path
    files: tuple[tuple[str, str], ...]
    kept: tuple[str, ...] = ()

    @property
    def not_ignored(self) -> tuple[str, ...]:
        """What an existing .gitignore does not keep out of git, as far as its lines say."""
        if IGNORE not in self.kept:
            return ()
        lines = (self.folder / IGNORE).read_text(encoding="utf-8", errors="replace").splitlines()
        said = {line.strip().strip("/") for line in lines}
        return tuple(line for line in IGNORED.decode().splitlines() if line.strip("/") not in said)


def init(folder: Path, ci: str | None = None) -> Created:
    """Write a project into a new or existing folder and overwrite nothing; what is there already is kept.

    UsageError, and nothing written, when there is a project or a workflow already. With `ci` the workflows of that
    forge too, and nothing else where there is a project.
    """
    contents = {} if ci and (folder / PROJECT_FILE).exists() else _project(folder)
    workflows = pipelines(folder, ci) if ci else {}
    taken = [path for path in (*contents, *workflows) if (folder / path).exists()]
    refused = [path for path in taken if path == PROJECT_FILE or path in workflows]
    if refused:
        raise UsageError(
            f"{folder} already has {', '.join(refused)}; nothing was written", hint="choose another folder"
        )
    written = {path: item for path, item in {**contents, **workflows}.items() if path not in taken}
    for path, (content, _) in written.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return Created(folder, tuple((path, purpose) for path, (_, purpose) in written.items()), tuple(taken))


def _project(folder: Path) -> dict[str, tuple[bytes, str]]:
    scaffold = files("avatar_gitops.app").joinpath("scaffold")
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", folder.resolve().name).strip("-.") or "demo"
    project = scaffold.joinpath(PROJECT_FILE).read_text(encoding="utf-8").replace("PROJECT_NAME", name)
    contents = {
        PROJECT_FILE: (project.encode(), 'project file, server "local"'),
        "configs/iris-demo.yaml": (scaffold.joinpath("iris-demo.yaml").read_bytes(), "one run: 1 table, k=20"),
        "data/iris.csv": (scaffold.joinpath("iris.csv").read_bytes(), "public sample (UCI Iris, CC BY 4.0)"),
        IGNORE: (IGNORED, "keeps server state and results out of git"),
    }
    if not policy_files(folder):  # files of a policy add up
        contents[POLICY] = (scaffold.joinpath("baseline.yaml").read_bytes(), "rules for every set")
    return contents | {
        f"schemas/{file_name(kind)}": (schema_text(kind).encode(), "for your editor") for kind in SCHEMAS
    }
