"""A real embedded platform for the flow tests, and a project that talks to it through the command line."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.flow import Cli, Platform, people


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    from avatar_gitops.server.local import start

    state = tmp_path_factory.mktemp("platform") / "state"
    with start(state) as local:
        yield Platform(local.base_url, local.api_key, state)


def mark(request: pytest.FixtureRequest) -> str:
    """A short mark of one test: all flow tests share one platform."""
    return f"{zlib.crc32(request.node.nodeid.encode()):08x}"


@pytest.fixture
def cli(tmp_path: Path, platform: Platform, request: pytest.FixtureRequest) -> Cli:
    environment = {
        **os.environ,
        "AVATAR_BASE_URL": platform.base_url,
        "AVATAR_API_KEY": platform.api_key,
        "NO_COLOR": "1",
    }
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "people.csv").write_text(people(), encoding="utf-8")
    made = Cli(tmp_path, environment)
    made.project(f"p-{mark(request)}")
    return made


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Set names that no other test uses."""
    return lambda name: f"{name}-{mark(request)}"
