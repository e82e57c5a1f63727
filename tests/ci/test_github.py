"""The client of GitHub against a stand-in that speaks real HTTP and checks the published rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from avatar_gitops.ci.approvals import Review, approvals, read_people
from avatar_gitops.ci.comment import Body, Result, publish, read_body
from avatar_gitops.ci.conversation import Patience
from avatar_gitops.ci.event import Run
from avatar_gitops.ci.github import GitHub, GitHubForge, token_of
from avatar_gitops.errors import AvatarGitOpsError, RemoteRefused, RemoteUnavailable, UsageError
from avatar_gitops.report.comment import Verdict, opening
from tests.support.github import REPOSITORY, TOKEN, FakeGitHub, Planned, Pull, fake_github
from tests.support.http import StillClock

HEAD, OLD, MERGE = "a" * 40, "b" * 40, "c" * 40
RUN = Run(repository=REPOSITORY)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with fake_github() as made:
        made.pulls[7] = Pull(7, HEAD)
        yield made


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def github(fake: FakeGitHub, clock: StillClock) -> Iterator[GitHub]:
    made = GitHub(fake.url, TOKEN, clock=clock, patience=Patience(tries=4, jitter=lambda: 1.0))
    yield made
    made.close()


def body(state: Verdict = Verdict.READY, head: str = HEAD, project: str = "p", more: str = "### title") -> Body:
    return read_body("\n".join((*opening(project, "sha256:0", head, state), more)) + "\n")


def put(github: GitHub, content: Body) -> Result:
    target = GitHubForge(github, RUN).target(7)
    assert target is not None
    return publish(GitHubForge(github, RUN), target, content).result


def test_one_comment_is_made_then_edited_then_left_alone(fake: FakeGitHub, github: GitHub) -> None:
    assert put(github, body()) is Result.CREATED
    assert put(github, body(more="### other")) is Result.EDITED
    assert put(github, body(more="### other")) is Result.UNCHANGED
    assert [item["body"] for item in fake.comments] == [body(more="### other").text]
    assert fake.writes == ["POST", "PATCH"]


def test_no_changes_makes_no_comment_but_replaces_one(fake: FakeGitHub, github: GitHub) -> None:
    assert put(github, body(Verdict.NO_CHANGES)) is Result.NOT_NEEDED
    assert fake.comments == []
    put(github, body())
    assert put(github, body(Verdict.NO_CHANGES)) is Result.EDITED


def test_the_comment_is_found_on_a_later_page_among_copies_by_others(fake: FakeGitHub, github: GitHub) -> None:
    for _ in range(230):
        fake.comment(7, body().text, login="mallory")
    fake.comment(7, body(project="other").text)
    fake.comment(7, "quoting\n" + body().text)
    ours = fake.comment(7, body().text.replace("\n", "\r\n"))
    assert put(github, body(more="### new")) is Result.EDITED
    assert ours["body"] == body(more="### new").text
    assert len([path for method, path in fake.requests if "comments" in path and method == "GET"]) == 3


@pytest.mark.parametrize(
    ("pull", "content"),
    [
        (Pull(7, HEAD), body(head=OLD)),
        (Pull(7, HEAD, state="closed", merge_commit=MERGE), body()),
    ],
)
def test_an_outdated_plan_is_not_published(fake: FakeGitHub, github: GitHub, pull: Pull, content: Body) -> None:
    fake.pulls[7] = pull
    assert put(github, content) is Result.OUTDATED
    assert fake.writes == []


def test_what_was_applied_is_published_after_the_merge(fake: FakeGitHub, github: GitHub) -> None:
    put(github, body())
    fake.pulls[7] = Pull(7, HEAD, state="closed", merge_commit=MERGE)
    forge = GitHubForge(github, replace(RUN, commit=MERGE))
    target = forge.target()
    assert target is not None
    assert publish(forge, target, body(Verdict.APPLIED, head=MERGE)).result is Result.EDITED


def test_a_comment_deleted_meanwhile_is_made_again(fake: FakeGitHub, github: GitHub) -> None:
    put(github, body())
    fake.planned = [Planned("PATCH", 404)]
    assert put(github, body(more="### other")) is Result.CREATED


@pytest.mark.parametrize("act", [True, False])
def test_a_lost_answer_never_makes_two_comments(fake: FakeGitHub, github: GitHub, act: bool) -> None:
    fake.planned = [Planned("POST", 502, act=act)]
    assert put(github, body()) is Result.CREATED
    assert len(fake.comments) == 1


@pytest.mark.parametrize(
    ("planned", "slept"),
    [
        (Planned("GET", 503), 1.0),
        (Planned("GET", 429, {"Retry-After": "17"}), 17.0),
        (Planned("GET", 403, {"Retry-After": "0"}), 1.0),
        (Planned("GET", 403, message="You have exceeded a secondary rate limit."), 60.0),
        (Planned("GET", 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767225630"}), 31.0),
    ],
)
def test_trouble_that_passes_is_waited_for(
    fake: FakeGitHub, github: GitHub, clock: StillClock, planned: Planned, slept: float
) -> None:
    fake.planned = [planned]
    assert put(github, body()) is Result.CREATED
    assert clock.slept == [slept]


@pytest.mark.parametrize(
    ("planned", "kind", "says"),
    [
        ([Planned("GET", 503)] * 4, RemoteUnavailable, "4 tries"),
        ([Planned("GET", 429, {"Retry-After": "3600"})], RemoteUnavailable, "rate limit"),
        ([Planned("GET", 401, message=f"bad {TOKEN}")], RemoteUnavailable, "***"),
        ([Planned("GET", 404, message="Not Found")], RemoteRefused, "Not Found"),
        ([Planned("POST", 422, message="Validation Failed")], RemoteRefused, "Validation Failed"),
    ],
)
def test_trouble_that_stays_is_told_without_the_token(
    fake: FakeGitHub, github: GitHub, planned: list[Planned], kind: type[AvatarGitOpsError], says: str
) -> None:
    fake.planned = list(planned)
    with pytest.raises(kind) as caught:
        put(github, body())
    assert says in caught.value.message
    assert TOKEN not in f"{caught.value.message} {caught.value.hint} {github!r}"


def test_a_missing_permission_is_named(fake: FakeGitHub, github: GitHub) -> None:
    fake.may_write = False
    with pytest.raises(RemoteRefused, match="not accessible by integration") as caught:
        put(github, body())
    assert "pull-requests: write" in str(caught.value.hint)


def test_a_next_page_elsewhere_gets_no_token(fake: FakeGitHub, github: GitHub) -> None:
    with fake_github() as other:
        fake.planned = [Planned("GET", 200, {"Link": f'<{other.url}/x>; rel="next"'})]
        with pytest.raises(RemoteRefused):
            list(github.pages("anything"))
        assert other.requests == []


def test_the_pull_request_of_a_fork_is_found_by_branch_and_commit(fake: FakeGitHub, github: GitHub) -> None:
    fake.pulls = {number: Pull(number, commit, owner="fork") for number, commit in ((8, OLD), (9, HEAD))}
    run = replace(RUN, payload=workflow_run("fork", HEAD))
    target = GitHubForge(github, run).target()
    assert target is not None
    assert target.number == 9
    assert GitHubForge(github, replace(RUN, payload=workflow_run("fork", MERGE))).target() is None
    assert GitHubForge(github, RUN).target() is None
    assert GitHubForge(github, replace(RUN, commit=MERGE)).target() is None


def workflow_run(owner: str, commit: str) -> dict[str, Any]:
    source = {"owner": {"login": owner}}
    return {
        "workflow_run": {"head_repository": source, "head_branch": "topic", "head_sha": commit, "pull_requests": []}
    }


@pytest.mark.parametrize(
    "text",
    ["", "### hello", "<!-- avatar-gitops:plan:v1 project=p -->\nno data", body().text[1:], body().text + "x" * 65_536],
)
def test_only_our_own_comments_of_the_allowed_length_are_published(text: str) -> None:
    with pytest.raises(UsageError):
        read_body(text)


def review(login: str, state: str, commit: str = HEAD) -> Review:
    return Review(login, state, commit)


@pytest.mark.parametrize(
    ("reviews", "expected"),
    [
        ([review("bob", "APPROVED"), review("ann", "APPROVED")], ("ann", "bob")),
        ([review("bob", "APPROVED", OLD)], ()),
        ([review("bob", "APPROVED", OLD), review("bob", "APPROVED")], ("bob",)),
        ([review("bob", "APPROVED"), review("bob", "COMMENTED")], ("bob",)),
        ([review("bob", "APPROVED"), review("BOB", "CHANGES_REQUESTED")], ()),
        ([review("bob", "DISMISSED")], ()),
        ([], ()),
    ],
)
def test_approvals_are_the_last_decisions_on_the_head(reviews: list[Review], expected: tuple[str, ...]) -> None:
    assert approvals(reviews, HEAD) == expected


def a_review(user: dict[str, str] | None, association: str = "MEMBER") -> dict[str, Any]:
    return {"user": user, "state": "APPROVED", "commit_id": HEAD, "author_association": association}


def test_who_wrote_a_commit_does_not_approve_it(fake: FakeGitHub, github: GitHub) -> None:
    fake.pulls[7].reviews = [
        {"user": {"login": name}, "state": "APPROVED", "commit_id": HEAD, "author_association": "MEMBER"}
        for name in ("A.Martin", "bob", "dpo")
    ]
    fake.pulls[7].committers = ["a.martin", "Bob"]
    found = read_people(github, REPOSITORY, 7)
    assert (found.approving, found.authors, found.counting) == (
        ("A.Martin", "bob", "dpo"),
        ("a.martin", "Bob"),
        ("dpo",),
    )
    fake.pulls[7].committers = ["a.martin"] * 250
    with pytest.raises(RemoteRefused, match="250 commits"):
        read_people(github, REPOSITORY, 7)


def test_when_somebody_approved_is_told_where_the_forge_says_it(fake: FakeGitHub, github: GitHub) -> None:
    fake.pulls[7].reviews = [
        {**a_review({"login": "bob"}), "submitted_at": "2026-11-20T08:00:00Z"},
        {**a_review({"login": "bob"}), "submitted_at": "2026-11-21T08:59:00Z"},
        {**a_review({"login": "dpo"}), "submitted_at": "yesterday"},
    ]
    assert read_people(github, REPOSITORY, 7).at == {"bob": "2026-11-21T08:59:00Z"}


def test_approvals_are_read_over_pages(fake: FakeGitHub, github: GitHub) -> None:
    fake.pulls[7].reviews = [a_review({"login": f"user-{index:03}"}) for index in range(150)] + [
        a_review(None),
        a_review({"login": "stranger"}, "NONE"),
        a_review({"login": "helper"}, "CONTRIBUTOR"),
    ]
    assert len(read_people(github, REPOSITORY, 7).counting) == 150


def test_tokens_come_from_the_environment_only() -> None:
    assert token_of({"GH_TOKEN": "x"}) == "x"
    assert token_of({"GH_TOKEN": "x", "GITHUB_TOKEN": "y"}) == "y"
    with pytest.raises(UsageError):
        token_of({})
    with pytest.raises(UsageError) as caught:
        GitHub("https://api.github.com", "a b\nc", clock=StillClock())
    assert "a b" not in caught.value.message
