"""The block of a running apply: what runs is named with its share, what ended and what waits is counted right."""

from __future__ import annotations

from collections.abc import Callable

from avatar_gitops.cli.board import Board, clock
from avatar_gitops.events import ChangePlanned, Event, JobDone, JobLaunched, JobProgressed, SetDone, StepStarted

JOBS = ("standard", "privacy_metrics", "signal_metrics", "report", "report_pia")


def planned(name: str, action: str) -> ChangePlanned:
    return ChangePlanned(name, action, "new", "neutral", (), "", "")


def heard(*events: Event) -> Board:
    board = Board(0.0)
    for event in events:
        board.hear(event, 10.0)
    return board


def test_rows_of_an_apply_in_the_middle(golden: Callable[[str, str], None]) -> None:
    board = heard(
        *(planned(name, "launch") for name in ("claims-2025", "patients-2026q3", "iris-demo", "lab")),
        *(planned(f"visits-{year}", "delete") for year in range(2020, 2025)),
        planned("doctors", "unchanged"),
        planned("sensors", "keep"),
        SetDone("claims-2025", "update", "updated"),
        StepStarted("lab", "CheckInput"),
        SetDone("lab", "launch", "gate_failed"),
        StepStarted("patients-2026q3", "LaunchJob"),
        *(JobLaunched("patients-2026q3", job, "0") for job in JOBS),
        JobDone("patients-2026q3", "standard", 178.0),
        JobProgressed("patients-2026q3", "privacy_metrics", "started", 0.68),
        StepStarted("iris-demo", "Fetch"),
    )
    text = "\n".join(board.lines(231.0)) + "\n"
    golden("cli/board.txt", text)
    flat = "\n".join(board.lines(231.0, ascii_only=True)) + "\n"
    assert flat.isascii()
    golden("cli/board-ascii.txt", flat)
    assert all(len(line) <= 100 for line in text.splitlines())


def test_every_set_is_counted_once_whatever_happens_to_it() -> None:
    board = heard(planned("a", "launch"), planned("b", "launch"))
    assert board.lines(10.0)[-1] == "  0 of 2 done   0:10"
    board.hear(StepStarted("a", "CheckInput"), 11.0)
    board.hear(SetDone("b", "launch", "failed"), 12.0)  # ended before any step of it was heard
    assert board.lines(12.0)[-1] == "  1 of 2 done   0:12"
    board.hear(SetDone("a", "launch", "published"), 13.0)
    assert board.lines(13.0) == ["  ✘ b   failed", "  ✔ a   published", "", "  2 of 2 done   0:13"]


def test_jobs_that_run_beside_each_other_are_shown_as_they_report() -> None:
    board = heard(planned("a", "launch"), *(JobLaunched("a", job, "0") for job in JOBS[1:3]))
    board.hear(JobProgressed("a", "signal_metrics", "started", None), 12.0)
    assert "signal_metrics    queued: 1 job" in board.lines(12.0)[0]
    board.hear(JobDone("a", "signal_metrics", 1.0), 13.0)
    assert "privacy_metrics" in board.lines(13.0)[0]


def test_nothing_is_shown_before_there_is_a_plan() -> None:
    assert Board(0.0).lines(5.0) == []


def test_clocks_go_on_for_hours() -> None:
    assert [clock(seconds) for seconds in (-1, 7.9, 221, 3725)] == ["0:00", "0:07", "3:41", "1:02:05"]
