"""What git says about a project."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from avatar_gitops.workspace.git import file_at, files_at, head_commit, is_dirty, resolve


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "spec.yaml").write_text("a: 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "start")
    return tmp_path


def test_a_clean_repository(repository: Path) -> None:
    assert head_commit(repository) == git(repository, "rev-parse", "HEAD")
    assert not is_dirty(repository)


def test_changed_and_new_files_are_dirt_where_they_are(repository: Path) -> None:
    (repository / "new file.yaml").write_text("b: 2\n")
    assert is_dirty(repository)
    assert not is_dirty(repository, [repository / "spec.yaml"])
    (repository / "spec.yaml").write_text("a: 2\n")
    assert is_dirty(repository, [repository / "spec.yaml"])


def test_before_the_first_commit_there_is_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert head_commit(tmp_path) == ""


def test_outside_a_repository_there_is_nothing(tmp_path: Path) -> None:
    assert (head_commit(tmp_path), is_dirty(tmp_path)) == ("", False)
    assert head_commit(tmp_path / "missing") == ""


def test_without_git_there_is_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    assert head_commit(repository) == ""


def test_names_that_look_like_options_are_names(repository: Path) -> None:
    assert not is_dirty(repository, [Path("--ignored")])


def test_the_environment_of_a_hook_does_not_lead_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert head_commit(repository) != ""


def test_settings_of_a_repository_start_no_program(repository: Path) -> None:
    git(repository, "config", "core.fsmonitor", f"touch {repository / 'started'}; false")
    is_dirty(repository)
    assert not (repository / "started").exists()


def test_files_of_a_commit_are_read_relative_to_the_project(repository: Path) -> None:
    project = repository / "deep"
    (project / "configs" / "a b").mkdir(parents=True)
    (project / "configs" / "a b" / "é.yaml").write_bytes(b"\xff\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "more")
    (project / "configs" / "a b" / "é.yaml").unlink()
    commit = resolve(project, "HEAD")
    assert commit == head_commit(repository)
    assert files_at(project, commit, "configs") == ("configs/a b/é.yaml",)
    assert file_at(project, commit, "configs/a b/é.yaml") == b"\xff\n"
    assert file_at(project, commit, "configs/none.yaml") is None
    assert files_at(project, resolve(project, "HEAD~1"), "configs") == ()


@pytest.mark.parametrize("ref", ["none", "--all", "-h", "HEAD~9", "", "a b"])
def test_what_is_no_commit_is_none(repository: Path, ref: str) -> None:
    assert resolve(repository, ref) == ""
