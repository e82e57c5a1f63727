"""What a running apply looks like: a row for each set that runs, those that ended, how many wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from avatar_gitops.events import (
    ChangePlanned,
    Event,
    JobDone,
    JobLaunched,
    JobProgressed,
    SetDone,
    StepStarted,
)
from avatar_gitops.report.values import to_ascii

MOST_ENDED: Final = 8
MOST_NAMED: Final = 3
BAR: Final = 20
PLAIN: Final = {"━": "#", "─": "-", "◐": "..", "✔": "ok", "✘": "x ", "·": "- "}
IDLE: Final = {"unchanged", "keep"}
GOOD: Final = {"published", "updated", "deleted"}
DOES: Final = {
    "CheckInput": "checking the data",
    "Upload": "uploading",
    "CreateSet": "creating",
    "LaunchJob": "launching",
    "Wait": "waiting for jobs",
    "Fetch": "fetching results",
    "CheckGates": "checking gates",
    "Publish": "publishing",
    "DeleteJobs": "deleting old jobs",
    "RemoveLock": "removing",
    "MoveResults": "moving results",
    "RemoveFormer": "removing what is left",
}


@dataclass(slots=True)
class _Run:
    """A set that runs: since when, what its step does, which jobs are not done, and how far the first of them is."""

    since: float
    does: str = ""
    jobs: list[str] = field(default_factory=list)
    share: float | None = None


@dataclass(slots=True)
class Board:
    """The state of an apply as events tell it; times are seconds of one clock."""

    since: float
    waiting: list[str] = field(default_factory=list)
    running: dict[str, _Run] = field(default_factory=dict)
    ended: list[tuple[str, str]] = field(default_factory=list)

    def hear(self, event: Event, now: float) -> None:
        """Take in one event."""
        match event:
            case ChangePlanned(name, action) if action not in IDLE:
                self.waiting.append(name)
            case StepStarted(name, step):
                self._run(name, now).does = DOES.get(step, step)
            case JobLaunched(name, job):
                self._run(name, now).jobs.append(job)
            case JobProgressed(name, job, _, progress):
                self._progressed(self._run(name, now), job, progress)
            case JobDone(name, job):
                run = self._run(name, now)
                run.jobs = [other for other in run.jobs if other != job]
                run.share = None
            case SetDone(name, _, state):
                self._leave(name)
                self.running.pop(name, None)
                self.ended.append((name, state.replace("_", " ")))
            case _:
                pass

    def _run(self, name: str, now: float) -> _Run:
        self._leave(name)
        return self.running.setdefault(name, _Run(now))

    def _leave(self, name: str) -> None:
        if name in self.waiting:
            self.waiting.remove(name)

    @staticmethod
    def _progressed(run: _Run, job: str, progress: float | None) -> None:
        if job in run.jobs[1:]:  # jobs that do not wait for each other may start in any order
            run.jobs.remove(job)
            run.jobs.insert(0, job)
        run.share = progress

    def lines(self, now: float, *, ascii_only: bool = False) -> list[str]:
        """The rows, then how many sets are done and for how long it has been going on."""
        total = len(self.ended) + len(self.running) + len(self.waiting)
        tally = f"  {len(self.ended)} of {total} done   {clock(now - self.since)}" if total else ""
        lines = [*self._rows(now), *(["", tally] if tally else [])]
        return [_ascii(line) for line in lines] if ascii_only else lines

    def _rows(self, now: float) -> Iterator[str]:
        shown = self.ended[-MOST_ENDED:]
        width = max((len(name) for name in (*(name for name, _ in shown), *self.running)), default=0)
        for name, state in shown:
            yield f"  {'✔' if state in GOOD else '✘'} {name:<{width}}   {state}"
        for name, run in self.running.items():
            yield f"  ◐ {name:<{width}}   {_activity(run):<60}   {clock(now - run.since)}"
        if self.waiting:
            more = len(self.waiting) - MOST_NAMED
            named = ", ".join(self.waiting[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield f"  · {named} {'waits' if len(self.waiting) == 1 else 'wait'}"


def _activity(run: _Run) -> str:
    """What a set does: the job that runs with a bar where the server tells how far it is, or the step."""
    if not run.jobs:
        return run.does
    job, *queued = run.jobs
    done = "" if run.share is None else f"  {_bar(run.share)} {100 * run.share:3.0f} %"
    rest = f"   queued: {len(queued)} {'job' if len(queued) == 1 else 'jobs'}" if queued else ""
    return f"{job:<15}{done}{rest}"


def _bar(share: float) -> str:
    full = round(BAR * min(max(share, 0.0), 1.0))
    return "━" * full + "─" * (BAR - full)


def _ascii(line: str) -> str:
    for sign, instead in PLAIN.items():
        line = line.replace(sign, instead)
    return to_ascii(line)


def clock(seconds: float) -> str:
    """A time that goes on: 0:07, 3:41, 1:02:05."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
