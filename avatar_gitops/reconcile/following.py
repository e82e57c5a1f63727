"""Following jobs until they end: looks at those that can move, tells what changed, pauses in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from avatar_gitops.events import Event, JobDone, JobProgressed
from avatar_gitops.plan.jobs import AFTER
from avatar_gitops.plan.observed import ServerJob
from avatar_gitops.ports import Clock, RunReader
from avatar_gitops.reconcile.waiting import Patience, TimedOut, sleep
from avatar_gitops.spec.models import Job


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows the jobs of one set."""

    set: str
    server: RunReader
    clock: Clock
    emit: Callable[[Event], None]
    stop: threading.Event
    patience: Patience

    def follow(
        self, jobs: Mapping[Job, ServerJob], ready: dict[Job, datetime], seconds: dict[str, float]
    ) -> dict[Job, ServerJob]:
        """The jobs when all have ended well, or as soon as one has not, cause before consequence.

        `ready` says since when a job could run and is kept up to date; `seconds` takes how long each ran from then on.
        Raises TimedOut, Stopped.
        """
        begun = self.clock.now()
        standing = {job: jobs[job] for job in Job if job in jobs}
        while any(not entry.done for entry in standing.values()):
            asked = self.clock.now()
            looked = [job for job in standing if self._can_move(job, standing)]
            for job in looked:
                self._look(job, standing, ready, seconds)
            if any(entry.failed for entry in standing.values()):
                break
            if all(entry.done for entry in standing.values()):
                break
            self._pause(asked, begun, max((ready.get(job, begun) for job in looked), default=begun))
        return standing

    def _can_move(self, job: Job, standing: Mapping[Job, ServerJob]) -> bool:
        return not standing[job].done and all(standing[before].done for before in AFTER[job] if before in standing)

    def _look(
        self,
        job: Job,
        standing: dict[Job, ServerJob],
        ready: dict[Job, datetime],
        seconds: dict[str, float],
    ) -> None:
        before = standing[job]
        found = standing[job] = self.server.job(before.name)
        now = self.clock.now()
        if found.done:
            seconds[job.value] = max(0.0, (now - ready.get(job, found.created_at)).total_seconds())
            error = (found.exception or "internal error") if found.failed else ""
            self.emit(JobDone(self.set, job.value, seconds[job.value], error))
            ready.update({after: now for after, needed in AFTER.items() if job in needed and after in standing})
        elif (found.status, found.progress) != (before.status, before.progress):
            self.emit(JobProgressed(self.set, job.value, found.status, found.progress))

    def _pause(self, asked: datetime, begun: datetime, ready: datetime) -> None:
        now = self.clock.now()
        waited = (now - begun).total_seconds()
        if self.patience.timeout is not None and waited >= self.patience.timeout:
            raise TimedOut(waited)
        pause = self.patience.pause((now - ready).total_seconds(), held=(now - asked).total_seconds())
        sleep(pause, self.clock, self.stop)
