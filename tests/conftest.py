"""Fixtures shared by all tests."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import laws
from tests.support.grounds import Ground

if TYPE_CHECKING:
    from tests.support.buckets import Buckets
    from tests.support.postgres import Cluster

GOLDEN = Path(__file__).parent / "golden"

laws.register()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


def pytest_configure() -> None:
    """Hear Ctrl-C, and let programs under test hear it, though a shell ignores it for what it starts behind itself."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a user-visible text with `tests/golden/<name>`, or write it with `--update-golden`."""
    update = bool(request.config.getoption("--update-golden"))

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.is_file(), f"golden file {name} is missing; run `make golden` and read what it writes"
        assert text == path.read_text(encoding="utf-8")

    return check


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL server (marker `services`)."""
    from tests.support.postgres import cluster

    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """A running S3 server that is not ours (marker `services`)."""
    from tests.support.buckets import s3_server

    with s3_server() as running:
        yield running


@pytest.fixture(scope="session", params=["folder", pytest.param("services", marks=pytest.mark.services)])
def ground(request: pytest.FixtureRequest) -> Ground:
    """What platforms stand on: their folder, and with the marker `services` also PostgreSQL and a bucket."""
    if request.param == "folder":
        return Ground()
    return Ground(request.getfixturevalue("postgres"), request.getfixturevalue("buckets"))
