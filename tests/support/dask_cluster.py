"""A Dask cluster of real processes on this machine: one scheduler, workers of one thread each."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.processes import children


@dataclass(slots=True)
class DaskCluster:
    """The processes; `url` stays the same when the scheduler is started again."""

    folder: Path
    port: int
    scheduler: subprocess.Popen[bytes] | None = None
    nannies: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def logs(self) -> bytes:
        """All that scheduler and workers have written."""
        return b"".join(path.read_bytes() for path in self.folder.glob("*.log"))

    def start_scheduler(self) -> None:
        """A new scheduler; returns when it answers."""
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.scheduler = self._start("scheduler", "--port", str(self.port), "--scheduler-file", str(file))
        deadline = time.monotonic() + 60
        while not _written(file):
            assert time.monotonic() < deadline, self.logs
            time.sleep(0.05)

    def start_worker(self) -> None:
        """One more worker under its nanny."""
        options = ("--nthreads", "1", "--memory-limit", "4GiB", "--local-directory", str(self.folder))
        self.nannies.append(self._start("worker", self.url, *options))

    def worker_ids(self) -> list[int]:
        """Processes of the workers themselves."""
        return [worker for nanny in self.nannies for worker in children(nanny.pid)]

    def stop(self) -> None:
        """End every process."""
        started = [*self.nannies, *([self.scheduler] if self.scheduler else [])]
        for process in started:
            with suppress(ProcessLookupError):  # it was killed by its test
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, kind: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", "--no-dashboard"]
        with (self.folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen([*command, *options], stdout=log, stderr=log, start_new_session=True)


def _written(file: Path) -> bool:
    try:
        return "address" in json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return False


@contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[DaskCluster]:
    """A running cluster with its logs in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made = DaskCluster(folder, int(probe.getsockname()[1]))
    try:
        made.start_scheduler()
        for _ in range(workers):
            made.start_worker()
        yield made
    finally:
        made.stop()
