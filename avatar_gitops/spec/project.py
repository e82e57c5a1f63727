"""Model of the project file `avatar-gitops.yaml`: project id, servers, guard rails."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field

from avatar_gitops.spec.defaults import Defaults
from avatar_gitops.spec.models import WHOLE, Day, Model, Natural, SetName, Text
from avatar_gitops.spec.signoffs import Role

PROJECT_FILE: Final = "avatar-gitops.yaml"
REFERENCE_PATTERN: Final = r"^env/[A-Za-z_][A-Za-z0-9_]*(/.*)?$"

Reference = Annotated[str, Field(pattern=REFERENCE_PATTERN)]
ServerId = Annotated[
    str, Field(pattern=r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$")
]


class Prune(StrEnum):
    """Whether sets that left git are deleted on the server."""

    NEVER = "never"
    OWNED = "owned"


class WebhookFormat(StrEnum):
    """Shape of the body: our own document, or a text message as chat services take it."""

    JSON = "json"
    TEXT = "text"


class WebhookEvent(StrEnum):
    """Outcomes that a webhook may ask for."""

    PUBLISHED = "published"
    UPDATED = "updated"
    DELETED = "deleted"
    GATE_FAILED = "gate_failed"
    FAILED = "failed"
    DRIFT = "drift"


class DriftKind(StrEnum):
    """How a set can differ from what was applied; a closed list, the most serious first."""

    MISSING = "missing"
    FOREIGN = "foreign"
    EDITED = "edited_on_server"
    AMBIGUOUS = "ambiguous"
    JOB_FAILED = "job_failed"
    RESULTS_EXPIRED = "results_expired"
    INPUT_CHANGED = "input_changed"
    ARTIFACT_CHANGED = "artifact_changed"
    ENGINE_CHANGED = "engine_changed"


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


class Moved(Model):
    """A set that got another name: what ran under `from` belongs to `to`, so that nothing is deleted or run again."""

    from_: Annotated[SetName, Field(alias="from")]
    to: SetName
    date: Day


class Removed(Model):
    """A set that left git on purpose: its results stay on the server, or are deleted whatever `prune` says.

    A set whose results stay keeps its lock file, so that `drift` goes on looking after it; a last day stays in force.
    """

    set: SetName
    date: Day
    keep_results: bool
    reason: Text | None = None


class Adopted(Model):
    """A set on the server that somebody made by other means and that belongs to this project from now on.

    `take_over` also takes what another project marked as its own; that project must let go of it first. `differs` says
    that it was made from something else than the spec says now, so that it is run again before anything is published.
    """

    set: SetName
    id: ServerId
    take_over: bool = False
    differs: bool = False


class IgnoredDrift(Model):
    """A difference that everybody knows of, up to and including a day; `set` is a name or a glob.

    It is still listed by `drift`, and counts again from the next day on.
    """

    set: Text
    kind: DriftKind
    reason: Text
    expires: Day
    ticket: Text | None = None


class Webhook(Model):
    """Where outcomes of an apply are posted, once each; `url` is a reference because such addresses carry secrets."""

    url: Reference
    format: WebhookFormat = WebhookFormat.JSON
    on: Annotated[list[WebhookEvent], Field(min_length=1)] = list(WebhookEvent)


class TrustedKey(Model):
    """A public key whose signatures count; `avatar-gitops audit key new` makes one."""

    name: Text
    key: Annotated[str, Field(pattern=r"^ed25519:[0-9a-f]{64}$")]


class Signing(Model):
    """How evidence is signed: `key` refers to a private key in PEM, `trusted` are the public keys that count.

    `env/NAME` is the text of the key, or, when only NAME_FILE is set, that names a file with it.
    """

    key: Annotated[str, Field(pattern=r"^env/[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    trusted: list[TrustedKey] = []


class Reports(Model):
    """How documents are made: `templates` is a folder with the project's own, `signers` are the roles that must sign.

    Without `signers` all roles of the document must: owner, controller and dpo.
    `avatar-gitops report --help` tells which templates there are, schemas/report.v1.schema.json what they may use.
    """

    templates: Text | None = None
    signers: list[Role] = []


class ProjectMetadata(Model):
    """Identity of the project; `name` marks what it owns on the server."""

    name: SetName


class ProjectSpec(Model):
    """Settings of the project. Server `local` is the embedded platform, `env` is AVATAR_BASE_URL and AVATAR_API_KEY.

    `defaults` are said for every spec; what `_defaults.yaml` files, and specs themselves, say wins over them.
    """

    server: Text | None = None
    servers: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")], Server] = {}
    specs: Text = "configs"
    out: Text = "out"
    prune: Prune = Prune.NEVER
    thresholds: Thresholds = Thresholds()
    parallelism: Annotated[int, Field(ge=1, le=64), WHOLE] = 4
    digest_key: Reference | None = None
    signing: Signing | None = None
    reports: Reports = Reports()
    defaults: Defaults | None = None
    moved: list[Moved] = []
    removed: list[Removed] = []
    adopted: list[Adopted] = []
    ignore_drift: list[IgnoredDrift] = []
    webhooks: list[Webhook] = []


class Project(Model):
    """The project file."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["Project"]
    metadata: ProjectMetadata
    spec: ProjectSpec = ProjectSpec()
