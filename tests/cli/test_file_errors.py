"""Files that cannot be written or read are named with their reason, before any work where that can be."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from avatar_gitops.app.apply import Applied, How, apply
from avatar_gitops.app.plan import Consent, Planned
from avatar_gitops.cli import main
from avatar_gitops.cli.applying import _next
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.model import Action
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.workspace.files import write_atomic


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert main.run(["init", str(tmp_path / "demo")]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.mark.parametrize("command", ["plan", "preview"])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nowhere/x.json", "there is no folder nowhere"),
        ("configs", "configs is a folder"),
        ("avatar-gitops.yaml/x", "there is no folder avatar-gitops.yaml"),
    ],
)
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    command: str, target: str, said: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run([command, "--out", f"json:{target}"]) == 64
    assert said in capsys.readouterr().err
    assert not (project / ".avatar").exists(), "nothing was begun"


def test_a_file_where_state_has_its_folder_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".avatar").write_text("")
    capsys.readouterr()
    assert main.run(["plan"]) == 1
    error = capsys.readouterr().err
    assert "error: " in error and ".avatar" in error
    assert "a file stands where a folder is needed" in error
    assert "fault of avatar-gitops" not in error


def test_a_file_where_results_have_their_folder_is_told_before_anything_runs(project: Path) -> None:
    (project / "out").write_text("")
    with pytest.raises(UsageError) as caught:
        apply(project, None, Consent(), How(), lambda _: True, lambda _: None)
    assert caught.value.message == "out is a file, and results need a folder there"
    assert not (project / "audit").exists(), "and nothing is on record as begun"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    capsys.readouterr()
    assert main.run(["init", str(tmp_path / "file" / "demo")]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path / "file") in error and "cannot be used: " in error
    assert "fault of avatar-gitops" not in error


def test_a_write_that_fails_names_the_file_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**options: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / ".x.json.123.tmp"))

    monkeypatch.setattr("avatar_gitops.workspace.files.tempfile.mkstemp", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_atomic(tmp_path / "x.json", b"x")
    assert caught.value.filename == str(tmp_path / "x.json")


def test_an_error_of_the_system_about_no_file_is_unexpected(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**options: object) -> None:
        raise OSError("zqsecretx")

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["plan"]) == 1
    error = capsys.readouterr().err
    assert "unexpected OSError" in error and "zqsecretx" not in error


def test_after_a_timeout_the_next_step_is_to_resume(project: Path) -> None:
    late = Outcome("a", Action.RELAUNCH, State.FAILED, "stopped waiting", late=True)
    failed = Outcome("b", Action.RELAUNCH, State.FAILED, "no such column")
    planned = cast(Planned, SimpleNamespace(loaded=SimpleNamespace(root=project)))
    assert "resume" in _next(Applied(planned, True, (late,)))
    both = _next(Applied(planned, True, (late, failed)))
    assert "fix the spec or the data, then" in both and "retry" in both
