"""Start and stop of the server process: one per state folder, first keys, `client.env`, orderly and disorderly ends."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import signal
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from avatar_gitops.errors import Locked, RemoteUnavailable
from avatar_gitops.server.callers import trusted_proxies
from avatar_gitops.server.executor import EXECUTOR, find_executor
from avatar_gitops.server.holders import other_holders
from avatar_gitops.server.job_limits import JobLimits, job_limits
from avatar_gitops.server.limits import run_limits
from avatar_gitops.server.mail import mail_settings
from avatar_gitops.server.state import (
    Address,
    StateFolder,
    create_writable,
    read_address,
    read_client_env,
    write_address,
    write_private,
)

DEFAULT_WORKERS: Final = 2
DEFAULT_PATIENCE_SECONDS: Final = 2.0
LOCK_PATIENCE_SECONDS: Final = 0.5
PARENT_CHECK_SECONDS: Final = 0.25
GRACE_SECONDS: Final = 2
INTERRUPTED: Final = 130
DAY_SECONDS: Final = 86_400.0
WILDCARDS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  (named, not bound)

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class ServeOptions:
    """How to serve. Port 0 takes a free one; None keeps the platform's default.

    `job_memory` (MiB) and `job_seconds` are what one job may take; `patience` is how many seconds a running job gets to
    end when the server stops. `executor` is the URL of a Dask scheduler; `workers` are then how many jobs go at once.
    """

    state_dir: Path
    host: str = "127.0.0.1"
    port: int = 0
    workers: int = DEFAULT_WORKERS
    exit_with_parent: bool = False
    retention_days: int | None = None
    job_memory: int | None = None
    job_seconds: int | None = None
    patience: float = DEFAULT_PATIENCE_SECONDS
    database: str | None = None
    bucket: str | None = None
    executor: str | None = None


Ready = Callable[[Address, Path], None]
Hook = Callable[[], None]


def serve(options: ServeOptions, on_ready: Ready | None = None) -> None:
    """Serve until SIGTERM or SIGINT, then stop within `GRACE_SECONDS` and the patience of the options.

    No new request is accepted then; running jobs that do not end in time are queued again, free of charge. A second
    signal ends everything at once; what ran is queued again at the next start.

    `on_ready` gets the address and the path of `client.env` once the server answers (from another thread).

    Raises:
        Locked: another server serves the folder.
        RemoteUnavailable: the port is taken, or the Dask cluster does not answer.
        UsageError: a setting of the environment cannot be, or the state folder cannot be written.
    """
    for setting in (run_limits, mail_settings, trusted_proxies):
        setting()
    options = replace(options, executor=find_executor(options.executor))
    limits = job_limits(_worker_count(options), options.job_memory, options.job_seconds)
    state = StateFolder(options.state_dir.resolve())
    create_writable(state)
    if options.executor is not None:
        from avatar_gitops.server.cluster import check_cluster

        check_cluster(options.executor)
    with _only_server(state), _listening(options) as listener:
        _serve_locked(options, limits, state, listener, on_ready)


def _serve_locked(
    options: ServeOptions, limits: JobLimits, state: StateFolder, listener: socket.socket, on_ready: Ready | None
) -> None:
    # The web stack is imported by the process that serves, never by one that only talks to a server.
    from avatar_gitops.server.app import create_app
    from avatar_gitops.server.correspondence import open_post_office
    from avatar_gitops.server.events import record_startup
    from avatar_gitops.server.supervisor import Supervisor

    state.address.unlink(missing_ok=True)  # of a server that was killed
    platform = _open_platform(options, state)
    address = Address(os.getpid(), _base_url(options.host, listener))
    platform.postman = open_post_office(platform, address.base_url)
    _write_client_env(platform, address)
    record_startup(platform.engine)
    supervisor = Supervisor(platform, _worker_count(options), limits)
    server = _quiet_server(create_app(platform))

    def stop() -> None:
        if platform.stopping.is_set():
            os._exit(INTERRUPTED)  # our workers end with us
        platform.stopping.set()
        server.should_exit = True

    def ready() -> None:
        write_address(state.address, address)
        supervisor.start()
        if on_ready is not None:
            on_ready(address, state.client_env)

    if options.exit_with_parent:
        _start(_watch_parent, state, address, stop)
    _start(_expire_daily, platform)
    try:
        asyncio.run(_run(server, listener, (ready, stop, partial(supervisor.stop, options.patience))))
    finally:
        supervisor.stop()
        if platform.postman is not None:
            platform.postman.close()
        if read_address(state.address) == address:
            state.address.unlink(missing_ok=True)
        platform.engine.dispose()


def _open_platform(options: ServeOptions, state: StateFolder) -> Any:
    """The platform over its places, up to date and without what the server before it left behind."""
    from avatar_gitops.server.objects import empty_incoming, sweep
    from avatar_gitops.server.places import find_places, installation_secret, open_storage, prepare
    from avatar_gitops.server.platform import DEFAULT_RETENTION_DAYS, Platform
    from avatar_gitops.server.queue import requeue_of_server

    places = find_places(options.database, options.bucket)
    storage = open_storage(state, places)
    prepare(storage, places)
    platform = Platform(
        storage.engine,
        state,
        installation_secret(storage),
        options.retention_days or DEFAULT_RETENTION_DAYS,
        trusted_proxies=trusted_proxies(),
        bucket=storage.bucket,
        for_workers=places.environment | ({EXECUTOR: options.executor} if options.executor else {}),
    )
    requeue_of_server(storage.engine, state.server_id())  # what ran when the last server died
    empty_incoming(state)
    if storage.bucket is None:
        sweep(storage, patience=0)  # nobody else writes here
    return platform


async def _run(server: Any, listener: socket.socket, hooks: tuple[Hook, Hook, Hook]) -> None:
    ready, stop, drain = hooks
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        await loop.run_in_executor(None, ready)
    await serving
    await loop.run_in_executor(None, drain)  # in here, so that a second signal still finds its handler


def _quiet_server(app: Any) -> Any:
    """A uvicorn server that leaves signals and logging to us."""
    import uvicorn

    class QuietServer(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return QuietServer(config)


@contextlib.contextmanager
def _only_server(state: StateFolder) -> Iterator[None]:
    lock = FileLock(state.lock)
    try:
        lock.acquire(timeout=LOCK_PATIENCE_SECONDS)
    except Timeout:
        address = read_address(state.address)
        where = f" at {address.base_url} (process {address.pid})" if address else ""
        raise Locked(
            f"The state folder is served already{where}.",
            hint="Use that server, stop it, or choose another folder with --state-dir.",
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _listening(options: ServeOptions) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    # The protocol is named because asyncio turns off Nagle's delay only for sockets that say they are TCP.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((options.host, options.port))
        except OSError as error:
            raise RemoteUnavailable(
                f"The server cannot listen on {options.host} port {options.port}: {error.strerror}.",
                hint="Choose another port with --port; 0 takes a free one.",
            ) from None
        listener.listen(256)
        yield listener


def _base_url(host: str, listener: socket.socket) -> str:
    shown = "127.0.0.1" if host in WILDCARDS else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}"


def _worker_count(options: ServeOptions) -> int:
    """At most one for each core, unless they only wait for a cluster."""
    return options.workers if options.executor else max(1, min(options.workers, os.cpu_count() or 1))


def _write_client_env(platform: Any, address: Address) -> None:
    """Let `client.env` hold the present URL and a valid key of the administrator: the one it has, or a new one.

    When the administrator was disabled and there is no other, the key there stays as it is, and opens nothing.
    """
    from avatar_gitops.server.accounts import account_of_key, ensure_administrator, issue_key
    from avatar_gitops.server.audit_log import Entry

    administrator = ensure_administrator(platform.engine)
    key = read_client_env(platform.state.client_env).get("AVATAR_API_KEY", "")
    if administrator is not None and account_of_key(platform.engine, key) is None:
        description, key = issue_key(platform.engine, administrator.id, "client.env", 3650)
        created = Entry("api_key.create", actor="server", object_type="api_key", object_id=description["id"])
        platform.audit_log.write(created)
    write_private(platform.state.client_env, f"AVATAR_BASE_URL={address.base_url}\nAVATAR_API_KEY={key}\n")


def _start(target: Callable[..., None], *args: Any) -> None:
    threading.Thread(target=target, args=args, daemon=True).start()


def _watch_parent(state: StateFolder, address: Address, stop: Callable[[], None]) -> None:
    """Stop soon after the parent is gone and no other process uses this server."""
    parent = os.getppid()
    piped = sys.stdin is not None and stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode)
    while os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin] if piped else [], [], [], PARENT_CHECK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1024):
            break
    pause = threading.Event()
    while not _nobody_left(state, address):
        pause.wait(PARENT_CHECK_SECONDS)
    stop()


def _nobody_left(state: StateFolder, address: Address) -> bool:
    """Whether no process uses this server; if so, its address is no longer published."""
    if other_holders(state.holders):
        return False
    # Unpublish first, look again: a process that takes hold after the second look no longer finds the address.
    state.address.unlink(missing_ok=True)
    if not other_holders(state.holders):
        return True
    write_address(state.address, address)
    return False


def _expire_daily(platform: Any) -> None:
    from avatar_gitops.server.expiry import clean_up

    while True:
        clean_up(platform.storage, datetime.now(UTC) - timedelta(days=platform.retention_days))
        if platform.stopping.wait(DAY_SECONDS):
            return
