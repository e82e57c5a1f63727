"""A worker process: claims jobs one after the other, runs them, publishes their results in one step.

It ends with its server: standard input is a pipe from the server whose end means that the server is gone. On that pipe
`BELL` means that there may be work, `LEAVE` that no further job is to be begun.
"""

from __future__ import annotations

import importlib
import logging
import os
import resource
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.assignment import Assignment, Progress, ResultFile, load_assignment
from avatar_gitops.server.database import reading
from avatar_gitops.server.executor import EXECUTOR
from avatar_gitops.server.faults import FULL_DISK, JobFault, place_of
from avatar_gitops.server.heart import Heart
from avatar_gitops.server.job_limits import resident_bytes, worker_limit
from avatar_gitops.server.objects import RESULTS_FOLDER, Storage, adopt_file, object_row, remove_blobs, unreferenced
from avatar_gitops.server.places import find_places, open_storage
from avatar_gitops.server.queue import ResultRow, claim, fail, has_ready_job, publish, requeue, requeue_expired
from avatar_gitops.server.receiving import describe_file
from avatar_gitops.server.state import StateFolder

BUSY_POLL_SECONDS: Final = 0.02
IDLE_POLL_SECONDS: Final = 0.5
BUSY_WINDOW_SECONDS: Final = 10.0
RECOVERY_SECONDS: Final = 5.0
CONTENT_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
STOPPED: Final = 75  # exit status of a worker that gave up its job on purpose
BELL: Final = b"."
LEAVE: Final = b"!"
NICENESS: Final = 10  # the server answers while its workers use every core
EXPENDABLE: Final = "500"  # when memory runs out, the kernel ends a worker, whose job is told why, and not the server
RETIREMENT_SHARE: Final = 4  # a worker that kept more than this part of its limit after a job makes room for a new one

Run = Callable[[Assignment, Path, Progress], list[ResultFile]]
"""Does the work of a job and leaves its files in the folder."""

log = logging.getLogger(__name__)


def main(state_dir: str, owner: str, retention_prefix: str) -> None:
    """Work until the server is gone or asks to leave."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the server, which ends its workers by itself
        signal.signal(number, signal.SIG_IGN)
    state = StateFolder(Path(state_dir))
    storage = open_storage(state, find_places(None, None))
    bell, leave = threading.Event(), threading.Event()
    threading.Thread(target=_watch_server, args=(bell, leave), daemon=True).start()
    retirement = worker_limit() // RETIREMENT_SHARE
    for _ in rounds(storage, owner, retention_prefix, bell, _runner(storage, owner)):
        if leave.is_set() or resident_bytes(os.getpid()) > retirement:
            return


def _be_modest() -> None:
    """Let the server go first, and leave no picture of the data behind when this process crashes."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(EXPENDABLE, encoding="ascii")


def rounds(
    storage: Storage, owner: str, retention_prefix: str, bell: threading.Event, run: Run | None = None
) -> Iterator[None]:
    """Work without end, one step at a time: a job where there is one, else preparations, else a nap until the bell.

    `run` does the work of a job elsewhere; without it, this process does.
    """
    cold = ["work_avatars", "work_metrics", "work_report"] if run is None else []
    busy_until = recovered = 0.0
    while True:
        now = time.monotonic()
        if now - recovered > RECOVERY_SECONDS:
            requeue_expired(storage.engine)
            recovered = now
        row = claim(storage.engine, owner) if has_ready_job(storage.engine) else None
        if row is not None:
            work_on(storage, row, owner, retention_prefix, run or _run_here)
            busy_until = time.monotonic() + BUSY_WINDOW_SECONDS
        elif cold:  # import the numerics while there is nothing to do, so that the first jobs wait for less
            with suppress(ImportError):  # a broken installation is an error of each job, see `_work`
                importlib.import_module(f"avatar_gitops.server.{cold.pop(0)}")
        else:
            bell.wait(BUSY_POLL_SECONDS if now < busy_until else IDLE_POLL_SECONDS)
            if bell.is_set():
                bell.clear()
                busy_until = time.monotonic() + BUSY_WINDOW_SECONDS
        yield


def _watch_server(bell: threading.Event, leave: threading.Event) -> None:
    while told := os.read(sys.stdin.fileno(), 4096):
        if LEAVE in told:
            leave.set()
        bell.set()
    os._exit(0)  # nothing to clean up: an unpublished job leaves no trace


