"""A server for the duration of a command: reuse the one that serves the folder, or start one that ends with us."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from filelock import FileLock

from avatar_gitops.errors import Locked, RemoteUnavailable
from avatar_gitops.server.holders import hold, is_locked, let_go, other_holders
from avatar_gitops.server.state import Address, StateFolder, read_address, read_client_env
from avatar_gitops.wire.routes import API_PREFIX, HEALTH

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 8.0
STEP_SECONDS: Final = 0.01


class LocalServer:
    """A running server of this machine; `close` it, or use it as a context manager."""

    def __init__(
        self, state: StateFolder, address: Address, holder: FileLock, process: subprocess.Popen[bytes] | None
    ) -> None:
        self._state, self._holder, self._process = state, holder, process
        self.base_url: Final = address.base_url
        self.api_key: Final = read_client_env(state.client_env)["AVATAR_API_KEY"]

    def close(self) -> None:
        """Let go of the server; it stops when nobody else uses it."""
        if self._holder.is_locked:
            let_go(self._holder)
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        deadline = time.monotonic() + STOP_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            if other_holders(self._state.holders):
                # It lives on for the others; when it ends before we do, somebody must take note.
                threading.Thread(target=process.wait, daemon=True).start()
                return
            time.sleep(STEP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(state_dir: Path, *, workers: int = 2) -> LocalServer:
    """A healthy server over the state folder, started when none is running.

    Raises:
        RemoteUnavailable: it did not come up; the log in the state folder says why.
    """
    state = StateFolder(Path(state_dir).resolve())
    state.create()
    holder = hold(state.holders)
    process: subprocess.Popen[bytes] | None = None
    deadline = time.monotonic() + START_SECONDS
    try:
        while time.monotonic() < deadline:
            address = read_address(state.address)
            if address is not None and is_locked(state.lock) and _is_healthy(address.base_url):
                return LocalServer(state, address, holder, process)
            if process is None:
                if not is_locked(state.lock):
                    process = _spawn(state, workers)
            elif process.poll() is not None:
                if process.returncode != Locked.exit_code:
                    break
                process = None  # another process was faster; use its server
            time.sleep(STEP_SECONDS)
    except BaseException:
        _give_up(holder, process)
        raise
    _give_up(holder, process)
    raise RemoteUnavailable("The embedded platform did not start.", hint=f"Read {state.log.name} in its state folder.")


def _spawn(state: StateFolder, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "avatar_gitops.server", "--state-dir", str(state.root)]
    descriptor = os.open(state.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # A session of its own: Ctrl-C in the terminal reaches the command, and the server ends after it in good order.
        return subprocess.Popen(  # noqa: S603  (our own interpreter, no shell)
            [*command, "--workers", str(workers), "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def _give_up(holder: FileLock, process: subprocess.Popen[bytes] | None) -> None:
    let_go(holder)
    if process is not None:
        process.terminate()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _is_healthy(base_url: str) -> bool:
    parts = urlsplit(base_url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", f"{API_PREFIX}{HEALTH}")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
