"""The receipt of a deletion: what was removed, when, by which plan, and which digests no longer resolve. No data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from avatar_gitops.plan.model import Change, Plan

FORMAT: Final = "avatar-gitops/deletion"
VERSION: Final = "1.0"
SCHEMA: Final = "schemas/deletion.v1.schema.json"
FILE: Final = "deletion.json"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A set that was deleted.

    `runs` maps the id of each version to the ids of its jobs, `published` is the run whose `artifacts` (file to digest)
    are gone; empty when nothing was published. `remark` and `due` are those of the change.
    """

    set: str
    path: str
    project: str
    server: str
    reason: str
    at: datetime
    plan: str
    commit: str
    runs: Mapping[str, Sequence[str]]
    published: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    due: str = ""


def deletion(change: Change, plan: Plan, at: datetime) -> Deletion:
    """What carrying out a delete has removed; where the server had nothing left, what the lock knows of it."""
    lock = change.lock
    runs = {version.id: [job.name for job in version.jobs] for version in (*change.versions, *change.previews)}
    if not runs and lock is not None:
        runs = {lock.run: list(lock.jobs.values())}
    return Deletion(
        set=change.set,
        path=change.path,
        project=plan.project,
        server=plan.server,
        reason=change.reason.value,
        at=at,
        plan=plan.digest,
        commit=plan.commit,
        runs=runs,
        published=lock.run if lock else "",
        artifacts=dict(lock.outputs) if lock else {},
        remark=change.remark,
        due=change.due,
    )


def document(gone: Deletion, approved_by: Sequence[str] = ()) -> dict[str, Any]:
    """The receipt as plain JSON data, described by `schemas/deletion.v1.schema.json`."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "$schema": SCHEMA,
        "set": gone.set,
        "spec": gone.path or None,
        "project": gone.project,
        "server": gone.server,
        "reason": gone.reason,
        "remark": gone.remark or None,
        "retention_ended": gone.due or None,
        "deleted_at": gone.at.isoformat(timespec="seconds"),
        "plan_digest": gone.plan,
        "commit": gone.commit or None,
        "approved_by": sorted(approved_by),
        "published_run": gone.published or None,
        "runs": [{"id": run, "jobs": sorted(gone.runs[run])} for run in sorted(gone.runs)],
        "artifacts": {name: gone.artifacts[name] for name in sorted(gone.artifacts)},
    }
