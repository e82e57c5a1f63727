"""One real server for the whole session, on a free port, with the real engine; and a platform without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_gitops.server import start
from tests.server.api import Api, documents
from tests.server.site import cheap_hashes
from tests.server.workshop import Workshop, stocked_workshop
from tests.support.grounds import Ground, environment


@pytest.fixture(autouse=True)
def password_hasher() -> Iterator[None]:
    """For one test at a time, so that no site that lives longer lends its cheap hashes to the tests of passwords."""
    with cheap_hashes():
        yield


@pytest.fixture(scope="session")
def state_dir(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Path:
    return tmp_path_factory.mktemp("platform") / "state"


@pytest.fixture(scope="session")
def admin(state_dir: Path, ground: Ground) -> Iterator[Api]:
    """The administrator of a running server."""
    with ground.new() as variables:
        with environment(variables):
            server = start(state_dir)
        with server, Api(server.base_url, server.api_key) as api:
            yield api


@pytest.fixture(scope="session")
def other(admin: Api) -> Iterator[Api]:
    """Another user of the same server."""
    created = admin.http.post("/users", json={"email": "other@example.org", "role": "user"}).json()
    body = {"name": "tests", "expiration_days": 30}
    key = admin.http.post("/api-keys", json=body, params={"user_id": created["id"]}).json()
    with Api(admin.base_url, key["api_key"]["plaintext"]) as api:
        yield api


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory, ground: Ground) -> Iterator[Workshop]:
    """A platform whose jobs are worked in this process, with the table of the default run."""
    with stocked_workshop(tmp_path_factory.mktemp("workshop") / "state", ground) as made:
        yield made


@pytest.fixture(scope="session")
def default_run(workshop: Workshop) -> dict[str, str]:
    """The five finished jobs of a default run, by parameters name."""
    return workshop.run_all(documents(), "default-run")
