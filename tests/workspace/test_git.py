"""What git says about a project."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from avatar_gitops.workspace.git import (
    changed_files,
    contents_at,
    default_branch,
    file_at,
    files_at,
    head_commit,
    is_dirty,
    merge_base,
    removed_in,
    resolve,
)


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


def test_many_files_of_a_commit_are_read_at_once(repository: Path) -> None:
    deep = repository / "deep"
    deep.mkdir()
    contents = {
        "a b.yaml": b"1\n\n2",
        "empty": b"",
        "é.bin": bytes(range(256)),
        "line\nbreak": b"x",
        "none missing": b"m",
    }
    for name, content in contents.items():
        (deep / name).write_bytes(content)
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "more")
    del contents["line\nbreak"]
    asked = ["no such file", *contents, "line\nbreak", "neither this missing"]
    assert contents_at(deep, resolve(deep, "HEAD"), asked) == contents
    assert contents_at(deep, "HEAD", []) == {}
    assert contents_at(deep.parent / "nowhere", "HEAD", ["x"]) == {}


def test_the_branch_that_others_are_merged_into(repository: Path) -> None:
    git(repository, "branch", "-m", "trunk")
    assert default_branch(repository) == ""
    git(repository, "branch", "master")
    assert default_branch(repository) == "master"
    git(repository, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert default_branch(repository) == "origin/main"
    git(repository, "update-ref", "refs/remotes/origin/next", "HEAD")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/next")
    assert default_branch(repository) == "origin/next"


def test_changes_since_a_branch_are_those_of_this_side_and_of_nobody_else(repository: Path) -> None:
    start = head_commit(repository)
    (repository / "deep").mkdir()
    (repository / "deep" / "kept.yaml").write_text("a: 1\n")
    (repository / "deep" / "gone.yaml").write_text("a: 1\n")
    (repository / ".gitignore").write_text("*.log\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "both know this")
    base = head_commit(repository)
    git(repository, "checkout", "-q", "-b", "theirs")
    (repository / "deep" / "theirs.yaml").write_text("t: 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "only there")
    git(repository, "checkout", "-q", "-")
    (repository / "deep" / "gone.yaml").rename(repository / "deep" / "é moved.yaml")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "only here")
    (repository / "deep" / "new.yaml").write_text("n: 1\n")
    (repository / "deep" / "new.log").write_text("n: 1\n")
    (repository / "spec.yaml").write_text("a: 2\n")

    assert merge_base(repository, resolve(repository, "theirs")) == base
    here = frozenset({"gone.yaml", "é moved.yaml", "new.yaml"})
    assert changed_files(repository / "deep", base) == here
    assert changed_files(repository, base) == frozenset({"spec.yaml", *(f"deep/{name}" for name in here)})
    left = {f"deep/{name}" for name in here - {"gone.yaml"}}
    assert changed_files(repository, start) == frozenset({".gitignore", "deep/kept.yaml", "spec.yaml", *left})
    assert changed_files(repository, "0" * 40) is None
    assert merge_base(repository, "0" * 40) == ""


def test_the_commit_that_removed_a_file(repository: Path) -> None:
    assert removed_in(repository, "spec.yaml") == ""
    (repository / "spec.yaml").unlink()
    assert removed_in(repository, "spec.yaml") == "", "not committed yet"
    git(repository, "commit", "-q", "-a", "-m", "remove")
    removed = head_commit(repository)
    git(repository, "commit", "-q", "--allow-empty", "-m", "later")
    assert removed_in(repository, "spec.yaml") == removed
    assert removed_in(repository, "*.yaml") == "", "a name is no pattern"
    assert removed_in(repository, "never.yaml") == ""
