"""An apply that is killed at any moment, then run again, ends as if it had never been killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.support.flow import FIVE, Cli, Platform, journal_lines

LONGEST = 60.0


def kill_after(cli: Cli, lines: int) -> bool:
    """Start an apply, kill it without warning when its journal has so many lines; False if it ended before that."""
    process = subprocess.Popen(
        cli.command("apply", "--yes"),
        cwd=cli.root,
        env=cli.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + LONGEST
    while process.poll() is None and time.monotonic() < deadline:
        if journal_lines(cli) >= lines:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


MOMENTS = [5, 18]
MORE_MOMENTS = [pytest.param(moment, marks=pytest.mark.slow) for moment in (1, 2, 4, 7, 9, 11, 14, 22)]


@pytest.mark.parametrize("moment", [*MOMENTS, *MORE_MOMENTS])
def test_a_killed_apply_converges(moment: int, cli: Cli, platform: Platform, unique: Callable[[str], str]) -> None:
    names = [unique("one"), unique("two")]
    for name in names:
        cli.spec(name)
    assert kill_after(cli, moment), "the apply ended before the moment of the kill"

    again = cli("apply", "--yes")
    assert again.code == 0, again.text
    for name in names:
        jobs = platform.jobs(name)
        assert sorted(job["parameters_name"] for job in jobs) == FIVE, "each job exactly once"
        assert len({job["set_name"] for job in jobs}) == 1, "each set exactly once"
        assert {job["status"] for job in jobs} == {"finished"}
        assert (cli.root / "out" / name / "summary.md").is_file()
    assert [path.name for path in (cli.root / "out").iterdir() if path.name.startswith(".")] == []
    assert cli("plan", "--detailed-exitcode").code == 0


def test_a_killed_relaunch_keeps_something_published(
    cli: Cli, platform: Platform, unique: Callable[[str], str]
) -> None:
    name = unique("again")
    cli.spec(name, k=12)
    assert cli("apply", "--yes").code == 0
    before = journal_lines(cli)
    cli.spec(name, k=8)
    assert kill_after(cli, before + 6)
    assert (cli.root / "out" / name / "summary.md").is_file()

    assert cli("apply", "--yes").code == 0
    jobs = platform.jobs(name)
    assert sorted(job["parameters_name"] for job in jobs) == FIVE
    assert cli("plan", "--detailed-exitcode").code == 0
