"""Keeps the worker processes alive: starts them, replaces a dead one at once, queues its job again."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import uuid
from dataclasses import dataclass
from typing import Final

from avatar_gitops.server.platform import Platform
from avatar_gitops.server.queue import requeue

CHECK_SECONDS: Final = 0.2
RESTART_PAUSE_SECONDS: Final = 1.0
THREAD_VARIABLES: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class _Worker:
    owner: str
    process: subprocess.Popen[bytes]


class Supervisor:
    """The worker processes of one server."""

    def __init__(self, platform: Platform, count: int) -> None:
        self._platform = platform
        self._count = count
        self._workers: list[_Worker] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start all workers; from now on a job that is created wakes them."""
        self._workers = [self._spawn() for _ in range(self._count)]
        self._platform.wake_workers = self.wake
        self._thread.start()

    def wake(self) -> None:
        """Tell the workers that there may be work."""
        with self._lock:
            for worker in self._workers:
                if worker.process.stdin is not None:
                    try:
                        os.write(worker.process.stdin.fileno(), b".")
                    except OSError:
                        continue  # it just died; its successor looks by itself

    def process_ids(self) -> list[int]:
        """The processes as they are now."""
        with self._lock:
            return [worker.process.pid for worker in self._workers]

    def stop(self) -> None:
        """End all workers now and queue their jobs again; an unpublished job leaves no trace."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            _reap(worker)
            requeue(self._platform.engine, owner=worker.owner, refund=True)

    def _watch(self) -> None:
        while not self._stopping.wait(CHECK_SECONDS):
            for index, worker in enumerate(self._workers):
                if worker.process.poll() is None:
                    continue
                _reap(worker)
                log.warning("worker process %s ended with status %s", worker.process.pid, worker.process.returncode)
                requeue(self._platform.engine, owner=worker.owner)
                # A worker that cannot even start must not become a busy loop.
                if self._stopping.wait(RESTART_PAUSE_SECONDS if worker.process.returncode == 1 else 0):
                    return
                with self._lock:
                    self._workers[index] = self._spawn()

    def _spawn(self) -> _Worker:
        owner = uuid.uuid4().hex
        module = "avatar_gitops.server.worker"
        # -P: the working directory of the user must not shadow Python packages.
        command = [sys.executable, "-P", "-m", module, str(self._platform.state.root), owner]
        process = subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
            [*command, self._platform.retention_prefix],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1")},
            bufsize=0,
        )
        return _Worker(owner, process)


def _reap(worker: _Worker) -> None:
    worker.process.wait()
    if worker.process.stdin is not None:
        worker.process.stdin.close()
