"""Every tutorial that the official client shipped, as it stands, from its first line to its last, against `serve`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from avatar_gitops.server.state import read_address, read_client_env
from tests.conformance.dropped_calls import CHANGES
from tests.support.official import Outcomes, clean_environment, environment, source

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

CLIENTS: Final = ("1.22.0", "1.24.0", "1.30.0")
SHIPPED: Final = ("1.22.0", "1.24.0")  # newer clients ship none
TUTORIALS: Final = ("Quickstart", *(f"Tutorial{number}" for number in range(1, 9)))
START_SECONDS: Final = 60


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of somebody who uses a fresh `avatar-gitops serve`: its address and key."""
    state = tmp_path_factory.mktemp("served")
    command = [sys.executable, "-m", "avatar_gitops", "serve", "--port", "0", "--state-dir", str(state)]
    with (state / "serve.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            while read_address(state / "server.json") is None and process.poll() is None:
                assert time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.05)
            yield {**clean_environment(), **read_client_env(state / "client.env"), "MPLBACKEND": "Agg"}
        finally:
            process.terminate()


def scripts(version: str) -> dict[str, Path]:
    """The tutorials of a source distribution by the first word of their names."""
    return {path.stem.partition("_")[0]: path for path in sorted(source(version).glob("notebooks/*.py"))}


def text_for(script: Path, client: str) -> str:
    """The script, with nothing changed but the calls that this client has dropped."""
    text = script.read_text(encoding="utf-8")
    for change in CHANGES:
        if change.client == client and script.name.startswith(change.tutorial):
            assert text.count(change.before) == change.times, f"{change} no longer applies"
            text = text.replace(change.before, change.after)
    return text


def test_no_tutorial_is_left_out() -> None:
    """Those that several distributions ship are the same, so that one run of each is enough."""
    older, newer = (scripts(version) for version in SHIPPED)
    assert tuple(newer) == TUTORIALS
    assert len(older) == 8
    assert {name: path.read_bytes() for name, path in older.items()} == {
        name: newer[name].read_bytes() for name in older
    }


@pytest.mark.parametrize("name", TUTORIALS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_tutorial_runs_to_its_end(
    name: str, client: str, served: dict[str, str], tmp_path: Path, outcomes: Outcomes
) -> None:
    sources = source(SHIPPED[-1])
    script = scripts(SHIPPED[-1])[name]
    (tmp_path / "fixtures").symlink_to(sources / "fixtures")
    folder = tmp_path / "notebooks"
    folder.mkdir()
    (folder / script.name).write_text(text_for(script, client), encoding="utf-8")
    python = environment(client)
    began = time.monotonic()
    done = subprocess.run(
        [str(python), script.name], cwd=folder, env=served, capture_output=True, text=True, check=False
    )
    outcomes[name, client] = (done.returncode == 0, time.monotonic() - began)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    for report in folder.glob("*.pdf"):
        assert report.read_bytes().startswith(b"%PDF-")
    for report in folder.glob("*.docx"):
        assert report.read_bytes().startswith(b"PK")
