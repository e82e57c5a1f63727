"""Short ways to say what the planner works on: runs, inputs, versions on a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.lock import Lock, Metrics
from avatar_gitops.plan.observed import ServerJob, ServerSet
from avatar_gitops.spec.models import AvatarRun

PROJECT = "hospital"
START = datetime(2026, 1, 1, tzinfo=UTC)
ALL = ("standard", "privacy_metrics", "signal_metrics", "report", "report_pia")
COLUMNS = ("age", "sex", "city")


def plain(name: str = "patients", **spec: Any) -> dict[str, Any]:
    """A run spec as plain data with one table `patients`; `table` adds to the table, other keywords to `spec`."""
    table = {"source": "data/patients.csv", "avatarization": {"k": 20}, **spec.pop("table", {})}
    metadata = {"name": name, **spec.pop("metadata", {})}
    content = {"tables": {"patients": table}, **spec}
    return {"apiVersion": "avatar-gitops/v1", "kind": "AvatarRun", "metadata": metadata, "spec": content}


def a_run(name: str = "patients", **spec: Any) -> AvatarRun:
    """The run of `plain`."""
    return AvatarRun.model_validate_json(json.dumps(plain(name, **spec)))


def an_input(content: str = "a", columns: Sequence[str] = COLUMNS, rows: str = "1k-10k") -> TableInput:
    """The data file of the table; `content` is one hexadecimal digit that stands for what is in it."""
    return TableInput("patients", "sha256:" + content * 64, 1000, tuple(columns), rows)


def wish(name: str = "patients", *, data: TableInput | None = None, **spec: Any) -> DesiredSet:
    """A desired set; lines are given for the fields that the golden texts point at."""
    return _wish(json.dumps(plain(name, **spec)), data or an_input())


@cache
def _wish(text: str, data: TableInput) -> DesiredSet:
    lines: Mapping[tuple[str | int, ...], int] = {
        ("metadata", "name"): 5,
        ("metadata", "owner"): 6,
        ("spec", "tables", "patients", "avatarization", "k"): 18,
        ("spec", "tables", "patients", "privacy_metrics", "known_variables"): 21,
        ("spec", "gates"): 25,
        ("spec", "pia"): 30,
    }
    run = AvatarRun.model_validate_json(text)
    return desire(run, f"configs/{run.metadata.name}.yaml", [data], lines)


def a_version(
    item: DesiredSet,
    number: int = 1,
    jobs: Mapping[str, str] | Sequence[str] = ALL,
    base: ServerSet | None = None,
    project: str = PROJECT,
) -> ServerSet:
    """A version made from a desired set; `jobs` maps a job to its status: finished, error or pending."""
    states = jobs if isinstance(jobs, Mapping) else dict.fromkeys(jobs, "finished")
    at = START + timedelta(hours=number)
    return ServerSet(
        id=f"{item.name}-v{number}",
        display_name=item.name,
        created_at=at,
        jobs=tuple(a_job(f"{item.name}-v{number}-{job}", job, status, at) for job, status in states.items()),
        annotations=marks(item, project, "4f2a91c", "0.1.0", base.id if base else None),
    )


def a_job(name: str, job: str, status: str, at: datetime) -> ServerJob:
    """A job in one of the states finished, error, pending."""
    return ServerJob(name, job, status, done=status != "pending", failed=status == "error", created_at=at)


def a_lock(item: DesiredSet, version: ServerSet, metrics: Metrics | None = None) -> Lock:
    """The lock that publishing a version of a desired set leaves behind."""
    jobs = {job.parameters: job.name for job in version.jobs}
    return Lock(
        set=item.name,
        path=item.path,
        digests=item.digests,
        spec=item.resolved,
        inputs=item.inputs,
        run=version.id,
        started="2026-01-01T01:00:00Z",
        finished="2026-01-01T01:06:40Z",
        jobs=jobs,
        engine="1.4.0",
        metrics=metrics or {"patients": {"hidden_rate": 93.1}},
        commit="77aa10b",
    )
