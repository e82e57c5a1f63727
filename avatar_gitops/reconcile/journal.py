"""Append-only record of an apply, one JSON object per line, on disk before the next step begins.

File `.avatar/journal/<first 8 of the plan digest>.jsonl`. The first line of each attempt names the plan and its
changes; the others are events. A line that a crash tore is skipped; the next attempt starts on a line of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from avatar_gitops.events import Event, JobProgressed, RequestDone, Retrying, SetDone, StepEnded
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.outcome import State
from avatar_gitops.ports import Clock

FOLDER: Final = Path(".avatar") / "journal"
VERSION: Final = 1
OK: Final = frozenset({State.PUBLISHED.value, State.UPDATED.value, State.DELETED.value})


@dataclass(frozen=True, slots=True)
class Record:
    """What a journal says: the plan of the last attempt, how each of its changes ended, and what ran at the server.

    `ended` maps set to state; a set that is missing there did not end. `versions` maps set to the id of the version
    that was created for it, `jobs` set to job to job id; `force` is the reason for going over a threshold.
    """

    path: Path
    plan: str
    server: str
    commit: str
    begun: str
    changes: Mapping[str, str]
    ended: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    jobs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    force: str = ""

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Sets that `resume` has to go on with: not ended, interrupted or failed; a failed gate is an end."""
        done = OK | {State.GATE_FAILED.value}
        return tuple(name for name in self.changes if self.ended.get(name) not in done)

    @property
    def failed(self) -> tuple[str, ...]:
        """Sets that `retry` repeats: ended, but not well."""
        return tuple(name for name, state in self.ended.items() if state not in OK)


class FileJournal:
    """Journal of one attempt; implements `ports.Journal`. Use it as a context manager."""

    def __init__(self, root: Path, plan: Plan, clock: Clock, force: str = "", run: str = "") -> None:
        self.path = journal_path(root, plan.digest)
        self._clock = clock
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(self.path, flags, 0o600)
        begin = {
            "version": VERSION,
            "plan": plan.digest,
            "project": plan.project,
            "server": plan.server,
            "commit": plan.commit,
            "changes": {change.set: change.action.value for change in plan.effective},
            **({"force": force} if force else {}),
            **({"run": run} if run else {}),
        }
        self._write("Begun", begin, fresh_line=_torn(self.path))

    def __call__(self, event: Event) -> None:
        """Record an event; progress, pauses and what follows from other lines are not worth one."""
        if not isinstance(event, JobProgressed | Retrying | StepEnded | RequestDone):
            self._write(type(event).__name__, asdict(event))

    def close(self) -> None:
        """Close the file; the record stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, kind: str, content: Mapping[str, Any], *, fresh_line: bool = False) -> None:
        line = json.dumps({"at": self._clock.now().isoformat(), "event": kind, **content}, ensure_ascii=False)
        data = (("\n" if fresh_line else "") + line + "\n").encode()
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)


def journal_path(root: Path, plan_digest: str) -> Path:
    """Where the journal of a plan is."""
    return root / FOLDER / f"{plan_digest.rpartition(':')[2][:8] or 'plan'}.jsonl"


def read_journal(path: Path) -> Record | None:
    """The last attempt in a journal; None when there is no attempt that can be read."""
    return next(reversed(attempts(path)), None)


def attempts(path: Path) -> tuple[Record, ...]:
    """Every attempt in a journal that can be read, oldest first."""
    records: list[Record] = []
    for line in _lines(path):
        match line.get("event"):
            case "Begun":
                records.append(_begun(path, line))
            case kind if records:
                _note(records[-1], str(kind), line)
    return tuple(records)


def latest_journal(root: Path) -> Record | None:
    """The record of the last apply of a project, by the time at which it began."""
    return next(iter(all_attempts(root)), None)


def all_attempts(root: Path) -> tuple[Record, ...]:
    """Every apply of a project that left a record on this machine, newest first."""
    records = [record for path in sorted((root / FOLDER).glob("*.jsonl")) for record in attempts(path)]
    return tuple(sorted(records, key=lambda record: record.begun, reverse=True))


def _torn(path: Path) -> bool:
    """Whether the file ends in the middle of a line."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        if size == 0:
            return False
        stream.seek(size - 1)
        return stream.read(1) != b"\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Lines that are whole; one that a crash tore is skipped."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for raw in content.splitlines():
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def _begun(path: Path, line: Mapping[str, Any]) -> Record:
    changes = line.get("changes")
    return Record(
        path=path,
        plan=str(line.get("plan", "")),
        server=str(line.get("server", "")),
        commit=str(line.get("commit", "")),
        begun=str(line.get("at", "")),
        changes=dict(changes) if isinstance(changes, dict) else {},
        ended={},
        versions={},
        jobs={},
        force=str(line.get("force", "")),
    )


def _note(record: Record, kind: str, line: Mapping[str, Any]) -> None:
    """Add an event to the record while it is built."""
    name = str(line.get("set", ""))
    ended, versions, jobs = record.ended, record.versions, record.jobs
    assert isinstance(ended, dict) and isinstance(versions, dict) and isinstance(jobs, dict)
    match kind:
        case SetDone.__name__:
            ended[name] = str(line.get("state", ""))
        case "SetCreated":
            versions[name] = str(line.get("set_id", ""))
        case "JobLaunched":
            jobs.setdefault(name, {})[str(line.get("job", ""))] = str(line.get("job_id", ""))
