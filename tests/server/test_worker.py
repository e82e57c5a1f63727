"""A worker in this process: what it does with a job that fails, is cancelled or is taken away, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from avatar_gitops.engine.run import avatarize
from avatar_gitops.server import heart, work_avatars, worker
from avatar_gitops.server import jobs as job_store
from avatar_gitops.server.database import jobs, objects, results, sets, writing
from avatar_gitops.server.queue import LEASE_SECONDS, MAXIMUM_ATTEMPTS, claim, requeue, requeue_expired
from avatar_gitops.server.supervisor import WHY
from tests.server.api import documents, people
from tests.server.workshop import OWNER, Workshop, open_workshop
from tests.support.grounds import Ground

CANARY = "a-value-of-the-data"


@pytest.fixture
def fresh(tmp_path: Path, ground: Ground) -> Iterator[Workshop]:
    """A platform with nothing but the input of the default run."""
    with open_workshop(tmp_path / "state", ground) as made:
        made.upload("people.csv", people(120))
        yield made


def blobs(workshop: Workshop) -> set[str]:
    return set(workshop.platform.storage.blobs.names())


def queue(workshop: Workshop) -> str:
    """A job that can start."""
    return workshop.launch(workshop.put_set(documents()), "standard")


def while_working(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen in the middle of the next job."""

    def interrupted(*args: Any) -> Any:
        made = avatarize(*args)
        monkeypatch.undo()
        happens()
        return made

    monkeypatch.setattr(work_avatars, "avatarize", interrupted)


def test_an_unexpected_error_keeps_its_text_to_itself(
    fresh: Workshop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object) -> None:
        raise ValueError(CANARY)

    monkeypatch.setattr(work_avatars, "avatarize", broken)
    before = blobs(fresh)
    assert fresh.error(documents()) == "internal error"
    assert blobs(fresh) == before
    (record,) = caplog.records
    assert "ValueError at test_worker.py:" in record.getMessage()
    assert CANARY not in caplog.text


def test_a_broken_installation_is_an_error_of_the_job(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "avatar_gitops.server.work_avatars", None)
    exception = fresh.error(documents())
    assert exception.startswith(
        "The platform is not installed completely: avatar_gitops.server.work_avatars is missing."
    )
    assert "avatar-gitops[local]" in exception


def test_a_parameters_document_that_vanished_is_named(fresh: Workshop) -> None:
    name = queue(fresh)
    kept = [part for part in documents().split("\n---\n") if '"AvatarParameters"' not in part]
    with writing(fresh.platform.engine) as connection:
        connection.execute(sets.update().values(documents="\n---\n".join(kept)))
    fresh.work()
    assert fresh.job(name)["exception"] == "The set has no parameters document called 'standard'."


def test_a_failed_job_fails_those_that_wait_for_it(fresh: Workshop) -> None:
    set_id = fresh.put_set(documents(avatarization={}))
    standard = fresh.launch(set_id, "standard")
    waiting = fresh.launch(set_id, "privacy_metrics", [standard])
    fresh.work()
    job = fresh.job(waiting)
    assert job["status"] == "parent_error"
    assert job["exception"].startswith("The job 'standard' that this one needs failed: No table has")


def test_results_appear_all_at_once_or_not_at_all(fresh: Workshop) -> None:
    """The last file of a job clashes with an object that is there already: none of the others may appear."""
    name = queue(fresh)
    prefix = f"{fresh.platform.retention_prefix}/results/{fresh.job(name)['set_name']}/{name}"
    fresh.upload(f"{prefix.partition('/')[2]}/run_metadata.avatarize.json", b"{}")
    before = blobs(fresh)
    fresh.work()
    job = fresh.job(name)
    assert (job["status"], job["exception"]) == ("error", "internal error")
    with fresh.platform.engine.connect() as connection:
        assert connection.execute(sa.select(results)).all() == []
        kept = connection.execute(sa.select(objects.c.key).where(objects.c.key.startswith(prefix))).scalars().all()
    assert kept == [f"{prefix}/run_metadata.avatarize.json"]
    assert blobs(fresh) == before


