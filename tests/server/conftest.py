"""One real server for the whole session, on a free port, with the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_gitops.server import start
from tests.server.api import Api


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform") / "state"


@pytest.fixture(scope="session")
def admin(state_dir: Path) -> Iterator[Api]:
    """The administrator of a running server."""
    with start(state_dir) as server, Api(server.base_url, server.api_key) as api:
        yield api


@pytest.fixture(scope="session")
def other(admin: Api) -> Iterator[Api]:
    """Another user of the same server."""
    created = admin.http.post("/users", json={"email": "other@example.org", "role": "user"}).json()
    body = {"name": "tests", "expiration_days": 30}
    key = admin.http.post("/api-keys", json=body, params={"user_id": created["id"]}).json()
    with Api(admin.base_url, key["api_key"]["plaintext"]) as api:
        yield api
