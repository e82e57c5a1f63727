"""Protocols between the reconciler and the outside: the server, the workspace, the clock, the journal.

`RunReader` cannot write; commands that must not change anything are given one of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Protocol

from avatar_gitops.events import Event
from avatar_gitops.plan.deletion import Deletion
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.observed import Observed, ServerJob, ServerSet
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.policy.model import Finding
from avatar_gitops.spec.models import Job


class RunReader(Protocol):
    """Read access to an Avatar server."""

    def observe(self, project: str, taken: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> Observed:
        """Everything listed for this key, newest set first.

        A version says once, in its documents, what it was made from; `taken` maps versions to marks that are taken for
        theirs instead of asking. They count only under the display name that they say.
        """
        ...

    def jobs(self, set_id: str) -> tuple[ServerJob, ...]:
        """The jobs of one version, as they are now."""
        ...

    def job(self, name: str) -> ServerJob:
        """One job, as it is now; the server may hold the answer for a few seconds while the job is not done."""
        ...

    def results(self, version: ServerSet, jobs: Mapping[Job, str]) -> RunResult:
        """Avatars, metrics and reports of finished jobs; never a sensitive result."""
        ...

    def credits(self) -> int | None:
        """Credits that this key has left; None where the server counts none or does not say."""
        ...

    def has_results(self, job: str) -> bool:
        """Whether the results of a finished job (its id) are still there; platforms remove them after some days."""
        ...


class RunWriter(RunReader, Protocol):
    """Read and write access to an Avatar server."""

    def upload(self, desired: DesiredSet) -> None:
        """Send the data files of a set; a file that is already there with the same digest may be skipped."""
        ...

    def create(self, desired: DesiredSet, annotations: Mapping[str, str]) -> str:
        """Create a new version of the set and return its id."""
        ...

    def launch(self, set_id: str, job: Job, after: Sequence[str]) -> str:
        """Launch a job after other jobs (ids) and return its id."""
        ...

    def delete(self, jobs: Sequence[str]) -> None:
        """Delete jobs by id; jobs that no longer exist are no error."""
        ...


class Board(Protocol):
    """One small note on the server that everybody with the same key reads and writes.

    `exact` says whether a write that rests on an old reading is refused for certain, as the lease needs it.
    """

    @property
    def exact(self) -> bool: ...

    def read(self) -> tuple[bytes, str] | None:
        """The note and a tag that changes with it; None when there is none."""
        ...

    def write(self, content: bytes, tag: str | None) -> str | None:
        """Replace the note that has this tag (None = there is none yet) and return the new tag; None when it changed.

        An answer can be lost: who gets None reads the note to see whose it is.
        """
        ...


class Workspace(Protocol):
    """The repository on disk, as far as an apply writes to it."""

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        """The data files as they are now."""
        ...

    def publish(self, desired: DesiredSet, lock: Lock, result: RunResult) -> Lock:
        """Write artifacts, then the lock; return the lock as written, with the digests of the artifacts."""
        ...

    def update(self, desired: DesiredSet, lock: Lock) -> None:
        """Write the lock only."""
        ...

    def remove(self, gone: Deletion) -> str:
        """Put a receipt in the place of a deleted set's artifacts, remove its lock; return where the receipt is."""
        ...

    def move(self, former: str, name: str) -> None:
        """Move the artifacts of a set that has another name now; nothing happens when they are there already."""
        ...

    def forget(self, former: str, path: str) -> None:
        """Remove the lock (of the spec at this path) and the artifacts that stand under a former name."""
        ...

    def failed(self, desired: DesiredSet, result: RunResult, gates: Sequence[GateResult]) -> None:
        """Keep what a run that did not pass its gates measured, beside the published artifacts and without avatars."""
        ...


class Journal(Protocol):
    """Append-only record of an apply, on disk before the next step begins."""

    def __call__(self, event: Event) -> None: ...


class Judge(Protocol):
    """What the project's policy says about a run that is measured and about to be published. Pure."""

    def __call__(self, desired: DesiredSet, metrics: Metrics, gates: Sequence[GateResult]) -> Sequence[Finding]: ...


class Clock(Protocol):
    """Time as a parameter."""

    def now(self) -> datetime:
        """Current time, aware, UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Pause; returns early and raises KeyboardInterrupt on Ctrl-C."""
        ...
