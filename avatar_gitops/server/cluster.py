"""Jobs on a Dask cluster: a worker process of the server hands each job over, waits, and takes back what it made.

Lease, heart-beat and publishing stay on this side, and so do database, files and secrets: inputs travel as bytes, and
results come back so. When this process ends or its job is cancelled, the cluster forgets the job, which then ends at
the next border of a stage. Encryption is Dask's own (`tls://` and its configuration `distributed.comm.tls`).
"""

from __future__ import annotations

import logging
import pickle
import time
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from avatar_gitops.errors import RemoteUnavailable, UsageError
from avatar_gitops.server.assignment import Assignment, Progress, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.job_limits import worker_limit
from avatar_gitops.server.on_cluster import Failed, Made, Parcel, Refused, differences, fingerprint, relocated, work

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 1.0
ATTEMPTS: Final = 3
TRAVEL_SHARE: Final = 4  # files of more than this part of a worker's memory do not travel
GAVE_UP: Final = (
    f"The job was begun {ATTEMPTS} times on the cluster of this platform and its worker there ended each time before"
    " the job did. The table may need more memory than these workers have."
)

log = logging.getLogger(__name__)


class ClusterLost(Exception):
    """The scheduler is gone; the job was not done, and that is not its fault."""


def check_cluster(url: str) -> int:
    """How many workers the cluster has; they all compute as we do.

    Raises:
        UsageError: Dask is not installed, or a worker would compute other bytes.
        RemoteUnavailable: no scheduler answers there.
    """
    try:
        client = connected(url)
    except ImportError:
        raise UsageError("--executor needs Dask.", hint="pip install 'avatar-gitops[dask]'") from None
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # Dask raises any of them
        raise RemoteUnavailable(
            f"No Dask scheduler answers at {url} ({type(error).__name__}).",
            hint="Start one (`dask scheduler`, then `dask worker`), or change --executor.",
        ) from None
    with client:
        expected = fingerprint()
        try:
            found = client.run(fingerprint, on_error="return")
        except ImportError:
            found = {"": ImportError()}
        for said in found.values():
            if isinstance(said, BaseException):
                raise UsageError(
                    "A worker of the Dask cluster does not have avatar-gitops, or not all of it.",
                    hint="Install the same avatar-gitops[local,dask] there.",
                )
            if differs := differences(expected, said):
                raise UsageError(
                    f"A worker of the Dask cluster would compute other bytes: {differs}.",
                    hint="Install the same versions there.",
                )
    return len(found)


def connected(url: str) -> Client:
    """A connection to the scheduler; an OSError when there is none within some seconds."""
    from distributed import Client

    return Client(url, timeout=CONNECT_SECONDS, set_as_default=False, name="avatar-gitops")


class Cluster:
    """The connection of one worker process, which has one job at a time."""

    def __init__(self, url: str) -> None:
        """Wait until the scheduler answers."""
        self._client = _patiently(url)
        self._topic = f"avatar-gitops-{uuid.uuid4().hex}"
        self._progress: Progress | None = None
        self._client.subscribe_topic(self._topic, self._hear)

    def run(self, assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
        """Let the cluster do the work; its files are in the folder then.

        Raises:
            JobFault: the user, or who runs the cluster, can do something about it.
            ClusterLost: the scheduler is gone.
        """
        parcel = packed(assignment)
        self._progress = progress
        try:
            for _ in range(ATTEMPTS):
                outcome = self._tried(parcel)
                if outcome is not None:
                    return _unpacked(outcome, folder)
        finally:
            self._progress = None
        raise JobFault(GAVE_UP)

    def _tried(self, parcel: Parcel) -> Made | Refused | Failed | None:
        """What one attempt came to; None when a worker ended with the files of the job."""
        from distributed import KilledWorker

        future = None
        try:
            [data] = self._client.scatter([parcel], hash=False)
            key = f"avatar-gitops-{uuid.uuid4().hex}"
            future = self._client.submit(work, data, fingerprint(), self._topic, key=key, pure=False)
            outcome: Made | Refused | Failed = future.result()
            return outcome
        except KilledWorker:
            return None
        except (CancelledError, OSError):
            if self._client.status != "running":
                raise ClusterLost from None
            return None
        except ImportError as error:
            return Refused(f"The workers of this platform's cluster are not installed completely: {error.name}.")
        finally:
            if future is not None:
                future.release()

    def _hear(self, event: tuple[float, Any]) -> None:
        _, said = event
        if self._progress is not None:
            self._progress(*said)


def packed(assignment: Assignment) -> Parcel:
    """The assignment with the bytes of its files.

    Raises:
        JobFault: the files are too large to travel.
    """
    earlier = [file.path for group in assignment.earlier.values() for file in group]
    paths = sorted({*assignment.files.values(), *earlier})
    limit = worker_limit() // TRAVEL_SHARE
    if sum(path.stat().st_size for path in paths) > limit:
        raise JobFault(
            f"The files of this job are larger than what travels to the cluster of this platform ({limit >> 20:,} MiB)."
            " Use Parquet, fewer rows, or a platform that runs its jobs itself."
        )
    names = {path: Path(str(number)) for number, path in enumerate(paths)}
    moved = pickle.dumps(relocated(assignment, names.__getitem__))
    return Parcel(moved, tuple(path.read_bytes() for path in paths))


def _unpacked(outcome: Made | Refused | Failed, folder: Path) -> list[ResultFile]:
    if isinstance(outcome, Refused):
        raise JobFault(outcome.text)
    if isinstance(outcome, Failed):
        log.error("a job failed on the cluster: %s", outcome.place)
        raise FailedElsewhere
    files = []
    for kind, name, content in outcome.files:
        if Path(name).name != name:
            raise FailedElsewhere
        (folder / name).write_bytes(content)
        files.append(ResultFile(kind, name))
    return files


class FailedElsewhere(Exception):
    """A bug on the cluster; its place in the code is in the log."""


def _patiently(url: str, pause: Callable[[float], None] = time.sleep) -> Client:
    told = False
    while True:
        try:
            return connected(url)
        except OSError:
            if not told:
                log.warning("no Dask scheduler answers at %s; jobs wait for it", url)
                told = True
            pause(PAUSE_SECONDS)
