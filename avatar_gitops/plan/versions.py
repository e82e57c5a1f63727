"""Versions of a set: what each was made from, which jobs count for it, which jobs nobody needs any more.

A version that runs only a tail of the job graph takes the other jobs from the versions it builds on, but only jobs that
were made from the same content: the stage digests of both versions decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from avatar_gitops.plan.desired import Digests
from avatar_gitops.plan.jobs import with_dependents
from avatar_gitops.plan.observed import Annotation, ServerJob, ServerSet
from avatar_gitops.spec.fields import STAGE, Consequence
from avatar_gitops.spec.models import Job

Jobs = Mapping[Job, ServerJob]
ALL_JOBS: Final = tuple(Job)


def digests(version: ServerSet) -> Digests:
    """The digests that a version was made from; empty where it says nothing."""
    marks = version.annotations
    return Digests(
        spec=marks.get(Annotation.SPEC_DIGEST, ""),
        standard=marks.get(Annotation.STANDARD_DIGEST, ""),
        metrics=marks.get(Annotation.METRICS_DIGEST, ""),
        reports=marks.get(Annotation.REPORTS_DIGEST, ""),
        input=marks.get(Annotation.INPUT_DIGEST, ""),
    )


def documented(version: ServerSet) -> frozenset[str]:
    """The jobs that a version has documents for; every job when it does not say."""
    said = version.annotations.get(Annotation.JOBS)
    return frozenset(said.split(",") if said else ALL_JOBS)


def first_difference(one: Digests, other: Digests) -> Consequence:
    """The first stage of the job graph that two sets of digests disagree on; metadata when nothing would run again."""
    if (one.input, one.standard) != (other.input, other.standard):
        return Consequence.RERUN_ALL
    if one.metrics != other.metrics:
        return Consequence.RERUN_METRICS
    return Consequence.RERUN_REPORTS if one.reports != other.reports else Consequence.METADATA


def serves(job: Job, one: Digests, other: Digests) -> bool:
    """Whether a job made for one version gives what the other would get from running it."""
    order = tuple(Consequence)
    return order.index(STAGE[job]) < order.index(first_difference(one, other))


def newest_first(versions: Iterable[ServerSet]) -> tuple[ServerSet, ...]:
    """The one order of versions."""
    return tuple(sorted(versions, key=lambda version: (version.created_at, version.id), reverse=True))


def finished(job: ServerJob) -> bool:
    """Whether a job is done and went well."""
    return job.done and not job.failed


def failed(job: ServerJob) -> bool:
    """Whether a job is done and did not go well."""
    return job.done and job.failed


def own(version: ServerSet) -> Jobs:
    """The jobs that a version has itself: of several attempts the newest that did not fail, else the newest."""
    best: dict[Job, ServerJob] = {}
    ordered = sorted(version.jobs, key=lambda job: (not failed(job), job.created_at, job.name))
    for job in ordered:
        if job.parameters in ALL_JOBS:
            best[Job(job.parameters)] = job
    return best


def chain(version: ServerSet | None, versions: Iterable[ServerSet]) -> tuple[ServerSet, ...]:
    """A version, the one it builds on, and so on; ends where a base is gone."""
    known = {item.id: item for item in versions}
    links: dict[str, ServerSet] = {}
    while version is not None and version.id not in links:
        links[version.id] = version
        version = known.get(version.base_set or "")
    return tuple(links.values())


def inherited(
    made_from: Digests, base: ServerSet | None, versions: Sequence[ServerSet], above: Collection[Job] = ()
) -> Jobs:
    """Jobs that a version made from these digests, with jobs `above` of its own, takes from those it builds on.

    A job of a base counts if it did not fail, was made from the same content, and does not depend on a job that was run
    again since.
    """
    taken: dict[Job, ServerJob] = {}
    for version in chain(base, versions):
        outdated = with_dependents({*above, *taken}, ALL_JOBS)
        offered = {job: entry for job, entry in own(version).items() if serves(job, digests(version), made_from)}
        taken |= {job: entry for job, entry in offered.items() if job not in outdated and not failed(entry)}
    return taken


def effective(version: ServerSet, versions: Sequence[ServerSet]) -> Jobs:
    """The jobs that count for a version: its own, and the others from the versions it builds on."""
    base = next(iter(chain(version, versions)[1:]), None)
    itself = own(version)
    return {**inherited(digests(version), base, versions, itself.keys()), **itself}


def complete(jobs: Jobs, wanted: Iterable[Job]) -> bool:
    """Whether every job of a run is there and finished."""
    return all(job in jobs and finished(jobs[job]) for job in wanted)


def collected(published: Mapping[str, str], counting: Jobs) -> bool:
    """Whether the jobs whose results were published (job to id) are those that count now."""
    return all(counting[job].name == published.get(job.value, counting[job].name) for job in counting)


def contributor(jobs: Iterable[ServerJob], reference: ServerSet, versions: Sequence[ServerSet]) -> ServerSet | None:
    """The newest version of a chain that has one of these jobs itself: the one to build on."""
    names = {job.name for job in jobs}
    return next((v for v in chain(reference, versions) if names.intersection(j.name for j in v.jobs)), None)


def superfluous(
    head: ServerSet, versions: Sequence[ServerSet], wanted: Sequence[Job], keep: int
) -> tuple[ServerJob, ...]:
    """Jobs that nobody needs once `head`, one of the versions, is the published one.

    Kept are the wanted jobs of the head, all jobs that count for the `keep - 1` newest other complete versions, and one
    job of each version that only links one of them to what it builds on: a version without jobs does not exist.
    """
    others = (version for version in versions if version.id != head.id)
    kept = [version for version in others if complete(effective(version, versions), wanted)][: keep - 1]
    needed = {job.name for kind, job in effective(head, versions).items() if kind in wanted}
    needed |= {job.name for version in kept for job in effective(version, versions).values()}
    for version in (head, *kept):
        needed |= _links(chain(version, versions), needed)
    return tuple(job for version in versions for job in version.jobs if job.name not in needed)


def _links(path: Sequence[ServerSet], needed: set[str]) -> set[str]:
    """One job of each version on the way to the last needed one, so that the way stays."""
    unused = [needed.isdisjoint(job.name for job in version.jobs) for version in path]
    last = max((index for index, idle in enumerate(unused) if not idle), default=0)
    return {
        max(path[index].jobs, key=lambda job: (job.created_at, job.name)).name
        for index in range(last)
        if unused[index] and path[index].jobs
    }
