"""Server state as data: sets, their jobs, and who owns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

PREFIX: Final = "avatar-gitops/"


class Annotation(StrEnum):
    """Keys of the annotations that mark a set as ours and say what it was made from."""

    PROJECT = PREFIX + "project"
    SET = PREFIX + "set"
    SPEC_DIGEST = PREFIX + "spec-digest"
    STANDARD_DIGEST = PREFIX + "standard-digest"
    METRICS_DIGEST = PREFIX + "metrics-digest"
    REPORTS_DIGEST = PREFIX + "reports-digest"
    INPUT_DIGEST = PREFIX + "input-digest"
    COMMIT = PREFIX + "commit"
    PATH = PREFIX + "path"
    VERSION = PREFIX + "version"
    PROTECT = PREFIX + "protect"
    BASE_SET = PREFIX + "base-set"
    JOBS = PREFIX + "jobs"
    PREVIEW = PREFIX + "preview"
    ADOPTED = PREFIX + "adopted"  # never on the server: an adopted version as the planner sees it


@dataclass(frozen=True, slots=True)
class ServerJob:
    """One job. `name` is the server's id, `parameters` the job of the spec, such as `privacy_metrics`.

    `progress` is 0 to 1.
    """

    name: str
    parameters: str
    status: str
    done: bool
    failed: bool
    created_at: datetime
    exception: str = ""
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class ServerSet:
    """One version of a set: a UUID with its own jobs. `base_set` is the version whose jobs it builds on, if any."""

    id: str
    display_name: str
    created_at: datetime
    jobs: tuple[ServerJob, ...]
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def project(self) -> str | None:
        """The project that owns the set; None when nobody marked it."""
        return self.annotations.get(Annotation.PROJECT)

    @property
    def base_set(self) -> str | None:
        """Id of the version whose jobs this one builds on."""
        return self.annotations.get(Annotation.BASE_SET) or None

    @property
    def preview(self) -> str:
        """What the version is a preview of, such as a commit; empty when it is none."""
        return self.annotations.get(Annotation.PREVIEW, "")

    @property
    def adopted(self) -> bool:
        """Whether others made it and git says that it is ours."""
        return Annotation.ADOPTED in self.annotations


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that the server lists for this key, newest set first."""

    server: str
    sets: tuple[ServerSet, ...] = ()
    features: frozenset[str] | None = None
    engine: str | None = None
