"""Expected time: from the last run when that ran these jobs, and nothing otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from avatar_gitops.plan.estimate import Estimate, estimate
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Change
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.planner import Options, plan
from tests.support.planning import PROJECT, a_lock, a_version, wish

WEAKER: dict[str, Any] = {"table": {"avatarization": {"k": 5}}}


def change(version: ServerSet, lock: Lock, **after: Any) -> Change:
    (found,) = plan([wish(**after)], Observed("prod", (version,)), {lock.set: lock}, Options(), PROJECT).changes
    return found


def test_the_last_run_tells_how_long_the_next_one_takes() -> None:
    version = a_version(wish())
    lock = a_lock(wish(), version)
    assert estimate(change(version, lock, **WEAKER)) == Estimate(400.0, whole=True)
    assert estimate(change(version, lock, pia={"language": "fr"})) == Estimate(400.0, whole=False)
    assert estimate(change(version, lock)) is None, "nothing runs"
    assert estimate(change(version, lock, metadata={"owner": "a"})) is None


def test_a_run_that_says_nothing_about_these_jobs_is_no_estimate() -> None:
    version = a_version(wish())
    lock = a_lock(wish(), version)
    tail = replace(version, jobs=tuple(job for job in version.jobs if job.parameters.startswith("report")))
    whole = change(version, lock, **WEAKER)
    assert estimate(replace(whole, versions=(tail,))) is None
    assert estimate(replace(whole, lock=None)) is None
    assert estimate(replace(whole, lock=replace(lock, started="?"))) is None
    for finished in ("2026-01-01T00:00:00Z", "2026-01-09T00:00:00Z"):
        assert estimate(replace(whole, lock=replace(lock, finished=finished))) is None


def test_jobs_taken_over_from_older_runs_do_not_count() -> None:
    version = a_version(wish())
    later = tuple(replace(job, created_at=job.created_at + timedelta(seconds=300)) for job in version.jobs)
    found = change(version, a_lock(wish(), version), **WEAKER)
    assert estimate(replace(found, versions=(replace(version, jobs=later),))) == Estimate(100.0, whole=True)
