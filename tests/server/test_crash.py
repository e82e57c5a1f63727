"""Sudden and orderly ends: no accepted job is lost or done twice, nothing is half written, nobody stays behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from avatar_gitops.app.account import disable
from avatar_gitops.errors import Locked
from avatar_gitops.server import ServeOptions, serve, start
from avatar_gitops.server.accounts.users import ADMINISTRATOR
from avatar_gitops.server.queue import MAXIMUM_ATTEMPTS
from avatar_gitops.server.state import read_address, read_client_env
from tests.server.api import Api, documents, people
from tests.support.processes import children

LONG = 40_000  # rows that keep a worker busy long enough to be caught at it


@contextmanager
def served(state_dir: Path, *options: str, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """A server process of its own."""
    command = [sys.executable, "-m", "avatar_gitops.server", "--state-dir", str(state_dir), "--port", str(port)]
    process = subprocess.Popen([*command, *options])
    try:
        until(lambda: (address := read_address(state_dir / "server.json")) is not None and address.pid == process.pid)
        yield process
    finally:
        process.kill()
        process.wait()


def until(condition: Callable[[], object], seconds: float = 30, pause: float = 0.03) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)


def sign_in(state_dir: Path) -> Api:
    env = read_client_env(state_dir / "client.env")
    return Api(env["AVATAR_BASE_URL"], env["AVATAR_API_KEY"])


def status(api: Api, name: str) -> str:
    """The status without waiting for the end."""
    return str(api.get("/jobs", names=name)["jobs"][0]["status"])


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def job_row(state_dir: Path, name: str) -> tuple[str, int]:
    """Status of a job and how often it was started."""
    connection = sqlite3.connect(state_dir / "platform.sqlite3")
    try:
        found = connection.execute("SELECT status, attempts FROM jobs WHERE name = ?", (name,)).fetchone()
    finally:
        connection.close()
    return str(found[0]), int(found[1])


def attempts(state_dir: Path, name: str) -> int:
    return job_row(state_dir, name)[1]


def blobs(state_dir: Path) -> set[str]:
    return {path.name for path in (state_dir / "blobs").glob("*/*")}


def known_blobs(state_dir: Path) -> set[str]:
    connection = sqlite3.connect(state_dir / "platform.sqlite3")
    try:
        query = "SELECT blob FROM objects UNION SELECT blob FROM inputs UNION SELECT blob FROM upload_parts"
        return {row[0] for row in connection.execute(query)}
    finally:
        connection.close()


def test_a_killed_server_finishes_the_job_once_after_its_restart(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1") as server, sign_in(tmp_path) as api:
        port = int(api.base_url.rpartition(":")[2])
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        workers = children(server.pid)
        server.kill()
        server.wait()
        until(lambda: not any(map(alive, workers)), 5)
        with served(tmp_path, "--workers", "1", port=port):
            job = api.wait(name)  # the client of before sees connection errors only, and its key still works
            assert (job["status"], job["exception"]) == ("finished", "")
            assert attempts(tmp_path, name) == 1, "the death of the server is not held against the job"
            assert {url.rpartition("/")[2] for urls in api.get(f"/results/{name}").values() for url in urls} == set(
                api.files(name)
            )
            assert blobs(tmp_path) == known_blobs(tmp_path)
            assert list((tmp_path / "incoming").iterdir()) == []


def test_a_killed_worker_is_replaced_and_its_job_is_done_once(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        [worker] = children(server.pid)
        os.kill(worker, signal.SIGKILL)
        assert api.wait(name)["status"] == "finished"
        assert attempts(tmp_path, name) == 2
        assert children(server.pid) != [worker]


@pytest.mark.slow
def test_a_job_that_kills_its_worker_every_time_ends_with_an_error(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")

        def caught(attempt: int) -> bool:
            return attempts(tmp_path, name) == attempt and status(api, name) == "pending"

        for attempt in range(1, MAXIMUM_ATTEMPTS + 1):
            until(partial(caught, attempt))
            for worker in children(server.pid):
                os.kill(worker, signal.SIGKILL)
        job = api.wait(name)
        assert job["status"] == "error"
        assert f"started {MAXIMUM_ATTEMPTS} times" in job["exception"]
        assert "The last time the system killed it" in job["exception"]


def test_an_orderly_stop_is_quick_and_costs_no_attempt(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1", "--patience", "0") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        workers = children(server.pid)
        began = time.monotonic()
        server.terminate()
        assert server.wait(10) == 0
        assert time.monotonic() - began < 5
        assert not any(map(alive, workers))
        assert attempts(tmp_path, name) == 0
        assert read_address(tmp_path / "server.json") is None


@pytest.mark.slow
def test_an_orderly_stop_lets_a_job_end_and_begins_no_other(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1", "--patience", "60") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        running, waiting = (api.launch(api.put_set(documents()), "standard") for _ in range(2))
        until(lambda: status(api, running) == "pending")
        server.terminate()
        assert server.wait(60) == 0
        assert [job_row(tmp_path, name) for name in (running, waiting)] == [("finished", 1), ("created", 0)]
        assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.slow
def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1", "--patience", "600") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        workers = children(server.pid)
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)  # it would never end by itself
        server.terminate()
        time.sleep(0.5)
        assert server.poll() is None, "it waits for its worker"
        server.terminate()
        assert server.wait(5) == 130
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
        until(lambda: not any(map(alive, workers)), 5)
    with served(tmp_path, "--workers", "1"), sign_in(tmp_path) as api:
        assert api.wait(name)["status"] == "finished"


@pytest.mark.slow
def test_the_key_of_the_first_start_stays_valid(tmp_path: Path) -> None:
    with start(tmp_path, workers=1) as first:
        key = first.api_key
    with start(tmp_path, workers=1) as second, Api(second.base_url, key) as api:
        assert second.api_key == key
        assert read_client_env(tmp_path / "client.env")["AVATAR_BASE_URL"] == second.base_url
        user = api.get("/users/me")["id"]
    (tmp_path / "client.env").unlink()
    with start(tmp_path, workers=1) as third, Api(third.base_url, third.api_key) as api:
        assert third.api_key != key
        assert api.get("/users/me")["id"] == user


@pytest.mark.slow
def test_a_server_starts_when_its_administrator_was_disabled(tmp_path: Path) -> None:
    with start(tmp_path, workers=1) as first:
        key = first.api_key
    disable(tmp_path, ADMINISTRATOR)
    with start(tmp_path, workers=1) as second, Api(second.base_url, key) as api:
        assert second.api_key == key, "nobody gets a key in the name of somebody who may not sign in"
        assert api.http.get("/users/me").status_code == 401
        assert api.http.get("/health").status_code == 200


def test_a_folder_is_served_once_and_a_second_command_shares_the_server(tmp_path: Path) -> None:
    with start(tmp_path, workers=1) as first:
        with pytest.raises(Locked, match=first.base_url):
            serve(ServeOptions(tmp_path))
        second = start(tmp_path)
        assert second.base_url == first.base_url
        first.close()  # the server stays as long as somebody uses it
        time.sleep(1)
        with Api(second.base_url, second.api_key) as api:
            assert api.get("/health") == {"message": "ok"}
        address = read_address(tmp_path / "server.json")
        assert address is not None
        second.close()
        until(lambda: not alive(address.pid), 10)


def test_a_server_ends_soon_after_the_command_that_started_it_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from avatar_gitops.server import start;"
        "start(Path(sys.argv[1]), workers=1); print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
        address = read_address(tmp_path / "server.json")
        assert address is not None
        workers = children(address.pid)
        command.kill()
    until(lambda: not alive(address.pid), 8)
    until(lambda: not any(map(alive, workers)), 5)


def measured(api: Api) -> dict[str, bytes]:
    """Every file of a run of the first three jobs, but for the times it took."""
    api.upload("same.csv", people(200))
    set_id = api.put_set(documents(file="same.csv"))
    standard = api.launch(set_id, "standard")
    names = [standard, *(api.launch(set_id, f"{kind}_metrics", [standard]) for kind in ("privacy", "signal"))]
    assert [api.wait(name)["status"] for name in names] == ["finished"] * 3
    files = {file: content for name in names for file, content in api.files(name).items()}
    return {file: content for file, content in files.items() if not file.startswith("run_metadata")}


@pytest.mark.slow
def test_one_worker_and_two_give_the_same_bytes(admin: Api, tmp_path: Path) -> None:
    two = measured(admin)
    with start(tmp_path, workers=1) as server, Api(server.base_url, server.api_key) as api:
        assert measured(api) == two
    assert {name.rpartition(".")[2] for name in two} == {"csv", "html", "json"}
