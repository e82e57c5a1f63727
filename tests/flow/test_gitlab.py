"""A merge request of GitLab from plan to apply, as the jobs of the pipeline do it, on a GitLab that runs here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.support.flow import Cli
from tests.support.gitlab import ROBOT, TOKEN, FakeGitLab, fake_gitlab

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]
HEAD, MERGE = "a" * 40, "c" * 40
POLICY = "apiVersion: avatar-gitops/v1\nkind: Policy\nrequired_approvers: [dpo]\nseverity: {P020: info, P023: info}\n"


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with fake_gitlab(HEAD) as made:
        yield made


@pytest.fixture
def job(cli: Cli, fake: FakeGitLab) -> Cli:
    """The command line in a job of the pipeline for merge request 7."""
    (cli.root / "policies").mkdir()
    (cli.root / "policies/policy.yaml").write_text(POLICY, encoding="utf-8")
    cli.environment = {name: value for name, value in cli.environment.items() if not name.startswith("GITHUB_")} | {
        "AVATAR_GITLAB_TOKEN": TOKEN,
        "CI_API_V4_URL": f"{fake.url}/api/v4",
        "CI_COMMIT_SHA": HEAD,
        "CI_JOB_URL": "https://gitlab.example.org/acme/data/-/jobs/3",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
        "CI_PROJECT_DIR": str(cli.root),
        "CI_PROJECT_ID": "42",
        "CI_PROJECT_PATH": "acme/data",
        "CI_PROJECT_URL": "https://gitlab.example.org/acme/data",
        "GITLAB_CI": "true",
    }
    return cli


def merged(job: Cli, fake: FakeGitLab) -> None:
    """The pipeline of the commit that merging made."""
    fake.state, fake.merge_commit = "merged", MERGE
    job.environment["CI_COMMIT_SHA"] = MERGE
    for name in ("CI_MERGE_REQUEST_IID", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"):
        del job.environment[name]


def test_a_merge_request_from_plan_to_apply(job: Cli, fake: FakeGitLab, unique: Unique) -> None:
    name = unique("people")
    job.spec(name, k=20, more="  jobs: [standard, privacy_metrics]\n")
    assert job("apply", "--yes").code == 0
    job.spec(name, k=10, more="  jobs: [standard, privacy_metrics]\n")

    fake.approved_by = ["a.martin"]
    assert job("ci", "plan", "--reviews").code == 4
    assert "AVATAR_POLICY=failed\n" in (job.root / "avatar-ci/outputs.env").read_text(encoding="utf-8")
    published = job("ci", "comment", "--body", "avatar-ci/comment.md")
    assert published.out == "Comment created: https://gitlab.example.org/acme/data/-/merge_requests/7#note_500\n"
    (note,) = fake.notes
    assert "### ⛔ Avatar plan: waiting for @\u200bdpo · 1 set gets weaker privacy" in note["body"]
    assert f"https://gitlab.example.org/acme/data/-/blob/{HEAD}/configs/{name}.yaml" in note["body"]
    assert "[plan.json](https://gitlab.example.org/acme/data/-/jobs/3/artifacts/browse)" in note["body"]

    fake.approved_by.append("dpo")
    assert job("ci", "plan", "--reviews").code == 0
    assert job("ci", "comment", "--body", "avatar-ci/comment.md").out.startswith("Comment edited")
    assert "1 relaunch" in note["body"]

    merged(job, fake)
    assert job("ci", "approvals").out == "dpo\n"
    digest = job("ci", "reviewed").out.strip()
    done = job("apply", "--yes", "--format", "json", "--approved-by=dpo", f"--expect-digest={digest}")
    assert done.code == 0, done.text
    (job.root / "applied.json").write_text(done.out, encoding="utf-8")
    assert job("ci", "applied", "applied.json", "--approved-by=dpo").code == 0
    assert job("ci", "comment", "--body", "avatar-ci/comment.md").out.startswith("Comment edited")
    assert fake.notes == [note]
    assert note["author"]["username"] == ROBOT
    assert "### ✅ Avatar applied: 1 of 1" in note["body"]
    assert re.search(r"▼ `people-\w+` is weaker than the run before .*, approved by dpo", note["body"])


def test_what_nobody_reviewed_is_not_applied(job: Cli, fake: FakeGitLab, unique: Unique) -> None:
    job.spec(unique("people"), more="  jobs: [standard]\n")
    assert job("ci", "plan").code == 0
    fake.note((job.root / "avatar-ci/comment.md").read_text(encoding="utf-8"), username="mallory")
    merged(job, fake)
    nothing = job("ci", "reviewed").out.strip()
    refused = job("apply", "--yes", f"--expect-digest={nothing}")
    assert refused.code == 6, refused.text
    job.environment["CI_COMMIT_SHA"] = "d" * 40
    assert "was not merged by a pull request" in job("ci", "reviewed").err


def test_settings_and_tokens_that_are_missing_are_named(job: Cli, fake: FakeGitLab) -> None:
    fake.committers_may_not = False
    refused = job("ci", "approvals")
    assert refused.code == 1
    assert "prevent approvals by users who add commits" in refused.err
    fake.committers_may_not, fake.reset_on_push = True, False
    assert "remove all approvals when commits are added" in job("ci", "plan", "--reviews").err
    del job.environment["AVATAR_GITLAB_TOKEN"]
    missing = job("ci", "approvals")
    assert missing.code == 64
    assert "AVATAR_GITLAB_TOKEN" in missing.err
    assert TOKEN not in refused.text + missing.text
