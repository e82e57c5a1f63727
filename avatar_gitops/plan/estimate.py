"""How long a change takes, as far as the last run of the set tells; nothing is guessed for a set that never ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.model import Change
from avatar_gitops.plan.offline import moment

LONGEST: Final = 24 * 3600.0  # a lock that spans more took jobs over from an older run


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected seconds; an upper limit unless every job runs again."""

    seconds: float
    whole: bool


def estimate(change: Change) -> Estimate | None:
    """The time of the last published run; None when nothing runs, or that run says nothing about these jobs."""
    lock = change.lock
    if lock is None or not change.effective or not change.jobs or change.desired is None:
        return None
    began, ended = moment(lock.started), moment(lock.finished)
    if began is None or ended is None:
        return None
    own = next((version.jobs for version in change.versions if version.id == lock.run), ())
    if own:
        ran = {job.parameters for job in own}
        if not ran.issuperset(change.jobs):
            return None
        began = max(began, min(job.created_at for job in own))
    seconds = (ended - began).total_seconds()
    if not 0 < seconds <= LONGEST:
        return None
    return Estimate(seconds, whole=set(change.jobs) == set(wanted(change.desired.run)))
