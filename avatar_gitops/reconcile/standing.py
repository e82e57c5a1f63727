"""What a version has on the server right now: its own jobs, and those it takes over from the versions it builds on."""

from __future__ import annotations

from dataclasses import replace

from avatar_gitops.plan import versions
from avatar_gitops.plan.model import Change
from avatar_gitops.plan.observed import ServerJob, ServerSet
from avatar_gitops.ports import RunReader
from avatar_gitops.spec.models import Job


def refreshed(server: RunReader, version: ServerSet) -> ServerSet:
    """A version with its jobs as the server lists them now."""
    return replace(version, jobs=server.jobs(version.id))


def standing_jobs(change: Change, version: ServerSet) -> dict[Job, ServerJob]:
    """The jobs that count for a version that exists already."""
    known = (version, *(other for other in change.versions if other.id != version.id))
    return dict(versions.effective(version, known))


def inherited_jobs(change: Change) -> dict[Job, ServerJob]:
    """The jobs that a new version takes over instead of running them again."""
    assert change.desired is not None
    taken = versions.inherited(change.desired.digests, change.base, change.versions)
    return {job: entry for job, entry in taken.items() if job not in change.jobs}
