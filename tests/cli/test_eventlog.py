"""The file of `--events` and the log of a running apply: what is written where, and what happens when that breaks."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops.cli import eventlog
from avatar_gitops.cli.eventlog import telling
from avatar_gitops.cli.progress import Groups, Lines, progress_for
from avatar_gitops.errors import UnsafePlan, UsageError
from avatar_gitops.events import (
    DiagnosticFound,
    Event,
    GateChecked,
    JobDone,
    JobLaunched,
    JobProgressed,
    RequestDone,
    Retrying,
    SetDone,
)

Golden = Callable[[str, str], None]
DONE = SetDone("iris", "launch", "published")


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_event_is_on_disk_at_once_after_a_line_with_the_version(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("something old\n")
    with telling("apply", str(path)) as stream:
        stream(DONE)
        first, second = read(path)
    assert first["type"] == "version"
    assert first["ui"] == "1.0"
    assert (second["type"], second["set"]) == ("published", "iris")
    assert first["run"] == second["run"] == stream.run


def test_standard_error_takes_the_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    with telling("apply", "-") as stream:
        stream(DONE)
    captured = capsys.readouterr()
    assert [json.loads(line)["type"] for line in captured.err.splitlines()] == ["version", "published"]
    assert captured.out == ""


def test_an_error_that_ends_the_command_is_the_last_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with pytest.raises(UnsafePlan), telling("apply", str(path)):
        raise UnsafePlan("too much would be deleted", hint="say --force", code="R005")
    last = read(path)[-1]
    assert (last["type"], last["severity"], last["code"]) == ("diagnostic", "error", "R005")
    assert last["message"] == "too much would be deleted; say --force"


def test_a_file_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"), telling("apply", str(tmp_path / "none" / "events")):
        pass


def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []

    def one_line() -> None:
        with pipe.open("rb") as stream:
            got.append(stream.readline())

    reader = threading.Thread(target=one_line)
    reader.start()
    with telling("apply", str(pipe)) as stream:
        reader.join()
        for _ in range(3):
            stream(DONE)
    assert json.loads(got[0])["type"] == "version"
    assert capsys.readouterr().err.count("warning: no more events are written") == 1


def test_a_reader_that_takes_nothing_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(eventlog, "SLOW_READER_SECONDS", 0.01)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sleeping = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with telling("apply", str(pipe)) as stream:
            for _ in range(2000):
                stream(DONE)
    finally:
        os.close(sleeping)
    assert capsys.readouterr().err == f"warning: no more events are written to {pipe}: nobody reads it\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with telling("apply", "/dev/full") as stream:
        stream(DONE)
        stream(DONE)
    assert capsys.readouterr().err == "warning: no more events are written to /dev/full: No space left on device\n"


STORY: list[Event] = [
    JobLaunched("iris", "standard", "4b1d2c00-0000"),
    JobLaunched("lab", "standard", "9e07aa00-0000"),
    JobDone("lab", "standard", 2.0),
    JobLaunched("visits", "standard", "77aa0100-0000"),
    Retrying("GET /jobs", 1, 2.0),
    SetDone("lab", "launch", "published"),
    JobDone("iris", "standard", 12.34),
    GateChecked("iris", "hidden_rate", ">= 90", 91.44, True),
    SetDone("iris", "launch", "published"),
    JobDone("visits", "standard", 3.0, "one\n::error::two"),
    SetDone("visits", "launch", "failed", "standard failed"),
]


def test_groups_hold_the_lines_of_one_set_each(golden: Golden) -> None:
    written: list[str] = []
    with Groups(written.append) as groups:
        for event in STORY:
            groups(event)
    golden("cli/groups.txt", "\n".join(re.sub(r"^\d\d:\d\d:\d\d", "09:12:04", line) for line in written) + "\n")


def test_an_interrupted_apply_closes_its_groups() -> None:
    written: list[str] = []
    with Groups(written.append) as groups:
        for event in STORY[:4]:
            groups(event)
    assert written.count("::endgroup::") == sum(line.startswith("::group::") for line in written) == 3
    assert sum("started" in line for line in written) == 3


def test_what_runs_is_said_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("avatar_gitops.cli.progress.time.monotonic", lambda: now)
    written: list[str] = []
    lines = Lines(written.append)
    lines(JobLaunched("iris", "standard", "4b1d2c00"))
    for step in range(100):
        now = 1000.0 + 2 * step
        lines(JobProgressed("iris", "standard", "running", step / 100))
    assert [line[10:] for line in written[1:]] == [f"iris  standard         running   {n} %" for n in (30, 60, 90)]


@pytest.mark.parametrize("verbose", [False, True])
def test_requests_are_shown_on_request(verbose: bool) -> None:
    written: list[str] = []
    lines = Lines(written.append, verbose=verbose)
    lines(RequestDone("GET", "/jobs", 200, 0.123, "0a1b-3"))
    lines(DiagnosticFound("note", "", "no conditional writes"))
    shown = ["GET /jobs  200  0.12s  0a1b-3", "note: no conditional writes"]
    assert [line[10:] for line in written] == (shown if verbose else [])


@pytest.mark.parametrize(
    ("kind", "github", "name"),
    [
        ("auto", "", "Lines"),
        ("auto", "true", "Groups"),
        ("lines", "true", "Lines"),
        ("groups", "", "Groups"),
        ("none", "true", "Silent"),
    ],
)
def test_the_log_fits_the_place(kind: str, github: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", github)
    assert type(progress_for(kind, print)).__name__ == name
