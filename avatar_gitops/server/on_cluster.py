"""What runs on a worker of the Dask cluster: one job from its parcel to its files, as in a process of the server.

Nothing here raises with data in its text, and no representation shows any: Dask logs both.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.server.assignment import Assignment, Progress
from avatar_gitops.server.faults import JobFault, place_of

TELL_SECONDS: Final = 0.5
ABANDONED: Final = frozenset({"cancelled", "released", "forgotten"})


@dataclass(slots=True, frozen=True, repr=False)
class Parcel:
    """An assignment whose files are named by their position in `files`, pickled; and the bytes of these files."""

    assignment: bytes
    files: tuple[bytes, ...]


@dataclass(slots=True, frozen=True, repr=False)
class Made:
    """The files of a job: kind, name, content."""

    files: tuple[tuple[str, str, bytes], ...]


@dataclass(slots=True, frozen=True)
class Refused:
    """Why the job cannot be done, as its user reads it."""

    text: str


@dataclass(slots=True, frozen=True)
class Failed:
    """A bug: the kind of error and where it was raised."""

    place: str


class Abandoned(BaseException):
    """Nobody waits for this job any more; no handler of errors may take it for one."""


def fingerprint() -> dict[str, str]:
    """What has to be equal for equal bytes, by name: this package, the interpreter, the numerics."""
    from avatar_gitops.engine.environment import environment

    python = ".".join(platform.python_version_tuple()[:2])
    return {"avatar-gitops": __version__, "Python": python, **environment()["libraries"]}


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What differs, in words; empty when nothing does."""
    names = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    return ", ".join(f"{name} {theirs.get(name, 'missing')} instead of {ours.get(name, 'none')}" for name in names)


def relocated(assignment: Assignment, move: Callable[[Path], Path]) -> Assignment:
    """The assignment with its files elsewhere."""
    return replace(
        assignment,
        files={name: move(path) for name, path in assignment.files.items()},
        earlier={
            kind: tuple(replace(file, path=move(file.path)) for file in group)
            for kind, group in assignment.earlier.items()
        },
    )


def work(parcel: Parcel, expected: Mapping[str, str], topic: str) -> Made | Refused | Failed:
    """Do one job on this worker; its progress goes to the topic."""
    if differs := differences(expected, fingerprint()):
        return Refused(f"A worker of this platform's cluster would compute other bytes: {differs}.")
    try:
        return _worked(parcel, topic)
    except JobFault as fault:
        return Refused(str(fault))
    except ImportError as error:
        return Refused(f"A worker of this platform's cluster is not installed completely: {error.name} is missing.")
    except Abandoned:
        return Failed("abandoned")
    except Exception as error:
        return Failed(f"{type(error).__name__} at {place_of(error)}")


def _worked(parcel: Parcel, topic: str) -> Made:
    import pickle

    from distributed import get_worker
    from threadpoolctl import threadpool_limits

    from avatar_gitops.server.work import run

    worker = get_worker()
    with TemporaryDirectory(dir=worker.local_directory) as name, threadpool_limits(1):
        inputs, results = Path(name, "inputs"), Path(name, "results")
        inputs.mkdir()
        results.mkdir()
        for number, content in enumerate(parcel.files):
            (inputs / str(number)).write_bytes(content)
        assignment = relocated(pickle.loads(parcel.assignment), lambda path: inputs / path)  # noqa: S301 - Dask's trust
        files = run(assignment, results, _telling(worker, topic))
        return Made(tuple((file.kind, file.filename, (results / file.filename).read_bytes()) for file in files))


def _telling(worker: Any, topic: str) -> Progress:
    """Tells who waits how far the work is, now and then; ends the work when nobody does."""
    key, told = worker.get_current_task(), 0.0

    def tell(share: float, phase: str = "", done: int = 0, total: int = 0) -> None:
        nonlocal told
        task = worker.state.tasks.get(key)
        if task is None or task.state in ABANDONED:
            raise Abandoned
        if time.monotonic() - told > TELL_SECONDS:
            told = time.monotonic()
            worker.log_event(topic, (share, phase, done, total))

    return tell
