"""Commands on a project without a server: init, applying with consent, progress lines, outcomes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops.cli import main
from avatar_gitops.cli.progress import Lines, describe
from avatar_gitops.events import (
    Event,
    GateChecked,
    JobDone,
    JobLaunched,
    JobProgressed,
    Retrying,
    SetCreated,
    SetDone,
    StepStarted,
)
from avatar_gitops.plan.lock import GateResult
from avatar_gitops.plan.model import Action
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.report.outcome import Context, as_json, as_text
from avatar_gitops.report.values import plain

Golden = Callable[[str, str], None]


def test_init_writes_a_valid_project(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(["init", "demo"]) == 0
    golden("cli/init.txt", capsys.readouterr().out)
    assert main.run(["validate", "--project", "demo"]) == 0
    assert "3 files checked: 3 valid." in capsys.readouterr().out


def test_init_writes_nothing_when_a_file_is_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "avatar-gitops.yaml").write_text("mine")
    assert main.run(["init", str(tmp_path)]) == 64
    assert "avatar-gitops.yaml" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["avatar-gitops.yaml"]


def test_init_keeps_what_is_there_and_adds_no_second_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n/out/\n")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.yaml").write_text("apiVersion: avatar-gitops/v1\nkind: Policy\nenabled: [strict]\n")
    assert main.run(["init", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "Kept as they are: .gitignore" in text
    assert "Add to .gitignore: .avatar/\n" in text
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n/out/\n"
    assert [path.name for path in (tmp_path / "policies").iterdir()] == ["own.yaml"]
    for path in tmp_path.rglob("*.yaml"):
        assert path.parent.name == "policies" or path.read_text().startswith("# yaml-language-server: $schema=")


OUTCOMES = [
    Outcome(
        "patients",
        Action.RELAUNCH,
        State.GATE_FAILED,
        "not published, 1 of 2 gates failed: hidden_rate >= 90",
        (GateResult("hidden_rate", ">= 90", 88.25, False), GateResult("local_cloaking", ">= 5", 11.0, True)),
    ),
    Outcome("iris", Action.LAUNCH, State.PUBLISHED, "", (GateResult("hidden_rate", ">= 85", 94.66, True),)),
    Outcome("visits", Action.DELETE, State.DELETED, "receipt out/visits/deletion.json"),
    Outcome("claims", Action.UPDATE, State.UPDATED),
    Outcome("lab", Action.LAUNCH, State.FAILED, "standard failed: k is 50 but must be smaller"),
    Outcome("sensors", Action.LAUNCH, State.INTERRUPTED, "stopped waiting; what runs at the server goes on"),
]


def test_outcomes_are_shown_with_verdict_reason_and_gates(golden: Golden) -> None:
    known = Context(frozenset({"patients"}), {"lab": "configs/lab.yaml:14 (columns.result)"})
    golden("cli/outcomes.txt", as_text(OUTCOMES, 167.4, known, style=plain) + "\n")
    golden("cli/outcomes-ascii.txt", as_text(OUTCOMES, 4.0, known, style=plain, ascii_only=True) + "\n")
    assert as_text(OUTCOMES, 4.0, style=plain, ascii_only=True).isascii()
    golden("cli/outcomes.json", as_json(OUTCOMES, 167.44, "sha256:" + "0" * 64) + "\n")


EVENTS: list[Event] = [
    StepStarted("iris", "Upload"),
    SetCreated("iris", "0d9a7c1e"),
    JobLaunched("iris", "standard", "4b1d2c00-0000"),
    JobProgressed("iris", "standard", "pending", 0.5),
    JobDone("iris", "standard", 12.34),
    JobDone("iris", "privacy_metrics", 0.4, "k is 50 but must be smaller"),
    GateChecked("iris", "hidden_rate", ">= 90", 91.44, True),
    GateChecked("iris", "closest_rate", ">= 90", None, False),
    SetDone("iris", "launch", "published"),
    SetDone("iris", "launch", "failed", "the server said no"),
    Retrying("GET /jobs", 2, 4.0),
]


def test_events_are_lines_in_a_log(golden: Golden) -> None:
    golden("cli/events.txt", "\n".join(text for event in EVENTS if (text := describe(event))) + "\n")


def test_lines_carry_the_time_and_skip_what_a_log_does_not_need() -> None:
    written: list[str] = []
    with Lines(written.append) as lines:
        for event in EVENTS:
            lines(event)
    assert len(written) == 8
    assert all(line[2] == line[5] == ":" for line in written)
