"""Ctrl-C, a second apply at the same moment, a server that dies: nothing is lost, nothing runs twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.reconcile.exclusive import exclusive
from tests.support.flow import FIVE, Cli, Platform, journal_lines
from tests.support.processes import workers_held

Unique = Callable[[str], str]
LONGEST = 60.0


def start(cli: Cli, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        cli.command(*args),
        cwd=cli.root,
        env=cli.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def test_ctrl_c_stops_waiting_and_resume_goes_on(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("stopped")
    cli.spec(name)
    assert platform.state is not None
    with workers_held(platform.state):
        process = start(cli, "apply", "--yes")
        until(lambda: journal_lines(cli) >= 7)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, output
    assert "avatar-gitops resume" in output

    left = cli("resume", "--yes", "--exclude", name)
    assert (left.code, "published" in left.text) == (0, False), left.text
    resumed = cli("resume", "--yes")
    assert resumed.code == 0, resumed.text
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_second_apply_is_locked_out(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("twice")
    cli.spec(name)
    with exclusive(cli.root, SystemClock(), who="the first apply"):
        second = cli("apply", "--yes")
    assert second.code == 8, second.text
    assert "another apply works on this project: by the first apply" in second.err
    assert platform.jobs(name) == []

    assert cli("apply", "--yes").code == 0
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(state: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "avatar_gitops", "serve", "--port", str(port), "--state-dir", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)

    def answers() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/api/health").status_code == 200
        return False

    until(answers)
    return process


@pytest.mark.slow
def test_a_server_that_is_killed_in_a_job_costs_only_a_retry(cli: Cli, unique: Unique, tmp_path: Path) -> None:
    state, port = tmp_path / "state", free_port()
    server = serve(state, port)
    for line in (state / "client.env").read_text().splitlines():
        key, _, value = line.partition("=")
        cli.environment[key] = value
    name = unique("survives")
    cli.spec(name)
    try:
        with workers_held(state):
            process = start(cli, "apply", "--yes")
            until(lambda: journal_lines(cli) >= 7)
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        server = serve(state, port)
        output, _ = process.communicate(timeout=2 * LONGEST)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()
    assert process.returncode == 0, output
    assert "failed" not in output
    assert "no answer, try" in output
    assert "published" in output
