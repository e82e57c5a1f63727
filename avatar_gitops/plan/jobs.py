"""The job graph of a run: which jobs it has, what each waits for, what runs again after another."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from avatar_gitops.spec.models import AvatarRun, Job

_MEASURED: Final = (Job.PRIVACY_METRICS, Job.SIGNAL_METRICS)
AFTER: Final[Mapping[Job, tuple[Job, ...]]] = {
    Job.STANDARD: (),
    Job.PRIVACY_METRICS: (Job.STANDARD,),
    Job.SIGNAL_METRICS: (Job.STANDARD,),
    Job.REPORT: _MEASURED,
    Job.REPORT_PIA: _MEASURED,
}
"""Jobs that must have finished before each job, in the order in which the server is told."""


def wanted(run: AvatarRun) -> tuple[Job, ...]:
    """Jobs of a run in the order of the graph: those that the spec lists, and those that they need.

    A run without any anonymization measures avatars that were given; it has no standard job.
    """
    chosen: set[Job] = set(run.spec.jobs)
    for job in reversed(Job):
        if job in chosen:
            chosen.update(AFTER[job])
    if all(table.avatarization is None for table in run.spec.tables.values()):
        chosen.discard(Job.STANDARD)
    return tuple(job for job in Job if job in chosen)


def prerequisites(job: Job, jobs: Collection[Job]) -> tuple[Job, ...]:
    """Jobs of the run that this one waits for."""
    return tuple(needed for needed in AFTER[job] if needed in jobs)


def with_dependents(jobs: Collection[Job], within: Collection[Job]) -> tuple[Job, ...]:
    """These jobs and everything in the run that depends on them, in the order of the graph."""
    affected = set(jobs)
    for job in Job:
        if affected.intersection(AFTER[job]):
            affected.add(job)
    return tuple(job for job in Job if job in affected and job in within)