def _end_process() -> None:
    os._exit(STOPPED)  # numerics cannot be interrupted, so a new process takes over


def _runner(storage: Storage, owner: str) -> Run | None:
    """What runs jobs on the cluster that the environment names; waits until it is there."""
    url = os.environ.get(EXECUTOR)
    if not url:
        return None
    from avatar_gitops.server.cluster import Cluster, ClusterLost

    cluster = Cluster(url)

    def run(assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
        try:
            return cluster.run(assignment, folder, progress)
        except ClusterLost:
            log.warning("the Dask scheduler at %s is gone; the job %s is queued again", url, assignment.name)
            requeue(storage.engine, owner=owner, refund=True)
            _end_process()
            raise

    return run


def _run_here(assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
    # Imported here so that a broken installation of the numerics is an error of the job, not of the worker.
    from avatar_gitops.server.work import run

    return run(assignment, folder, progress)


def work_on(
    storage: Storage,
    row: sa.Row[Any],
    owner: str,
    retention_prefix: str,
    run: Run = _run_here,
    stop: Callable[[], None] = _end_process,
) -> None:
    """Run a claimed job and publish its results, or say why not; `stop` must end `run` soon."""
    heart = Heart(storage.engine, row.name, owner, stop)
    folder = work_folder(storage.state, row, owner)
    folder.mkdir(mode=0o700)
    try:
        assignment = load_assignment(storage, row, retention_prefix, folder / "fetched")
        files = run(assignment, folder, heart.report)
        _publish(storage, assignment, owner, (folder, files, retention_prefix))
    except JobFault as fault:
        fail(storage.engine, row.name, owner, str(fault))
    except ImportError as error:
        missing = f"The platform is not installed completely: {error.name} is missing. Install avatar-gitops[local]."
        fail(storage.engine, row.name, owner, missing)
    except FileNotFoundError:
        fail(storage.engine, row.name, owner, "A file that this job needs was deleted while it ran.")
    except OSError as error:
        log.error("job %s failed: %s at %s", row.name, type(error).__name__, place_of(error))
        fail(storage.engine, row.name, owner, _full_or_broken(error))
    except Exception as error:
        # The text of an unexpected error may hold cell values; the place where it was raised does not.
        log.error("job %s failed: %s at %s", row.name, type(error).__name__, place_of(error))
        fail(storage.engine, row.name, owner, "internal error")
    finally:
        heart.stop()
        shutil.rmtree(folder, ignore_errors=True)


def work_folder(state: StateFolder, row: sa.Row[Any], owner: str) -> Path:
    """Where one attempt leaves its files until they are published."""
    return state.incoming / f"{row.name}.{row.attempts}.{owner}"


def remove_work_folders(state: StateFolder, owner: str) -> None:
    """Remove what a dead worker left behind."""
    for folder in state.incoming.glob(f"*.{owner}"):
        shutil.rmtree(folder, ignore_errors=True)


def _publish(storage: Storage, assignment: Assignment, owner: str, what: tuple[Path, list[ResultFile], str]) -> None:
    folder, files, retention_prefix = what
    prefix = f"{retention_prefix}/{RESULTS_FOLDER}/{assignment.set_id}/{assignment.name}"
    rows: list[ResultRow] = []
    try:
        for file in files:
            received = describe_file(folder / file.filename)
            content_type = CONTENT_TYPES[file.filename.rpartition(".")[2]]
            where = (assignment.user_id, f"{prefix}/{file.filename}")
            row = object_row(*where, adopt_file(storage, received.path), received, content_type)
            rows.append(ResultRow(file.kind, row))
        publish(storage.engine, assignment.name, owner, rows)
    finally:  # refused, or failed half-way: nothing points at the files then
        with reading(storage.engine) as connection:
            unused = unreferenced(connection, [item.row["blob"] for item in rows])
        remove_blobs(storage, unused)


def _full_or_broken(error: OSError) -> str:
    """What a user is told when files cannot be read or written; nothing of the job is stored then."""
    if error.errno in FULL_DISK:
        return "The results could not be written: no space is left on this platform. Ask its administrator, then retry."
    return "The files of this job could not be read or written: the storage of this platform failed. Retry later."


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    _be_modest()
    main(*sys.argv[1:])
