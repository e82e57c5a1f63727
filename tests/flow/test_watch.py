"""`watch` on a real server: what is said, what is applied, what is held back, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.flow import FIVE, Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
LONGEST = 60.0


def test_one_round_says_what_waits_and_applies_only_when_told_to(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("looked-at")
    cli.spec(name)
    looked = cli("watch", "--once")
    assert looked.code == 2, looked.text
    assert f"env: 1 change to apply\n    launch {name}: new" in looked.out
    assert platform.jobs(name) == []
    done = cli("watch", "--once", "--apply")
    assert done.code == 0, done.text
    assert f"applied: 1 published\n    published {name}" in done.out
    calm = cli("watch", "--once", "--apply", "--select", name)
    assert (calm.code, calm.out.rstrip().endswith("env: in sync, 1 set")) == (0, True), calm.text
    assert name in cli("status", "--wide", "--since", "1h").out
    assert cli("status", "--since", "2999-01-01").out.startswith("No set was published since 2999-01-01 00:00 UTC")
    assert cli("status", "--since", "yesterday").code == 64
    platform.delete(name)
    assert f"drift {name}: missing" in cli("watch", "--once").out

    cli.spec("broken-spec", k=0)
    broken = cli("watch", "--once")
    assert broken.code == 3, broken.text


@contextmanager
def watching(cli: Cli, log: Path, *args: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        command = cli.command("watch", "--interval", "1", "--jitter", "0", *args)
        process = subprocess.Popen(
            command, cwd=cli.root, env=cli.environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(log: Path, text: str) -> None:
    deadline = time.monotonic() + LONGEST
    while text not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def test_a_loop_applies_what_changes_holds_back_what_failed_and_stops_when_asked(
    cli: Cli, platform: Platform, unique: Unique, tmp_path: Path
) -> None:
    good, bad, log = unique("good"), unique("bad"), tmp_path / "watch.log"
    cli.spec(good)
    with watching(cli, log, "--apply") as process:
        until(log, f"published {good}")
        until(log, "in sync, 1 set")
        cli.spec(bad, more="  gates: {hidden_rate: '>= 100'}\n")
        until(log, f"gate failed {bad}")
        until(log, "1 held back after a bad end")
        time.sleep(2.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST) == 0, log.read_text()
    said = log.read_text()
    assert said.count("in sync, 1 set") == 1, "nothing is said again while nothing changes"
    assert said.count("applied:") == 2, "what ended badly is not run again"
    assert said.count("held back") == 1
    assert said.rstrip().endswith("Stopped.")
    assert sorted(job["parameters_name"] for job in platform.jobs(bad)) == FIVE
    assert cli("unlock", "--id", "x").out.startswith("Nobody holds the lease")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_an_idle_loop_stops_at_once(number: signal.Signals, code: int, cli: Cli, tmp_path: Path) -> None:
    log = tmp_path / "watch.log"
    with watching(cli, log, "--interval", "300") as process:
        until(log, "in sync, 0 sets")
        process.send_signal(number)
        assert process.wait(30) == code
