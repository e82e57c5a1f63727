"""Keeps the worker processes alive: starts them, replaces a dead one at once, queues its job again.

It is also the wall around each job: a worker that takes more memory or time than one job may, or goes on with a job
that was cancelled, is ended from outside, and its job says why.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.job_limits import JobLimits, resident_bytes
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.queue import Running, fail_all, new_owner, requeue, running
from avatar_gitops.server.worker import BELL, LEAVE, STOPPED, remove_work_folders

CHECK_SECONDS: Final = 0.05
ASK_SECONDS: Final = 1.0
CANCEL_PATIENCE_SECONDS: Final = 3.0  # a worker ends a cancelled job by itself within two beats of its heart
RESTART_PAUSE_SECONDS: Final = 1.0
MEANT: Final = frozenset({0, STOPPED})
THREAD_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
# What an ending tells about a job that ended all its workers; anything else tells nothing.
WHY: Final = {
    -signal.SIGABRT: "The last time a library aborted it; the log of the platform may say more.",
    -signal.SIGKILL: "The last time the system killed it, as systems do when the memory of the machine is full.",
    -signal.SIGSEGV: "The last time a library crashed in it.",
}

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Worker:
    """One process; `verdict` is why we ended it, "" when it ended by itself."""

    owner: str
    process: subprocess.Popen[bytes]
    verdict: str = ""
    cancel_seen: float | None = None


class Supervisor:
    """The worker processes of one server."""

    def __init__(self, platform: Platform, count: int, limits: JobLimits) -> None:
        self._platform = platform
        self._limits = limits
        self._count = count
        self._server_id = platform.state.server_id()
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._asked = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start all workers; from now on a job that is created wakes them."""
        self._workers = [self._spawn() for _ in range(self._count)]
        self._platform.wake_workers = self.wake
        self._thread.start()

    def wake(self) -> None:
        """Tell the workers that there may be work."""
        self._tell(BELL)

    def stop(self, patience: float = 0.0) -> None:
        """Let workers finish what ends within so many seconds, then end them and queue their jobs again.

        That costs a job no attempt, and an unpublished job leaves no trace.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._tell(LEAVE)
        busy = self._busy() if patience else ()
        deadline = time.monotonic() + patience
        for worker in self._workers:
            try:
                worker.process.wait(max(0.0, deadline - time.monotonic()) if worker.owner in busy else 0.0)
            except subprocess.TimeoutExpired:
                worker.process.kill()
        with self._lock:
            ended, self._workers = self._workers, []
        for worker in ended:
            self._bury(worker, refund=True)

    def _busy(self) -> set[str]:
        """Owners of the jobs that run."""
        try:
            return {job.owner for job in running(self._platform.engine, [worker.owner for worker in self._workers])}
        except sa.exc.SQLAlchemyError:  # nothing can be published without the database
            return set()

    def _tell(self, what: bytes) -> None:
        with self._lock:
            for worker in self._workers:
                if worker.process.stdin is not None and not worker.process.stdin.closed:
                    with suppress(OSError):  # it just died; its successor looks by itself
                        os.write(worker.process.stdin.fileno(), what)

    def _watch(self) -> None:
        while not self._stopping.wait(CHECK_SECONDS):
            try:
                self._check()
            except sa.exc.SQLAlchemyError as error:  # a database that is gone for a while must not end our watch
                log.warning("workers: the database did not answer (%s)", type(error).__name__)

    def _check(self) -> None:
        for worker in self._workers:
            if not worker.verdict and resident_bytes(worker.process.pid) > self._limits.memory:
                self._end(worker, self._limits.too_much_memory)
        if time.monotonic() - self._asked > ASK_SECONDS:
            self._asked = time.monotonic()
            owned = {worker.owner: worker for worker in self._workers}
            for job in running(self._platform.engine, list(owned)):
                self._judge(owned[job.owner], job)
        for index, worker in enumerate(self._workers):
            if worker.process.poll() is not None:
                self._replace(index, worker)

    def _judge(self, worker: _Worker, job: Running) -> None:
        if time.time() - job.started_at > self._limits.seconds:
            self._end(worker, self._limits.too_much_time)
        elif job.cancel_requested:
            worker.cancel_seen = worker.cancel_seen or time.monotonic()
            if time.monotonic() - worker.cancel_seen > CANCEL_PATIENCE_SECONDS:
                worker.process.kill()
        else:
            worker.cancel_seen = None

    def _end(self, worker: _Worker, verdict: str) -> None:
        worker.verdict = verdict
        worker.process.kill()

    def _replace(self, index: int, worker: _Worker) -> None:
        if worker.process.returncode not in MEANT:
            log.warning("worker process %s ended with status %s", worker.process.pid, worker.process.returncode)
        self._bury(worker)
        # A worker that cannot even start must not become a busy loop.
        if self._stopping.wait(RESTART_PAUSE_SECONDS if worker.process.returncode == 1 else 0):
            return
        with self._lock:
            self._workers[index] = self._spawn()

    def _bury(self, worker: _Worker, *, refund: bool = False) -> None:
        """Wait for the end of a process; give its job an end that says why, or queue it again."""
        worker.process.wait()
        with self._lock:
            if worker.process.stdin is not None:
                worker.process.stdin.close()
        if worker.verdict:
            fail_all(self._platform.engine, worker.owner, worker.verdict)
        else:
            why = WHY.get(worker.process.returncode, "")
            requeue(self._platform.engine, owner=worker.owner, refund=refund, why=why)
        remove_work_folders(self._platform.state, worker.owner)

    def _spawn(self) -> _Worker:
        owner = new_owner(self._server_id)
        module = "avatar_gitops.server.worker"
        # -P: the working directory of the user must not shadow Python packages.
        command = [sys.executable, "-P", "-m", module, str(self._platform.state.root), owner]
        process = subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
            [*command, self._platform.retention_prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                **dict.fromkeys(THREAD_VARIABLES, "1"),
                **self._limits.environment,
                **self._platform.for_workers,
            },
            bufsize=0,
        )
        return _Worker(owner, process)
