"""Who owns a running job, when several servers share a database and when that database is gone for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from avatar_gitops.server import heart, queue
from avatar_gitops.server.endings import Endings
from avatar_gitops.server.heart import Heart
from avatar_gitops.server.queue import claim, end_job, new_owner, requeue_of_server, running
from avatar_gitops.wire.models import JobStatus
from tests.server.api import documents, people
from tests.server.workshop import Workshop, open_workshop


@pytest.fixture
def two_jobs(tmp_path: Path) -> Iterator[tuple[Workshop, list[str]]]:
    """A platform with two jobs that can start."""
    with open_workshop(tmp_path / "state") as workshop:
        workshop.upload("people.csv", people(50))
        yield workshop, [workshop.launch(workshop.put_set(documents()), "standard") for _ in range(2)]


def test_a_server_that_starts_again_takes_back_its_own_jobs_only(two_jobs: tuple[Workshop, list[str]]) -> None:
    workshop, (mine, theirs) = two_jobs
    engine = workshop.platform.engine
    owners = [new_owner("aa"), new_owner("aab")]
    assert [claim(engine, owner) is not None for owner in owners] == [True, True]
    assert requeue_of_server(engine, "aa") == 1
    assert [workshop.job(name)["status"] for name in (mine, theirs)] == ["created", "pending"]
    assert [job.owner for job in running(engine, owners)] == [owners[1]]


def test_a_heart_goes_on_beating_after_the_database_was_gone(
    two_jobs: tuple[Workshop, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop, (name, _) = two_jobs
    renewed, lost = queue.renew, Event()
    beats: list[str] = []

    def failing_first(*args: Any) -> JobStatus:
        beats.append("beat")
        if len(beats) == 1:
            raise sa.exc.OperationalError("UPDATE", {}, Exception("gone"))
        return renewed(*args)

    monkeypatch.setattr(heart, "renew", failing_first)
    monkeypatch.setattr(heart, "HEARTBEAT_SECONDS", 0.01)
    assert claim(workshop.platform.engine, "me") is not None
    beating = Heart(workshop.platform.engine, name, "me", lost.set)
    beating.report(0.5, "at it", 1, 2)
    beating.report(0.25, "at it", 2, 2)
    deadline = time.monotonic() + 20
    while (job := workshop.job(name))["phase_done"] != 2:
        assert time.monotonic() < deadline, job
        time.sleep(0.01)
    assert (job["progress"], job["phase"], job["phase_total"]) == (0.5, "at it", 2), "progress never falls"
    assert not lost.is_set()
    with workshop.platform.engine.connect().execution_options(avatar_write=True) as connection, connection.begin():
        end_job(connection, name, JobStatus.CANCELLED)
    assert lost.wait(20)
    beating.stop()


def test_all_who_wait_for_a_job_hear_of_its_end_and_nobody_waits_longer_than_asked(
    two_jobs: tuple[Workshop, list[str]],
) -> None:
    workshop, (ends, lasts) = two_jobs
    engine, stopping = workshop.platform.engine, Event()

    async def scene() -> tuple[float, float]:
        endings = Endings(engine, stopping)
        waiting = [asyncio.create_task(endings.wait(ends, 60)) for _ in range(50)]
        begun = time.monotonic()
        await endings.wait(lasts, 0.2)
        waited = time.monotonic() - begun
        assert not any(task.done() for task in waiting)
        with engine.connect().execution_options(avatar_write=True) as connection, connection.begin():
            end_job(connection, ends, JobStatus.FINISHED)
        await asyncio.gather(*waiting)
        last = asyncio.create_task(endings.wait(lasts, 60))
        stopping.set()
        await last
        return waited, time.monotonic() - begun

    waited, whole = asyncio.run(scene())
    assert waited >= 0.2
    assert whole < 60, "nobody waited for the end of the hold"
