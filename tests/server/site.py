"""A platform that answers real HTTP from a thread of the test, so that the test can look into it and turn its clock."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import sqlalchemy as sa
from argon2 import PasswordHasher

from avatar_gitops.server import accounts
from avatar_gitops.server.accounts import Account, passwords
from avatar_gitops.server.app import create_app
from avatar_gitops.server.database import writing
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.throttle import Throttle
from tests.server.api import Api
from tests.server.workshop import IN_ITS_FOLDER, open_platform
from tests.support.grounds import Ground

PASSWORD = "correct horse battery"


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """A running platform."""

    platform: Platform
    base_url: str
    clock: Clock
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=f"{self.base_url}/api", timeout=30, verify=False)

    @property
    def engine(self) -> sa.Engine:
        return self.platform.engine

    def user(self, email: str, role: str = "user", organization_id: str | None = None) -> Account:
        """A user with a confirmed address and the password of the tests."""
        hashed = accounts.hash_new_password(PASSWORD)
        return accounts.create_user(self.engine, email, role, organization_id, verified=True, password_hash=hashed)

    def api(self, account: Account) -> Api:
        """The user, signed in with a new key."""
        return Api(self.base_url, accounts.issue_key(self.engine, account.id, "tests", 30)[1])

    def post(self, path: str, **options: Any) -> httpx.Response:
        """A POST by somebody who is not signed in."""
        return self.http.post(path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """A GET by somebody who is not signed in."""
        return self.http.get(path, **options)

    def login(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """What the form of an old client gets."""
        return self.post("/login", data={"username": email, "password": password, "scope": ""})

    def audited(self) -> list[dict[str, Any]]:
        """The lines of the audit log."""
        path = self.platform.state.audit_log
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def change(self, table: sa.Table, **values: Any) -> None:
        """Let every row of a table be as if time had passed."""
        with writing(self.engine) as connection:
            connection.execute(table.update().values(**values))


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Password hashes that cost next to nothing; what the real ones cost is held by the tests of passwords."""
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with mock.patch.object(passwords, "_hasher", hasher), mock.patch.object(passwords, "NOBODY", hasher.hash("x" * 20)):
        yield


@contextmanager
def open_site(root: Path, ground: Ground = IN_ITS_FOLDER, **fields: Any) -> Iterator[Site]:
    """A new platform over that folder; `fields` of it are set before it answers."""
    with open_platform(root, ground, **fields) as platform, serve_here(platform) as site:
        yield site


@contextmanager
def serve_here(platform: Platform) -> Iterator[Site]:
    """Let a platform answer on a free port; the clock of its limits stands still."""
    import uvicorn

    clock = Clock()
    platform.throttle = Throttle(clock)
    config = uvicorn.Config(create_app(platform), log_config=None, lifespan="off", server_header=False, ws="none")
    server = uvicorn.Server(config)
    # The protocol is named because asyncio turns off Nagle's delay only for sockets that say they are TCP.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        site = Site(platform, f"http://127.0.0.1:{listener.getsockname()[1]}", clock)
        try:
            yield site
        finally:
            site.http.close()
            server.should_exit = True
            thread.join(10)
