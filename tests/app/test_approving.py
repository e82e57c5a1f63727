"""Who is taken for the author of a change, and which waivers were there before it, from the workflow and from git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from avatar_gitops.app.approving import signed, waivers_at, waivers_before
from avatar_gitops.policy.approvals import by_their_author

WAIVERS = """\
apiVersion: avatar-gitops/v1
kind: Waivers
waivers:
  - {rule: P010, sets: ['*'], owner: OWNER, reason: Pilot, granted: 2026-01-01, expires: 2026-03-01}
"""
VARIABLES = ("GITHUB_EVENT_PATH", "GITHUB_EVENT_NAME", "GITHUB_ACTOR", "GITHUB_SHA", "GITHUB_REPOSITORY")
GITLAB = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (*VARIABLES, *GITLAB):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def git(root: Path, *arguments: str, who: str = "anna") -> str:
    person = ("-c", f"user.name={who}", "-c", f"user.email={who}@example.org")
    done = subprocess.run(["git", "-C", str(root), *person, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(root: Path, owner: str, who: str = "anna") -> str:
    (root / "policies").mkdir(exist_ok=True)
    (root / "policies" / "waivers.yaml").write_text(WAIVERS.replace("OWNER", owner), encoding="utf-8")
    git(root, "add", "policies")
    git(root, "commit", "-q", "-m", f"waiver of {owner}", who=who)
    return git(root, "rev-parse", "HEAD")


def event(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, payload: dict[str, Any]) -> None:
    path = root / "event.json"
    path.write_text(json.dumps(payload), encoding="utf-8")
    monkeypatch.setenv("GITHUB_EVENT_NAME", name)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))


def owners(root: Path) -> list[str] | None:
    found = waivers_before(root)
    return None if found is None else [waiver.owner for waiver in found]


def test_outside_of_a_repository_nobody_wrote_it(root: Path) -> None:
    assert signed(root, ["dpo"], []).authors == ()
    assert owners(root) == []
    assert signed(root, ["dpo"], ["anna"]).authors == ("anna",)


def test_on_a_branch_its_authors_and_the_waivers_where_it_began(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    first = commit(root, "old", "carl")
    git(root, "config", "user.name", "anna")
    git(root, "config", "user.email", "anna@example.org")
    assert signed(root, [], []).authors == ("anna", "anna@example.org")
    assert owners(root) == ["old"]
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, "bob", "bob")
    assert signed(root, [], []).authors == ("anna", "anna@example.org", "bob", "bob@example.org")
    assert owners(root) == ["old"]
    assert [waiver.owner for waiver in waivers_at(root, "HEAD")] == ["bob"]
    assert [waiver.owner for waiver in waivers_at(root, first)] == ["old"]


def test_in_a_pull_request_its_author_and_its_base(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(root, "init", "-q", "-b", "main")
    base = commit(root, "old")
    commit(root, "a.martin")
    pull = {"user": {"login": "a.martin"}, "base": {"sha": base}}
    monkeypatch.setenv("GITHUB_ACTOR", "reviewer")
    event(root, monkeypatch, "pull_request_review", {"pull_request": pull})
    assert signed(root, ["reviewer"], []).authors == ("a.martin",)
    assert owners(root) == ["old"]


def test_a_base_that_a_shallow_clone_lacks_makes_every_waiver_of_an_author_a_new_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(root, "init", "-q", "-b", "main")
    commit(root, "a.martin")
    event(
        root, monkeypatch, "pull_request", {"pull_request": {"user": {"login": "a.martin"}, "base": {"sha": "e" * 40}}}
    )
    assert owners(root) is None
    assert len(by_their_author(waivers_at(root, "HEAD"), waivers_before(root), ["a.martin"])) == 1


def test_on_a_push_who_wrote_the_commits_but_not_the_approver_who_merged(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(root, "init", "-q", "-b", "main")
    before = commit(root, "old")
    commit(root, "new")
    commits = [
        {"author": {"username": "a.martin"}, "committer": {"username": "web-flow"}},
        {"author": {"username": "dpo"}, "committer": {"username": "web-flow"}},
    ]
    event(root, monkeypatch, "push", {"before": before, "commits": commits})
    assert signed(root, ["dpo"], []).authors == ("a.martin",)
    assert signed(root, [], []).authors == ("a.martin", "dpo")
    assert owners(root) == ["old"]
    event(root, monkeypatch, "push", {"before": "0" * 40, "commits": []})
    assert owners(root) == []


def test_in_a_merge_request_of_gitlab_the_waivers_at_its_base(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(root, "init", "-q", "-b", "main")
    base = commit(root, "old")
    commit(root, "new")
    monkeypatch.setenv("CI_COMMIT_BEFORE_SHA", "0" * 40)
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", base)
    assert owners(root) == ["old"]
    monkeypatch.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", "e" * 40)
    assert owners(root) is None


def test_a_run_by_hand_is_the_change_of_who_started_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    event(root, monkeypatch, "workflow_dispatch", {})
    monkeypatch.setenv("GITHUB_ACTOR", "bob")
    assert signed(root, ["bob"], []).authors == ("bob",)
    event(root, monkeypatch, "schedule", {})
    assert signed(root, [], []).authors == ()
