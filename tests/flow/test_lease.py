"""Two machines that apply one project at the same moment: no job runs twice, whoever dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.leasing import Wanted, holder_of, holding
from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.events import DiagnosticFound, Event, Stream
from avatar_gitops.reconcile.lease import Holder, Terms, leased
from tests.support.boards import MemoryBoard
from tests.support.flow import FIVE, Cli, Platform, journal_lines
from tests.support.processes import workers_held

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
LONGEST = 60.0


def clone(cli: Cli, folder: Path) -> Cli:
    """The same repository on another machine."""
    shutil.copytree(cli.root, folder, ignore=shutil.ignore_patterns(".avatar", "another"))
    return Cli(folder, cli.environment)


def start(cli: Cli, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        cli.command("apply", "--yes", *args),
        cwd=cli.root,
        env=cli.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def killed(cli: Cli, platform: Platform, *args: str) -> None:
    """An apply that dies without a word when it has launched something, and nothing has ended yet."""
    assert platform.state is not None
    with workers_held(platform.state):
        process = start(cli, *args)
        deadline = time.monotonic() + LONGEST
        while journal_lines(cli) < 6:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def lease_id(text: str) -> str:
    """The id that a refusal tells to unlock."""
    return text.partition("unlock --id ")[2].split()[0]


def test_of_two_machines_that_apply_at_once_one_waits(
    cli: Cli, platform: Platform, unique: Unique, tmp_path: Path
) -> None:
    names = [unique("one"), unique("two")]
    for name in names:
        cli.spec(name)
    other = clone(cli, tmp_path / "another")
    processes = [start(cli, "--lock-timeout", "60s"), start(other, "--lock-timeout", "1m")]
    said = [process.communicate(timeout=2 * LONGEST)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert sum("waits for the lease of" in text for text in said) == 1, said
    for name in names:
        assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE, "each job exactly once"
    assert cli("status").code == other("status").code == 0


def test_a_killed_apply_locks_other_machines_out_until_its_lease_expires(
    cli: Cli, platform: Platform, unique: Unique, tmp_path: Path
) -> None:
    name = unique("expires")
    cli.spec(name)
    other = clone(cli, tmp_path / "another")
    killed(cli, platform, "--lease-seconds", "5")
    refused = other("apply", "--yes")
    assert refused.code == 8, refused.text
    assert "error[R008]: another apply holds the lease of project" in refused.err
    assert "--lock-timeout 30m" in refused.err
    waited = other("apply", "--yes", "--lock-timeout", "30s")
    assert waited.code == 0, waited.text
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE, "each job exactly once"


def test_the_lease_of_a_killed_apply_can_be_unlocked_and_is_on_record(
    cli: Cli, platform: Platform, unique: Unique, tmp_path: Path
) -> None:
    name = unique("unlocked")
    cli.spec(name)
    other = clone(cli, tmp_path / "another")
    killed(cli, platform)
    refused = other("apply", "--yes")
    assert refused.code == 8
    wanted = lease_id(refused.err)
    status = other("status")
    assert f"avatar-gitops unlock --id {wanted}" in status.out
    assert "Locked" in status.out

    assert other("unlock", "--id", "wrong").code == 8
    nobody = other("unlock", "--id", wanted)
    assert (nobody.code, "nobody can answer here" in nobody.err) == (64, True)
    assert other("apply", "--yes").code == 8
    done = other("unlock", "--id", wanted, "--yes", "--reason", "the runner was shut down")
    assert done.code == 0, done.text
    assert "is ended" in done.out
    assert "Nobody holds the lease" in other("unlock", "--id", wanted, "--yes").out
    recorded = other("audit", "log").out
    assert "unlock" in recorded
    assert "the runner was shut down" in recorded

    assert other("apply", "--yes").code == 0
    assert "Locked" not in other("status").out
    assert sorted(job["parameters_name"] for job in platform.jobs(name)) == FIVE, "each job exactly once"


def test_nothing_is_started_after_the_lease_was_taken_away(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("robbed")
    cli.spec(name)
    clock = SystemClock()
    gateway = connect(platform.base_url, platform.api_key, root=cli.root, clock=clock)
    with closing(gateway):
        board, project = gateway.board("robbed"), "robbed"
        with leased(board, Holder("host, process 1", "1"), Terms(project, cli.root / "a"), clock) as held:
            gateway.only_while(held.check)
            gateway.delete([])
            found = board.read()
            assert found is not None
            assert board.write(b"{}", found[1]) is not None
            held._renewed = held._renewed.replace(year=2000)
            with pytest.raises(Exception, match="no longer holds the lease"):
                gateway.delete([])


@pytest.mark.parametrize("exact", [True, False])
def test_a_storage_without_conditional_writes_is_told_of(exact: bool, tmp_path: Path) -> None:
    class Remote:
        def board(self, project: str) -> MemoryBoard:
            return MemoryBoard(exact=exact)

        def only_while(self, allowed: Callable[[], None]) -> None:
            allowed()

    told: list[Event] = []
    wanted = Wanted(tmp_path, "hospital", SystemClock().now())
    with holding(cast("Gateway", Remote()), wanted, Stream.of(told.append)):
        pass
    assert [event.severity for event in told if isinstance(event, DiagnosticFound)] == ["note"] * (not exact)


def test_the_holder_is_the_run_of_the_pipeline_where_there_is_one() -> None:
    run = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "118",
        "GITHUB_REPOSITORY": "example/data",
        "GITHUB_SERVER_URL": "https://github.com",
    }
    page = "https://github.com/example/data/actions/runs/118"
    assert holder_of(run) == Holder("github-actions, run 118", "118", page)
    job = {"GITLAB_CI": "true", "CI_JOB_ID": "7", "CI_JOB_URL": "https://gitlab.example.org/g/p/-/jobs/7"}
    assert holder_of(job) == Holder("gitlab-ci, job 7", "7", "https://gitlab.example.org/g/p/-/jobs/7")
    here = holder_of({})
    assert f"process {os.getpid()}" in here.by
    assert here.id != holder_of({}).id
    assert holder_of({**run, "GITHUB_SERVER_URL": "javascript:x"}).url == ""
