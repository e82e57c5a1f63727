"""The server as the lock files remember it, so that a plan can be made where no server can be asked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from avatar_gitops.plan.blocks import Adopted
from avatar_gitops.plan.context import Base
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob, ServerSet
from avatar_gitops.spec.models import Job

SHORT_COMMIT = 7


def server_name(base: Base) -> str:
    """What an offline plan shows in place of a server."""
    where = f"at {base.commit[:SHORT_COMMIT]}" if base.commit else "on disk"
    return f"offline (locks {where})"


def remembered(locks: Iterable[Lock], project: str, base: Base, adopted: Iterable[Adopted] = ()) -> Observed:
    """One finished version for each lock, marked as apply marked it; sets of others and features are not known.

    What the project file adopts, and nobody has published yet, is taken to be there and whole.
    """
    known = {lock.set: lock for lock in locks}
    waiting = [_adopted(entry) for entry in adopted if entry.set not in known]
    return Observed(server_name(base), (*(_version(lock, project) for lock in known.values()), *waiting))


def marks_of(locks: Iterable[Lock], project: str) -> dict[str, dict[str, str]]:
    """The marks of published versions by their ids, as the lock files remember them."""
    return {lock.run: dict(_marks(lock, project)) for lock in locks}


def _adopted(entry: Adopted) -> ServerSet:
    at = datetime.min.replace(tzinfo=UTC)
    jobs = tuple(ServerJob(f"{entry.id}-{job.value}", job.value, "finished", True, False, at) for job in Job)
    return ServerSet(entry.id.lower(), entry.set, at, jobs)


def _version(lock: Lock, project: str) -> ServerSet:
    began = moment(lock.started) or datetime.min.replace(tzinfo=UTC)
    return ServerSet(
        id=lock.run,
        display_name=lock.set,
        created_at=began,
        jobs=tuple(
            ServerJob(name, job, "finished", done=True, failed=False, created_at=began)
            for job, name in sorted(lock.jobs.items())
        ),
        annotations=dict(_marks(lock, project)),
    )


def _marks(lock: Lock, project: str) -> Iterable[tuple[str, str]]:
    digests = lock.digests
    protected = lock.spec.get("spec", {}).get("lifecycle", {}).get("protect")
    said = {
        Annotation.PROJECT: project,
        Annotation.SET: lock.set,
        Annotation.SPEC_DIGEST: digests.spec,
        Annotation.STANDARD_DIGEST: digests.standard,
        Annotation.METRICS_DIGEST: digests.metrics,
        Annotation.REPORTS_DIGEST: digests.reports,
        Annotation.INPUT_DIGEST: digests.input,
        Annotation.COMMIT: lock.commit,
        Annotation.PATH: lock.path,
        Annotation.JOBS: ",".join(sorted(lock.jobs)),
        Annotation.PROTECT: "true" if protected else "false",
    }
    return ((key.value, value) for key, value in said.items() if value)


def published_input(lock: Lock, name: str, uri: str) -> TableInput | None:
    """The facts of one input of the last run, if the spec took it from the same place then."""
    table, _, role = name.partition("#")
    said = lock.spec.get("spec", {}).get("tables", {}).get(table) or {}
    source = said.get(role or "source") or {}
    if source.get("uri") != uri:
        return None
    return next((item for item in lock.inputs if item.table == name), None)


def moment(text: str) -> datetime | None:
    """A time of a lock file; None when it is none, or says no time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
