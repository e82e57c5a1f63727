"""The journal of an apply, whole and torn."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from avatar_gitops.events import JobLaunched, JobProgressed, Retrying, SetCreated, SetDone, StepStarted
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.reconcile.journal import (
    FileJournal,
    all_attempts,
    attempts,
    journal_path,
    latest_journal,
    read_journal,
)
from tests.support.http import StillClock
from tests.support.memory import Memory, MemoryServer
from tests.support.planning import PROJECT, wish


def a_plan(*names: str, digest: str = "sha256:" + "ab12cd34" * 8) -> Plan:
    wishes = [wish(name) for name in names]
    made = plan(wishes, MemoryServer(Memory()).observe(PROJECT), {}, Options(), PROJECT, "c0ffee")
    return replace(made, digest=digest)


def test_a_journal_says_what_is_left_to_do(tmp_path: Path) -> None:
    made = a_plan("a", "b", "c", "d")
    with FileJournal(tmp_path, made, StillClock()) as journal:
        journal(StepStarted("a", "Upload"))
        journal(SetCreated("a", "set-a"))
        journal(JobLaunched("a", "standard", "job-1"))
        journal(SetDone("b", "launch", "published"))
        journal(SetDone("c", "launch", "failed", "no"))
        journal(SetDone("d", "launch", "gate_failed", "no"))
    record = read_journal(journal.path)
    assert record is not None
    assert journal.path == tmp_path / ".avatar" / "journal" / "ab12cd34.jsonl"
    assert (record.plan, record.commit, record.server) == (made.digest, "c0ffee", "prod")
    assert record.unfinished == ("a", "c")
    assert record.failed == ("c", "d")
    assert record.versions == {"a": "set-a"}
    assert record.jobs == {"a": {"standard": "job-1"}}


def test_each_event_is_on_disk_before_the_next_step(tmp_path: Path) -> None:
    with FileJournal(tmp_path, a_plan("a"), StillClock()) as journal:
        journal(SetDone("a", "launch", "published"))
        lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["Begun", "SetDone"]
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600


def test_progress_and_pauses_are_not_worth_a_line(tmp_path: Path) -> None:
    with FileJournal(tmp_path, a_plan("a"), StillClock()) as journal:
        journal(JobProgressed("a", "standard", "pending", 0.5))
        journal(Retrying("GET /jobs", 1, 2.0))
    assert len(journal.path.read_text().splitlines()) == 1


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_last_line_is_no_trouble(tmp_path: Path, cut: int) -> None:
    with FileJournal(tmp_path, a_plan("a", "b"), StillClock()) as journal:
        journal(SetDone("a", "launch", "published"))
        journal(SetDone("b", "launch", "published"))
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-cut])
    record = read_journal(journal.path)
    assert record is not None
    assert "a" not in record.unfinished
    with FileJournal(tmp_path, a_plan("a", "b"), StillClock()) as again:
        again(SetDone("b", "launch", "published"))
    record = read_journal(again.path)
    assert record is not None
    assert record.unfinished == ("a",)


def test_a_file_without_an_attempt_is_no_record(tmp_path: Path) -> None:
    path = journal_path(tmp_path, "sha256:00")
    assert read_journal(path) is None
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\xff\xfe\n[]\n{"event": "SetDone", "set": "a", "state": "published"}\n{"event": "Beg')
    assert read_journal(path) is None
    assert latest_journal(tmp_path) is None


def test_the_latest_journal_is_the_one_that_began_last(tmp_path: Path) -> None:
    clock = StillClock()
    for digit in "312":
        clock.sleep(60)
        FileJournal(tmp_path, a_plan("a", digest="sha256:" + digit * 64), clock).close()
    found = latest_journal(tmp_path)
    assert found is not None
    assert found.path.name == "22222222.jsonl"


def test_every_attempt_is_remembered_newest_first_with_its_reason(tmp_path: Path) -> None:
    clock = StillClock()
    for names, force in ((("a",), ""), (("a", "b"), "OPS-88")):
        with FileJournal(tmp_path, a_plan(*names), clock, force) as journal:
            journal(SetDone("a", "launch", "published"))
        clock.sleep(1)
    newest, oldest = all_attempts(tmp_path)
    assert (tuple(newest.changes), newest.force) == (("a", "b"), "OPS-88")
    assert (tuple(oldest.changes), oldest.force) == (("a",), "")
    assert attempts(newest.path) == (oldest, newest)
    assert all_attempts(tmp_path / "elsewhere") == ()