def test_nobody_sees_results_before_the_job_has_finished(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    name = queue(fresh)
    seen: list[tuple[str, dict[str, list[str]]]] = []
    while_working(monkeypatch, lambda: seen.append((fresh.job(name)["status"], fresh.listing(name))))
    fresh.work()
    assert seen == [("pending", {})]
    assert len(fresh.listing(name)) == 7


def test_a_job_cancelled_while_it_runs_publishes_nothing(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    name = queue(fresh)
    before = blobs(fresh)
    while_working(monkeypatch, lambda: job_store.cancel_job(fresh.platform, fresh.account, name))
    fresh.work()
    assert fresh.job(name)["status"] == "cancelled"
    assert (fresh.listing(name), blobs(fresh)) == ({}, before)


def test_a_job_cancelled_while_it_fails_is_cancelled(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    name = queue(fresh)

    def cancelled(*_args: object) -> None:
        job_store.cancel_job(fresh.platform, fresh.account, name)
        raise ValueError(CANARY)

    monkeypatch.setattr(work_avatars, "avatarize", cancelled)
    fresh.work()
    assert fresh.job(name)["status"] == "cancelled"


def test_a_worker_that_lost_its_job_publishes_nothing(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    name = queue(fresh)
    before = blobs(fresh)
    while_working(monkeypatch, lambda: requeue(fresh.platform.engine, owner=OWNER))
    next(fresh.rounds())
    assert fresh.job(name)["status"] == "created"
    assert blobs(fresh) == before
    next(fresh.rounds("another"))
    assert fresh.job(name)["status"] == "finished"
    assert "people.unshuffled-0.csv" in fresh.files(name)


def expire_leases(workshop: Workshop) -> None:
    with writing(workshop.platform.engine) as connection:
        connection.execute(jobs.update().values(lease_expires=time.time() - 1))


def test_a_job_whose_worker_fell_silent_is_done_by_the_next_one(fresh: Workshop) -> None:
    name = queue(fresh)
    assert claim(fresh.platform.engine, "silent") is not None
    next(fresh.rounds())
    assert fresh.job(name)["status"] == "pending", "the lease still runs"
    expire_leases(fresh)
    next(fresh.rounds())
    assert fresh.job(name)["status"] == "finished"


def test_a_job_that_ends_every_worker_is_given_up(fresh: Workshop) -> None:
    name = queue(fresh)
    for _ in range(MAXIMUM_ATTEMPTS):
        assert claim(fresh.platform.engine, "doomed") is not None
        expire_leases(fresh)
        requeue_expired(fresh.platform.engine)
    job = fresh.job(name)
    assert job["status"] == "error"
    assert "its worker process ended each time" in job["exception"]
    assert "memory" not in job["exception"], "nobody knows why they ended"


@pytest.mark.parametrize(("ended", "said"), [(signal.SIGABRT, "a library aborted it"), (signal.SIGKILL, "killed it")])
def test_a_job_that_is_given_up_says_how_its_last_worker_ended(fresh: Workshop, ended: int, said: str) -> None:
    name = queue(fresh)
    for _ in range(MAXIMUM_ATTEMPTS):
        assert claim(fresh.platform.engine, "doomed") is not None
        requeue(fresh.platform.engine, owner="doomed", why=WHY[-ended])
    assert said in fresh.job(name)["exception"]


def test_an_idle_worker_prepares_itself_then_waits_for_the_bell(fresh: Workshop) -> None:
    bell = Event()
    bell.set()
    steps = fresh.rounds(bell=bell)
    for _ in ("work_avatars", "work_metrics", "work_report"):
        next(steps)
        assert bell.is_set()
    next(steps)
    assert not bell.is_set()
    name = queue(fresh)
    next(steps)
    assert fresh.job(name)["status"] == "finished"


class Ended:
    """Stands in for the end of this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statuses: list[int] = []
        self.event = Event()
        monkeypatch.setattr(os, "_exit", self)

    def __call__(self, status: int) -> None:
        self.statuses.append(status)
        self.event.set()

    def wait(self) -> list[int]:
        assert self.event.wait(10)
        return self.statuses


def test_the_process_ends_soon_when_its_job_is_cancelled(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "HEARTBEAT_SECONDS", 0.01)
    name = queue(fresh)
    ended = Ended(monkeypatch)

    def never_ending(*_args: object) -> None:
        job_store.cancel_job(fresh.platform, fresh.account, name)
        ended.wait()
        raise ValueError

    monkeypatch.setattr(work_avatars, "avatarize", never_ending)
    fresh.work()
    assert set(ended.statuses) == {worker.STOPPED}
    assert fresh.job(name)["status"] == "cancelled"


def test_a_beating_heart_renews_the_lease_and_tells_progress(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heart, "HEARTBEAT_SECONDS", 0.01)
    name = queue(fresh)
    seen = []

    def slow(*args: Any) -> Any:
        expire_leases(fresh)
        deadline = time.monotonic() + 10
        query = sa.select(jobs.c.lease_expires).where(jobs.c.name == name)
        while time.monotonic() < deadline:
            with fresh.platform.engine.connect() as connection:
                expires = connection.execute(query).scalar_one()
            if expires > time.time() + LEASE_SECONDS / 2:
                seen.append(fresh.job(name)["progress"])
                break
        return avatarize(*args)

    monkeypatch.setattr(work_avatars, "avatarize", slow)
    fresh.work()
    assert seen == [0.0]
    assert fresh.job(name)["status"] == "finished"


def test_a_worker_wakes_and_ends_with_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    server, ours = os.pipe()[::-1]
    bell, ended = Event(), Ended(monkeypatch)
    os.write(server, b".")
    os.close(server)
    with os.fdopen(ours) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        worker._watch_server(bell, Event())
    assert bell.is_set()
    assert ended.statuses == [0]


def test_signals_for_the_server_do_not_stop_its_workers(fresh: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    server, ours = os.pipe()[::-1]
    ended = Ended(monkeypatch)
    told: list[Any] = []

    def two_rounds(*args: Any) -> Iterator[None]:
        told.extend(args)
        os.kill(os.getpid(), signal.SIGINT)
        yield
        os.kill(os.getpid(), signal.SIGTERM)
        yield

    monkeypatch.setattr(worker, "rounds", two_rounds)
    try:
        with os.fdopen(ours) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            worker.main(str(fresh.platform.state.root), OWNER, "3650d")
            os.close(server)
            ended.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    storage, owner, prefix, _bell, run = told
    storage.engine.dispose()
    assert (storage.state.root, owner, prefix, run) == (fresh.platform.state.root, OWNER, "3650d", None)
