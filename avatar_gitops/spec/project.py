"""Model of the project file `avatar-gitops.yaml`: project id, servers, guard rails."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from avatar_gitops.spec.models import WHOLE, Model, Natural, SetName, Text

PROJECT_FILE: Final = "avatar-gitops.yaml"
REFERENCE_PATTERN: Final = r"^env/[A-Za-z_][A-Za-z0-9_]*(/.*)?$"

Reference = Annotated[str, Field(pattern=REFERENCE_PATTERN)]


class Prune(StrEnum):
    """Whether sets that left git are deleted on the server."""

    NEVER = "never"
    OWNED = "owned"


class Server(Model):
    """A hosted Avatar server; the key is a reference to an environment variable, never a value."""

    base_url: Text
    api_key: Reference = "env/AVATAR_API_KEY"
    verify_tls: bool = True


class Thresholds(Model):
    """Largest share of owned sets that one apply may delete or relaunch; checked from `min_sets` owned sets on."""

    max_delete_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 30
    max_relaunch_percent: Annotated[int, Field(ge=0, le=100), WHOLE] = 30
    min_sets: Natural = 10


class ProjectMetadata(Model):
    """Identity of the project; `name` marks what it owns on the server."""

    name: SetName


class ProjectSpec(Model):
    """Settings of the project. Server `local` is the embedded platform, `env` is AVATAR_BASE_URL and AVATAR_API_KEY."""

    server: Text | None = None
    servers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")], Server] = {}
    specs: Text = "configs"
    out: Text = "out"
    prune: Prune = Prune.NEVER
    thresholds: Thresholds = Thresholds()
    parallelism: Annotated[int, Field(ge=1, le=64), WHOLE] = 4
    digest_key: Reference | None = None


class Project(Model):
    """The project file."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["Project"]
    metadata: ProjectMetadata
    spec: ProjectSpec = ProjectSpec()
