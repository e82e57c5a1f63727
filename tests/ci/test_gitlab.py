"""GitLab: one note on a merge request, approvals that outlive a push do not count, tokens stay out of sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from avatar_gitops.ci.comment import Body, Result, publish, read_body
from avatar_gitops.ci.gitlab import GitLab, GitLabForge, GitLabRun, gitlab_token_of, read_gitlab_run
from avatar_gitops.ci.outputs import dotenv_text
from avatar_gitops.errors import RemoteRefused, RemoteUnavailable, UsageError
from avatar_gitops.report.comment import Verdict, opening
from tests.support.gitlab import TOKEN, FakeGitLab, fake_gitlab
from tests.support.http import StillClock

HEAD, OLD, MERGE = "a" * 40, "b" * 40, "c" * 40
RUN = GitLabRun(
    project_id="42", project_url="https://gitlab.example.org/acme/data", commit=HEAD, head=HEAD, pull_request_number=7
)


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with fake_gitlab(HEAD) as made:
        yield made


@pytest.fixture
def gitlab(fake: FakeGitLab) -> Iterator[GitLab]:
    made = GitLab(f"{fake.url}/api/v4", TOKEN, clock=StillClock())
    yield made
    made.close()


def body(verdict: Verdict = Verdict.READY, *, head: str = HEAD, more: str = "### text") -> Body:
    return read_body("\n".join([*opening("demo", "sha256:" + "1" * 64, head, verdict), more, ""]))


def put(gitlab: GitLab, content: Body, run: GitLabRun = RUN) -> Result:
    forge = GitLabForge(gitlab, run)
    target = forge.target()
    assert target is not None
    return publish(forge, target, content).result


def test_one_note_is_made_then_edited_then_left_alone(fake: FakeGitLab, gitlab: GitLab) -> None:
    for _ in range(120):
        fake.note(body().text, username="mallory")
    fake.note(body().text, system=True)
    assert put(gitlab, body()) is Result.CREATED
    assert put(gitlab, body(more="### new")) is Result.EDITED
    assert put(gitlab, body(more="### new")) is Result.UNCHANGED
    assert [note["body"] for note in fake.notes if note["author"]["username"] != "mallory"][1:] == [
        body(more="### new").text
    ]


def test_a_plan_of_an_older_commit_is_not_published(fake: FakeGitLab, gitlab: GitLab) -> None:
    assert put(gitlab, body(head=OLD)) is Result.OUTDATED
    assert fake.notes == []


def test_after_the_merge_the_request_is_found_by_its_commit(fake: FakeGitLab, gitlab: GitLab) -> None:
    fake.state, fake.merge_commit = "merged", MERGE
    after = replace(RUN, commit=MERGE, pull_request_number=None)
    assert put(gitlab, body(Verdict.APPLIED, head=MERGE), after) is Result.CREATED
    assert GitLabForge(gitlab, replace(after, commit=OLD)).target() is None


def test_approvals_count_without_the_author_and_only_where_a_push_removes_them(
    fake: FakeGitLab, gitlab: GitLab
) -> None:
    fake.approved_by = ["dpo", "A.Martin"]
    assert GitLabForge(gitlab, RUN).people(7).counting == ("dpo",)
    fake.reset_on_push = False
    with pytest.raises(RemoteRefused, match="stay when the branch changes"):
        GitLabForge(gitlab, RUN).people(7)
    fake.reset_on_push, fake.committers_may_not = True, False
    with pytest.raises(RemoteRefused, match="given by who wrote the commits"):
        GitLabForge(gitlab, RUN).people(7)


def test_a_token_that_is_refused_is_not_shown(fake: FakeGitLab) -> None:
    wrong = GitLab(f"{fake.url}/api/v4", "glpat-wrong", clock=StillClock())
    with pytest.raises(RemoteUnavailable, match="GitLab refuses") as caught:
        GitLabForge(wrong, RUN).target(7)
    assert "glpat" not in f"{caught.value.message} {caught.value.hint} {wrong!r}"
    wrong.close()


ENVIRONMENT = {
    "CI_API_V4_URL": "https://gitlab.example.org/api/v4",
    "CI_PROJECT_ID": "42",
    "CI_PROJECT_URL": "https://gitlab.example.org/acme/data",
    "CI_PROJECT_PATH": "acme/data",
    "CI_COMMIT_SHA": MERGE,
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD,
    "CI_JOB_URL": "https://gitlab.example.org/acme/data/-/jobs/3",
}


def test_the_environment_of_a_job() -> None:
    run = read_gitlab_run(ENVIRONMENT)
    assert (run.commit, run.head, run.pull_request_number) == (MERGE, HEAD, 7)
    assert run.files(HEAD) == f"https://gitlab.example.org/acme/data/-/blob/{HEAD}/"


@pytest.mark.parametrize(
    "more", [{"CI_PROJECT_ID": "x"}, {"CI_API_V4_URL": "file:///etc"}, {"CI_JOB_URL": "javascript:alert(1)"}]
)
def test_an_environment_that_cannot_be_gitlab_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read_gitlab_run(ENVIRONMENT | more)


def test_the_token_of_the_job_is_not_enough() -> None:
    with pytest.raises(UsageError) as caught:
        gitlab_token_of({"CI_JOB_TOKEN": "x"})
    assert "CI_JOB_TOKEN cannot write notes" in str(caught.value.hint)


def test_outputs_have_one_line_each() -> None:
    assert dotenv_text({"changed": "true", "plan_path": "a\nb"}) == "AVATAR_CHANGED=true\nAVATAR_PLAN_PATH=a b\n"
