"""Twenty runs under twenty random kills of workers and server: all complete, each once, as if nothing had happened."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from tests.server.api import Api, documents, people
from tests.server.test_crash import blobs, known_blobs, served, sign_in, until
from tests.support.processes import children

RUNS = KILLS = 20
SEED = 20261128
KINDS = 4  # runs that differ, by their seed; each kind is compared with an undisturbed run
ROWS = 1_000
LONGEST = 900.0
PAUSE = 0.2  # between two looks, which must not keep a core busy
STAMPS = ("created_at", "finished_at")
FIVE = {"standard", "signal_metrics", "privacy_metrics", "report", "report_pia"}

pytestmark = [pytest.mark.load, pytest.mark.timeout(1200)]


class Cruel:
    """A server on a fixed port, and what kills it and its workers."""

    def __init__(self, state_dir: Path, stack: ExitStack) -> None:
        self._state_dir, self._stack = state_dir, stack
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._server: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        """A new process over the same folder, at the same address."""
        self._server = self._stack.enter_context(served(self._state_dir, "--workers", "2", port=self._port))

    def kill_server(self) -> None:
        """The server dies, and is started again as an init system would."""
        self._server.kill()
        self._server.wait()
        self.start()

    def kill_worker(self, chance: random.Random) -> None:
        """One worker dies, whatever it does just then."""
        until(lambda: children(self._server.pid))
        os.kill(chance.choice(children(self._server.pid)), signal.SIGKILL)


def launch(api: Api, seed: int) -> dict[str, str]:
    """A run of five jobs."""
    return api.launch_all(api.put_set(documents(seed=seed), "same"))


def launch_all(api: Api, state_dir: Path, number: int) -> list[dict[str, str]]:
    """So many runs, as if launched at the same moment, which reports tell."""
    runs = [launch(api, index % KINDS) for index in range(number)]
    with closing(sqlite3.connect(state_dir / "platform.sqlite3", timeout=20)) as connection, connection:
        connection.execute("UPDATE jobs SET created_at = '2026-11-28T12:00:00.000000+00:00'")
    return runs


def finished(api: Api, names: list[str]) -> int:
    """How many of the jobs have finished; none may have ended in another way."""
    found: dict[str, Any] = {}
    for part in parts(names):
        found |= {job["name"]: job for job in answered(partial(api.get, "/jobs", names=part))["jobs"]}
    assert set(found) == set(names), "no accepted job is lost"
    bad = [(job["parameters_name"], job["status"], job["exception"]) for job in found.values() if job["done"]]
    assert all(status == "finished" for _, status, _ in bad), bad
    return sum(job["done"] for job in found.values())


def parts(names: list[str]) -> list[list[str]]:
    """As many names as one call may ask for."""
    return [names[start : start + 100] for start in range(0, len(names), 100)]


def answered(call: Callable[[], Any]) -> Any:
    """The answer, asked for again while nobody listens."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return call()
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.05)


def told_by(file: str, content: bytes) -> str:
    """What a report says; it names its job, which no two runs share."""
    if file.endswith(".pdf"):
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    with zipfile.ZipFile(io.BytesIO(content)) as document:
        return document.read("word/document.xml").decode()


def results(api: Api, run: dict[str, str]) -> dict[str, bytes]:
    """Every file of a run; of the metadata all but the times, of reports all but the name of the job."""
    found = {}
    for parameters, name in run.items():
        for file, content in api.files(name).items():
            kept = content
            if file.startswith("run_metadata"):
                told = {key: value for key, value in json.loads(content).items() if key not in STAMPS}
                kept = json.dumps(told, sort_keys=True).encode()
            elif file.endswith((".pdf", ".docx")):
                kept = told_by(file, content).replace(name, "the job").encode()
            found[f"{parameters}/{file}"] = kept
    return found


def test_twenty_runs_survive_twenty_kills(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    with served(tmp_path / "calm", "--workers", "2"), sign_in(tmp_path / "calm") as api:
        api.upload("people.csv", people(ROWS))
        calm = launch_all(api, tmp_path / "calm", KINDS)
        every = [name for run in calm for name in run.values()]
        until(lambda: finished(api, every) == len(every), LONGEST, PAUSE)
        expected = [results(api, run) for run in calm]

    state_dir = tmp_path / "cruel"
    with ExitStack() as stack:
        cruel = Cruel(state_dir, stack)
        api = stack.enter_context(sign_in(state_dir))
        api.upload("people.csv", people(ROWS))
        runs = launch_all(api, state_dir, RUNS)
        names = [name for run in runs for name in run.values()]
        kills = {"server": 0, "worker": 0}
        for moment in sorted(chance.sample(range(len(names) - 5), KILLS)):
            until(lambda moment=moment: finished(api, names) >= moment, LONGEST, PAUSE)  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.4))
            victim = chance.choice(list(kills))
            kills[victim] += 1
            cruel.kill_server() if victim == "server" else cruel.kill_worker(chance)
        until(lambda: finished(api, names) == len(names), LONGEST, PAUSE)

        assert sum(kills.values()) == KILLS
        assert min(kills.values()) >= KILLS // 4, "both are killed often"
        listed = api.get("/jobs")["jobs"]
        assert sorted(job["name"] for job in listed) == sorted(names), "each job once"
        for number, run in enumerate(runs):
            assert set(run) == FIVE
            made = results(api, run)
            undisturbed = expected[number % KINDS]
            assert sorted(made) == sorted(undisturbed)
            assert [file for file in made if made[file] != undisturbed[file]] == []
        cruel.kill_server()  # its start removes what the killed left half-way
        assert blobs(state_dir) == known_blobs(state_dir)
        assert list((state_dir / "incoming").iterdir()) == []
