"""Request and response bodies of the Avatar HTTP API, as the official clients send and expect them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from avatar_gitops.characters import NO_TEXT

ORIGINAL_SCHEMA: Final = "schema"
AVATARIZED_SCHEMA: Final = "schema_avatarized"


def _text(value: str) -> str:
    if NO_TEXT.search(value):
        raise ValueError("Text can have neither NUL characters nor halves of surrogate pairs.")
    return value


Text = Annotated[str, AfterValidator(_text)]
"""Text of a request that every database and every answer can hold."""


class Body(BaseModel):
    """Base of every body: unknown fields are ignored, because servers and clients of other versions add some."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class JobKind(StrEnum):
    """Kind of a job, derived from the kind of the parameters document that it runs."""

    STANDARD = "standard"
    PRIVACY_METRICS = "privacy_metrics"
    SIGNAL_METRICS = "signal_metrics"
    REPORT = "report"
    ADVICE = "advice"


class JobStatus(StrEnum):
    """Status of a job; `running` does not exist on the platform, a running job is `pending`."""

    NEW = ""
    QUEUED = "queued"
    CREATED = "created"
    PENDING = "pending"
    FINISHED = "finished"
    ERROR = "error"
    PARENT_ERROR = "parent_error"
    LOST = "lost"
    ORPHANED = "orphaned"
    CANCELLED = "cancelled"

    @property
    def done(self) -> bool:
        """Whether the status can no longer change."""
        return self not in {JobStatus.NEW, JobStatus.QUEUED, JobStatus.CREATED, JobStatus.PENDING}


class ResultKind(StrEnum):
    """Key of a result listing. The unshuffled table and the original projections link avatars to people.

    `origins` (which person each augmented avatar was made from) is for the metrics jobs and is never listed.
    """

    SHUFFLED = "shuffled"
    UNSHUFFLED = "unshuffled"
    ORIGINAL_PROJECTIONS = "original_projections"
    AVATAR_PROJECTIONS = "avatar_projections"
    PRIVACY_METRICS = "privacy_metrics"
    PRIVACY_METRICS_SUMMARY = "privacy_metrics_summary"
    SIGNAL_METRICS = "signal_metrics"
    SIGNAL_METRICS_SUMMARY = "signal_metrics_summary"
    FIGURES = "figures"
    FIGURES_METADATA = "figures_metadata"
    RUN_METADATA = "run_metadata"
    REPORT = "report"
    ADVICE = "advice"
    ORIGINS = "origins"


SENSITIVE_RESULTS: Final = frozenset({ResultKind.UNSHUFFLED, ResultKind.ORIGINAL_PROJECTIONS})


class Compatibility(Body):
    """Answer of `GET /check_client`."""

    message: str
    most_recent_compatible_client: str | None = None
    status: str = "compatible"


class Environment(Body):
    """Limits of the deployment, inside `GET /users/me`."""

    dataset_expiration_days: int
    max_allowed_dimensions_per_dataset: int
    max_allowed_lines_per_dataset: int
    license_type: str | None = None


class User(Body):
    """Answer of `GET /users/me`."""

    id: UUID
    organization_id: UUID
    email: str
    role: str = "user"
    environment: Environment | None = None


class Member(Body):
    """A user as `/users` shows it."""

    id: UUID
    organization_id: UUID
    email: str
    role: str = "user"


class ApiKey(Body):
    """An API key without its secret."""

    id: UUID
    name: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None
    last_used_at: AwareDatetime | None


class NewApiKey(ApiKey):
    """An API key on the only occasion when its secret is shown."""

    plaintext: str


class ApiKeyCreated(Body):
    """Answer of `POST /api-keys`."""

    api_key: NewApiKey
    message: str


class SignedIn(Body):
    """Answer of `POST /login` and `POST /refresh`."""

    access_token: str
    refresh_token: str | None
    token_type: str
    message: str


class CreditsInfo(Body):
    """Answer of `GET /users/credits_info`; `credits` means something only when they are enabled."""

    credits: int | None = None
    is_credit_enabled: bool = False


class Capabilities(Body):
    """Answer of `GET /capabilities`; `features` and `engine` are additions of the embedded platform.

    `features` names what this platform's engine can run; None means "not said" (the hosted platform).
    """

    input_protocols: list[str] = []
    database_engines: list[str] = []
    connections: list[str] = []
    features: list[str] | None = None
    engine: str | None = None


class SetCreated(Body):
    """Answer of `PUT /resources/{display_name}`."""

    set_name: UUID
    display_name: str


class JobRequest(Body):
    """Body of `POST /jobs`."""

    set_name: UUID
    parameters_name: Text
    depends_on: list[Text] = []


class JobCreated(Body):
    """Answer of `POST /jobs`; both values are in the body, never in a header."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    name: str
    location: Annotated[str, Field(alias="Location")]


class FlowRequest(Body):
    """Body of `POST /jobs/flow`."""

    set_name: UUID


class JobsCreated(Body):
    """Answer of `POST /jobs/flow`."""

    jobs: list[JobCreated]


class JobResponse(Body):
    """A job as listed by `GET /jobs` and `GET /jobs/{name}`."""

    name: str
    set_name: UUID
    parameters_name: str
    display_name: str
    created_at: AwareDatetime
    kind: str
    status: JobStatus
    exception: str = ""
    done: bool
    progress: float | None = None
    phase: str = ""
    phase_done: int = 0
    phase_total: int = 0
    deleted_at: AwareDatetime | None = None


class JobList(Body):
    """Answer of `GET /jobs`."""

    jobs: list[JobResponse]


class BulkDeleteRequest(Body):
    """Body of `POST /jobs/bulk-delete`; the platform takes at most 100 names in one call."""

    job_names: list[Text]


class BulkDeleted(Body):
    """Answer of `POST /jobs/bulk-delete`; unknown names are listed as failed, never an error."""

    deleted_jobs: list[JobResponse]
    failed_jobs: list[str]


class Verb(StrEnum):
    """What was done, in the event log."""

    LOGIN = "login"
    LOGOUT = "logout"
    DOWNLOAD = "download"
    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CANCEL = "cancel"
    STARTUP = "startup"
    TEST = "test"


class ObjectType(StrEnum):
    """What it was done to, in the event log; empty for the platform itself."""

    USER = "user"
    JOB = "job"
    API_KEY = "api_key"
    RESOURCE = "resource"
    ORGANIZATION = "organization"
    FILE = "file"
    CONNECTION = "connection"
    NOTHING = ""


class Event(Body):
    """Item of `GET /event-logs`."""

    id: UUID
    verb: Verb
    object_id: UUID | None
    object_type: ObjectType
    created_at: AwareDatetime


class Features(Body):
    """Answer of `GET /users/features_info`, in the platform's own words."""

    feature_scopes: list[str]


class Connections(Body):
    """Answer of `GET /connections`."""

    connections: list[dict[str, Any]]


class ConnectionEngines(Body):
    """Answer of `GET /connections/engines`."""

    engines: list[dict[str, Any]]


class ConnectionPresets(Body):
    """Answer of `GET /connections/presets`."""

    presets: list[dict[str, Any]]


class Credentials(Body):
    """Key pair of the object storage."""

    access_key_id: str
    secret_access_key: str


class FileAccess(Body):
    """Answer of `GET /access` and item of `POST /access/batch`."""

    url: str
    credentials: Credentials
