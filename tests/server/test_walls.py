"""The walls around one job: what takes too much memory or time fails alone, and says what to change."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pyarrow as pa
import pytest

from avatar_gitops.errors import UsageError
from avatar_gitops.server import work_avatars
from avatar_gitops.server.job_limits import DEFAULT_SECONDS, MEMORY, SECONDS, job_limits, machine_memory
from tests.server.api import documents, people
from tests.server.test_crash import LONG, attempts, served, sign_in, status, until
from tests.server.workshop import open_workshop
from tests.support.processes import children

HUGE = 800_000  # rows whose avatars need more than 512 MiB


@pytest.mark.slow
def test_a_job_that_needs_too_much_memory_fails_alone_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVATAR_MEMORY_MIB", "8192")  # planned above the wall, or the table would go in batches
    with served(tmp_path, "--workers", "1", "--job-memory", "512") as server, sign_in(tmp_path) as api:
        api.upload("huge.csv", people(HUGE))
        api.upload("people.csv", people(100))
        huge = api.launch(api.put_set(documents(file="huge.csv")), "standard")
        waiting = api.launch(api.put_set(documents(file="huge.csv")), "signal_metrics", [huge])
        small = api.launch(api.put_set(documents()), "standard")
        job = api.wait(huge)
        assert (job["status"], attempts(tmp_path, huge)) == ("error", 1), "trying again would end the same"
        assert "more memory than one job may use on this platform (512 MiB)" in job["exception"]
        for remedy in ("fewer rows or columns", "AVATAR_MEMORY_MIB", MEMORY):
            assert remedy in job["exception"]
        assert api.wait(waiting)["status"] == "parent_error"
        assert api.wait(small)["status"] == "finished"
        until(lambda: not any((tmp_path / "incoming").iterdir()))  # a job has ended before its folder is gone
        assert len(children(server.pid)) == 1


@pytest.mark.slow
def test_a_job_that_takes_too_long_ends_with_its_reason(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1", "--job-seconds", "1") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        for worker in children(server.pid):
            os.kill(worker, signal.SIGSTOP)  # the slowest job there is
        job = api.wait(name)
        assert job["status"] == "error"
        assert "longer than one job may on this platform (1 seconds)" in job["exception"]
        assert SECONDS in job["exception"]


@pytest.mark.slow
def test_a_cancelled_job_whose_worker_does_not_listen_is_ended_from_outside(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1") as server, sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: status(api, name) == "pending")
        [worker] = children(server.pid)
        os.kill(worker, signal.SIGSTOP)
        assert api.http.post(f"/jobs/{name}/cancel").json()["phase"] == "cancelling"
        assert api.wait(name)["status"] == "cancelled"
        assert children(server.pid) != [worker]


@pytest.mark.parametrize("error", [MemoryError, pa.ArrowMemoryError])
def test_memory_that_is_refused_is_an_error_of_the_job(
    error: type[MemoryError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_args: object) -> None:
        raise error

    monkeypatch.setattr(work_avatars, "avatarize", refused)
    with open_workshop(tmp_path) as workshop:
        workshop.upload("people.csv", people(50))
        assert "more memory than this machine has" in workshop.error(documents())


def test_walls_come_from_options_then_from_the_environment_then_from_the_machine() -> None:
    said = {MEMORY: "1024", SECONDS: "60"}
    assert job_limits(2, 700, 5, said).environment == {MEMORY: "700", SECONDS: "5"}
    assert job_limits(2, environment=said).environment == said
    default = job_limits(2, environment={})
    assert default.seconds == DEFAULT_SECONDS
    assert default.memory <= max(512 << 20, machine_memory() * 9 // 20)


@pytest.mark.parametrize("said", [{MEMORY: "much"}, {MEMORY: "511"}, {SECONDS: "0"}, {SECONDS: "-1"}])
def test_a_wall_that_cannot_be_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(said))):
        job_limits(1, environment=said)


def test_memory_that_no_job_could_live_in_is_refused() -> None:
    with pytest.raises(UsageError, match="less than 512 MiB"):
        job_limits(1, 100)


@pytest.mark.slow
def test_progress_never_falls_and_names_what_the_job_is_at(tmp_path: Path) -> None:
    with served(tmp_path, "--workers", "1") as _, sign_in(tmp_path) as api:
        api.upload("people.csv", people(2 * LONG))
        name = api.launch(api.put_set(documents()), "standard")
        seen = []
        while True:
            job = api.get("/jobs", names=name)["jobs"][0]
            seen.append((job["progress"], job["phase"], job["phase_done"], job["phase_total"]))
            if job["done"]:
                break
            time.sleep(0.05)
    shares = [share for share, *_ in seen if share is not None]
    assert shares == sorted(shares)
    assert seen[-1] == (1.0, "", 0, 0)
    assert any(phase and done <= total for _, phase, done, total in seen[:-1])
