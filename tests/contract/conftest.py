"""A real embedded platform, and a project with one generated table, for the contract tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.client.transport import Transport
from avatar_gitops.server.local import LocalServer, start
from tests.support.flow import people


class RealClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True)
class Site:
    """A running platform, a connected client, the folder of the project."""

    server: LocalServer
    gateway: Gateway
    root: Path
    clock: RealClock


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    root = tmp_path_factory.mktemp("project")
    (root / "data").mkdir()
    (root / "data" / "people.csv").write_text(people(80), encoding="utf-8")
    with start(tmp_path_factory.mktemp("platform") / "state") as server:
        clock = RealClock()
        gateway = connect(server.base_url, server.api_key, root=root, clock=clock)
        yield Site(server, gateway, root, clock)
        gateway.close()


@pytest.fixture
def http(site: Site) -> Iterator[Transport]:
    """A bare conversation with the platform."""
    made = Transport(site.server.base_url, site.server.api_key, clock=site.clock)
    yield made
    made.close()
