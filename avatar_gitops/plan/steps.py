"""Steps of a change: the one list that `plan --explain` prints and that the executor carries out."""

from __future__ import annotations

from dataclasses import dataclass

from avatar_gitops.spec.models import Job


@dataclass(frozen=True, slots=True)
class CheckInput:
    """Compare the data files with the digests that the plan was made from."""

    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Upload:
    """Send the data files to the server's object storage."""

    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateSet:
    """Create a new version of the set with its documents and owner annotations; found again if it already exists."""

    base_set: str | None


@dataclass(frozen=True, slots=True)
class LaunchJob:
    """Launch one job after others; a job that this version already has is not launched again."""

    job: Job
    after: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Poll until all jobs of the version are done."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download avatars, metrics and reports; never the results that link an avatar to a person."""

    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class CheckGates:
    """Compare the metrics with the gates; the change stops here when one fails."""

    gates: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """Write artifacts and lock file; from here on the new version is the published one."""


@dataclass(frozen=True, slots=True)
class DeleteJobs:
    """Delete jobs of older versions (or of a set that left git) from the server."""

    jobs: tuple[str, ...]
    versions: int


@dataclass(frozen=True, slots=True)
class RemoveLock:
    """Remove the lock file of a deleted set."""


Step = CheckInput | Upload | CreateSet | LaunchJob | Wait | Fetch | CheckGates | Publish | DeleteJobs | RemoveLock
