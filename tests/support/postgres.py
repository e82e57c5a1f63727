"""A PostgreSQL cluster for the duration of the tests, in a folder of its own, on a Unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

SETTINGS = (
    "listen_addresses=",
    "fsync=off",
    "max_connections=200",
    "shared_buffers=16MB",
)


@dataclass(slots=True, frozen=True)
class Cluster:
    """A running PostgreSQL server."""

    socket: Path

    @contextmanager
    def database(self) -> Iterator[sa.URL]:
        """A new database, whose language does not sort by bytes, as those of most installations."""
        name = f"test_{uuid.uuid4().hex}"
        with self._admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'fr-FR'")
        try:
            yield self._url(name)
        finally:
            with self._admin() as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> sa.URL:
        return sa.URL.create("postgresql", "tests", database=name, query={"host": str(self.socket)})

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.socket), user="tests", dbname="postgres", autocommit=True)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a cluster and remove it at the end; PostgreSQL refuses to run as root, so root lends it a user."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # short: a socket's path has at most 107 bytes
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    folder.chmod(0o711)
    try:
        data = folder / "data"
        _run(user, "initdb", "-D", str(data), "-U", "tests", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
        log = str(folder / "log")
        _run(user, "pg_ctl", "-D", str(data), "-w", "-l", log, "-o", options, "start")
        try:
            yield Cluster(folder)
        finally:
            _run(user, "pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(user: pwd.struct_passwd | None, program: str, *arguments: str) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))
    path = str(installed[-1]) if installed else shutil.which(program)
    assert path is not None, f"{program} is missing: run .ci/services"
    lent: dict[str, Any] = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # Not a pipe: the server inherits it, and reading would wait for its end.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run([path, *arguments], check=False, cwd="/", stdout=said, stderr=said, **lent)
        said.seek(0)
        assert done.returncode == 0, said.read().decode()
