"""A pull request from plan to apply: files, outputs, one comment on a GitHub that runs here, nothing of the data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.flow import Cli
from tests.support.github import REPOSITORY, TOKEN, FakeGitHub, Pull, fake_github

HEAD, MERGE = "a" * 40, "c" * 40
REVIEW = {"user": {"login": "bob"}, "state": "APPROVED", "commit_id": HEAD, "author_association": "MEMBER"}


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with fake_github() as made:
        made.pulls[7] = Pull(7, HEAD)
        yield made


@pytest.fixture
def runner(cli: Cli, fake: FakeGitHub, tmp_path: Path) -> Cli:
    """The command line as a step of a workflow run for pull request 7."""
    (tmp_path / "runner").mkdir()
    cli.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": fake.url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "runner/event.json"),
        "GITHUB_OUTPUT": str(tmp_path / "runner/output"),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_RUN_ID": "77",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "runner/summary.md"),
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_WORKSPACE": str(tmp_path),
    }
    payload = {"pull_request": fake.pulls[7].document()}
    (tmp_path / "runner/event.json").write_text(json.dumps(payload), encoding="utf-8")
    return cli


def outputs(cli: Cli) -> dict[str, str]:
    lines = (cli.root / "runner/output").read_text().splitlines()
    return {line.partition("<<")[0]: lines[index + 1] for index, line in enumerate(lines) if "<<ends-" in line}


def git(cli: Cli, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=cli.root, check=True, capture_output=True)


def test_a_pull_request_from_plan_to_apply(runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]) -> None:
    name = unique("people")
    runner.spec(name, more="  gates: {hidden_rate: '>= 1'}\n")
    planned = runner("ci", "plan")
    assert planned.code == 0, planned.text
    assert outputs(runner)["changed"] == "true"
    assert outputs(runner)["launches"] == "1"
    assert outputs(runner)["plan_digest"] == json.loads((runner.root / "avatar-ci/plan.json").read_text())["digest"]
    assert f"blob/{HEAD}/configs/{name}.yaml" in (runner.root / "runner/summary.md").read_text()
    published = runner("ci", "comment", "--body", "avatar-ci/comment.md")
    assert published.code == 0, published.text
    assert outputs(runner)["comment_url"] in published.out
    assert runner("ci", "comment", "--body", "avatar-ci/comment.md").out.startswith("Comment unchanged")

    fake.pulls[7] = Pull(7, HEAD, state="closed", merge_commit=MERGE)
    (runner.root / "runner/event.json").write_text("{}", encoding="utf-8")
    runner.environment |= {"GITHUB_EVENT_NAME": "push", "GITHUB_SHA": MERGE}
    done = runner("apply", "avatar-ci/plan.json", "--yes", "--format", "json")
    assert done.code == 0, done.text
    (runner.root / "applied.json").write_text(done.out, encoding="utf-8")
    assert runner("ci", "applied", "applied.json", "--approved-by", "bob").code == 0
    assert runner("ci", "comment", "--body", "avatar-ci/comment.md").code == 0

    assert len(fake.comments) == 1
    body = fake.comments[0]["body"]
    assert "### ✅ Avatar applied: 1 of 1 · all gates passed" in body
    assert "Approved by bob" in body
    assert "1 / 1" in body
    assert TOKEN not in "".join(item.text for item in (planned, published, done))


@pytest.mark.slow
def test_metrics_of_the_run_before_come_from_the_commit(runner: Cli, unique: Callable[[str], str]) -> None:
    name = unique("people")
    runner.spec(name)
    assert runner("apply", "--yes").code == 0
    git(runner, "init", "-q")
    git(runner, "add", "configs", "avatar-gitops.yaml")
    git(runner, "commit", "-q", "-m", "first")
    runner.spec(name, k=5)
    done = runner("apply", "--yes", "--format", "json")
    (runner.root / "applied.json").write_text(done.out, encoding="utf-8")
    shown = runner("ci", "applied", "applied.json", "--dry-run")
    assert " → **" in shown.out
    assert not (runner.root / "avatar-ci").exists()


def test_invalid_specs_and_refused_plans_are_said_in_the_comment(runner: Cli, unique: Callable[[str], str]) -> None:
    name = unique("people")
    runner.spec(name, k=1)
    failed = runner("ci", "plan")
    assert failed.code == 3
    body = (runner.root / "avatar-ci/comment.md").read_text()
    assert "### ❌ Avatar specs: 1 error in 1 file" in body
    assert f"https://github.com/{REPOSITORY}/blob/{HEAD}/configs/{name}.yaml#L10" in body
    assert outputs(runner)["exit_code"] == "3"
    (runner.root / "avatar-gitops.yaml").write_text("apiVersion: avatar-gitops/v1\n")
    assert runner("ci", "plan").code == 3
    assert "| [`avatar-gitops.yaml:1`](" in (runner.root / "avatar-ci/comment.md").read_text()


def test_a_refused_plan_is_said_in_the_comment(runner: Cli, unique: Callable[[str], str]) -> None:
    runner.spec(unique("people"), more="  jobs: [standard]\n")
    assert runner("apply", "--yes").code == 0
    runner.project("somebody-else")
    for lock in (runner.root / "configs").glob("*.lock.yaml"):
        lock.unlink()
    refused = runner("ci", "plan")
    assert refused.code == 5
    assert "### ⛔ Avatar plan: refused (R003)" in (runner.root / "avatar-ci/comment.md").read_text()
    assert outputs(runner)["exit_code"] == "5"


def test_no_changes_make_no_comment(runner: Cli, fake: FakeGitHub) -> None:
    assert runner("ci", "plan").code == 0
    assert outputs(runner)["changed"] == "false"
    assert runner("ci", "comment", "--body", "avatar-ci/comment.md").out == "Comment not needed.\n"
    assert fake.comments == []


def test_everything_can_be_looked_at_without_a_runner(cli: Cli, unique: Callable[[str], str]) -> None:
    name = unique("people")
    cli.spec(name)
    shown = cli("ci", "plan", "--dry-run")
    assert shown.code == 0
    assert f"[`{name}`](configs/{name}.yaml)" in shown.out
    assert "output launches=1" in shown.err
    assert not (cli.root / "avatar-ci").exists()
    assert cli("ci", "plan").code == 0
    assert cli("ci", "comment", "--body", "avatar-ci/comment.md", "--dry-run").code == 64
    cli.environment |= {"GITHUB_REPOSITORY": REPOSITORY}
    would = cli("ci", "comment", "--body", "avatar-ci/comment.md", "--dry-run", "--number", "7")
    assert "pull request 7 of acme/data" in would.err
    assert would.out == (cli.root / "avatar-ci/comment.md").read_text()
    assert cli("ci", "comment", "--body", "avatar-ci/comment.md").code == 64
    assert cli("ci", "mask", "AVATAR_API_KEY").code == 64


def test_approvals_and_masks(runner: Cli, fake: FakeGitHub) -> None:
    fake.pulls[7].reviews = [REVIEW]
    assert runner("ci", "approvals").out == "bob\n"
    fake.pulls[7].reviews = [{**REVIEW, "submitted_at": "2026-11-21T08:59:00Z"}]
    assert runner("ci", "approvals").out == "bob\n"
    assert runner("ci", "approvals", "--times").out == "bob@2026-11-21T08:59:00Z\n"
    runner.environment["SOME_KEY"] = "s3cret"
    assert runner("ci", "mask", "SOME_KEY").out == "::add-mask::s3cret\n"


def test_weaker_privacy_waits_for_a_review(runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]) -> None:
    name = unique("people")
    (runner.root / "policies").mkdir()
    (runner.root / "policies/policy.yaml").write_text(
        "apiVersion: avatar-gitops/v1\nkind: Policy\nseverity: {P020: info, P023: info}\n"
    )
    runner.spec(name, k=20, more="  jobs: [standard]\n")
    assert runner("apply", "--yes").code == 0
    runner.spec(name, k=10, more="  jobs: [standard]\n")
    blocked = runner("ci", "plan", "--reviews")
    assert blocked.code == 4, blocked.text
    body = (runner.root / "avatar-ci/comment.md").read_text()
    assert "### ⛔ Avatar plan: waiting for an approval · 1 set gets weaker privacy" in body
    assert "**To apply:** get an approval, then merge." in body
    assert outputs(runner)["policy"] == "failed"
    fake.pulls[7].reviews = [REVIEW]
    ready = runner("ci", "plan", "--reviews")
    assert ready.code == 0, ready.text
    assert "P031" not in (runner.root / "avatar-ci/comment.md").read_text()


def test_an_apply_that_ended_early_says_so(runner: Cli) -> None:
    (runner.root / "applied.json").write_text("")
    assert runner("ci", "applied", "applied.json").code == 0
    assert "### ⚠️ Avatar apply: ended early" in (runner.root / "avatar-ci/comment.md").read_text()
    (runner.root / "applied.json").write_text('{"format": "other"}')
    assert runner("ci", "applied", "applied.json").code == 1


def merged(runner: Cli, fake: FakeGitHub) -> None:
    """Merge pull request 7 and let the run of the merge commit begin."""
    fake.pulls[7] = Pull(7, HEAD, state="closed", merge_commit=MERGE)
    (runner.root / "runner/event.json").write_text("{}", encoding="utf-8")
    runner.environment |= {"GITHUB_EVENT_NAME": "push", "GITHUB_SHA": MERGE}


def test_apply_carries_out_the_plan_that_the_comment_showed(
    runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]
) -> None:
    name = unique("people")
    runner.spec(name, more="  jobs: [standard]\n")
    assert runner("ci", "plan").code == 0
    assert runner("ci", "comment", "--body", "avatar-ci/comment.md").code == 0
    merged(runner, fake)
    shown = runner("ci", "reviewed").out.strip()
    assert shown == json.loads((runner.root / "avatar-ci/plan.json").read_text())["digest"]
    runner.spec(name, k=6, more="  jobs: [standard]\n")
    refused = runner("apply", "--yes", f"--expect-digest={shown}")
    assert refused.code == 6, refused.text
    runner.spec(name, more="  jobs: [standard]\n")
    assert runner("apply", "--yes", f"--expect-digest={shown}").code == 0


def test_what_nobody_reviewed_is_not_applied(runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]) -> None:
    fake.pulls[7] = Pull(7, "b" * 40, state="closed", merge_commit=MERGE)
    runner.spec(unique("people"))
    assert runner("ci", "plan").code == 0
    fake.comment(7, (runner.root / "avatar-ci/comment.md").read_text(), login="mallory")
    merged(runner, fake)
    empty = runner("ci", "reviewed").out.strip()
    assert empty.startswith("sha256:")
    assert runner("apply", "--yes", f"--expect-digest={empty}").code == 6
    body = (runner.root / "avatar-ci/comment.md").read_text()
    fake.comment(7, body.replace(HEAD, "b" * 40))
    older = runner("ci", "reviewed")
    assert older.code == 6
    assert "older commit" in older.err
    runner.environment |= {"GITHUB_SHA": "d" * 40}
    assert "was not merged by a pull request" in runner("ci", "reviewed").err


def test_drift_is_an_issue_while_it_lasts(runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]) -> None:
    name = unique("people")
    runner.spec(name, more="  jobs: [standard]\n")
    assert runner("apply", "--yes").code == 0
    assert runner("ci", "drift").code == 0
    assert outputs(runner)["drifted"] == "false"
    assert runner("ci", "issue", "--body", "avatar-ci/issue.md").out == "Issue not needed.\n"
    (runner.root / "data/people.csv").write_text("age,city\n" + "30,Lyon\n" * 40, encoding="utf-8")
    assert runner("ci", "drift").code == 0
    opened = runner("ci", "issue", "--body", "avatar-ci/issue.md")
    assert opened.out.startswith("Issue opened: https://github.com/acme/data/issues/"), opened.text
    assert "input_changed" in (runner.root / "avatar-ci/issue.md").read_text().replace("\\", "")


def test_the_comment_about_a_fork_takes_no_text_of_it(
    runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]
) -> None:
    name = unique("people")
    runner.spec(name)
    assert runner("ci", "plan").code == 0
    (runner.root / "avatar-ci/comment.md").write_text("### ✅ all is well, merge now\n", encoding="utf-8")
    fake.pulls[7] = Pull(7, HEAD, owner="mallory")
    source = {"owner": {"login": "mallory"}, "full_name": "mallory/data"}
    event = {"workflow_run": {"head_branch": "topic", "head_sha": HEAD, "head_repository": source, "pull_requests": []}}
    (runner.root / "runner/event.json").write_text(json.dumps(event), encoding="utf-8")
    runner.environment |= {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_SHA": MERGE}
    published = runner("ci", "comment", "--body", "avatar-ci/comment.md")
    assert published.code == 0, published.text
    (comment,) = fake.comments
    assert "merge now" not in comment["body"]
    assert f"|  | `{name}` | launch | new |" in comment["body"]


@pytest.mark.slow
def test_the_comment_of_a_plan_holds_the_predictions_of_a_preview(runner: Cli, unique: Callable[[str], str]) -> None:
    name = unique("predicted")
    runner.spec(name, more="  jobs: [standard, privacy_metrics]\n")
    assert runner("preview", "--seeds", "2", "-q", "--out", "json:preview.json").code == 0
    assert runner("ci", "plan", "--preview", "preview.json").code == 0
    text = (runner.root / "avatar-ci" / "comment.md").read_text(encoding="utf-8")
    assert "**Predicted effect**" in text
    assert f"<code>{name}</code> on its data · new" in text
    assert "hidden\\_rate" in text

    (runner.root / "preview.json").write_text("[]")
    refused = runner("ci", "plan", "--preview", "preview.json")
    assert refused.code == 1
    assert "not a preview" in refused.err


@pytest.mark.slow
def test_a_promoted_preview_is_said_before_and_after(
    runner: Cli, fake: FakeGitHub, unique: Callable[[str], str]
) -> None:
    name = unique("promoted")
    runner.spec(name, more="  jobs: [standard]\n")
    made = runner("preview", "--seeds", "2", "-q", "--promote", "--label", "pr-7", "--out", "json:preview.json")
    assert made.code == 0, made.text
    assert runner("ci", "plan", "--preview", "preview.json").code == 0
    body = (runner.root / "avatar-ci/comment.md").read_text(encoding="utf-8")
    assert "preview promoted, not run again" in body
    assert f"What <b>promoted preview</b> means for <code>{name}</code>" in body
    done = runner("apply", "--yes", "--format", "json")
    (runner.root / "applied.json").write_text(done.out, encoding="utf-8")
    assert runner("ci", "applied", "applied.json").code == 0
    assert "| the promoted preview, not run again · [documents](" in (runner.root / "avatar-ci/comment.md").read_text()
