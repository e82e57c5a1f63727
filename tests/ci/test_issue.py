"""The drift issue: one, opened, edited while sets differ, closed when none does; copies by others are left alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from avatar_gitops.ci.comment import Body, read_body
from avatar_gitops.ci.github import BOT, GitHub
from avatar_gitops.ci.issue import Result, keep_issue
from avatar_gitops.errors import RemoteRefused
from avatar_gitops.plan.drift import Drift, Finding, Kind
from avatar_gitops.report.issue import drift_issue, title_of
from tests.support.github import REPOSITORY, TOKEN, FakeGitHub, Planned, Pull, fake_github
from tests.support.http import StillClock


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with fake_github() as made:
        made.pulls[7] = Pull(7, "a" * 40)
        yield made


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    made = GitHub(fake.url, TOKEN, clock=StillClock())
    yield made
    made.close()


def found(*sets: str) -> Body:
    findings = tuple(Finding(name, Kind.MISSING, "the run is gone", f"configs/{name}.yaml") for name in sets)
    return read_body(drift_issue(Drift("demo", "prod", 3, findings), date(2026, 1, 1)))


def keep(github: GitHub, body: Body) -> Result:
    return keep_issue(github, REPOSITORY, title_of(body.text), body, BOT).result


def test_an_issue_lives_as_long_as_the_drift(fake: FakeGitHub, github: GitHub) -> None:
    assert keep(github, found()) is Result.NOT_NEEDED
    assert keep(github, found("a")) is Result.OPENED
    assert keep(github, found("a")) is Result.UNCHANGED
    assert keep(github, found("a", "b_c")) is Result.EDITED
    (issue,) = fake.issues.values()
    assert issue["title"] == "⚠️ Avatar: 2 of 3 sets on prod differ from what was applied"
    assert issue["labels"] == fake.labels == ["avatar-drift"]
    assert keep(github, found()) is Result.CLOSED
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert fake.comments[-1]["body"] == "Nothing differs any more."
    assert keep(github, found()) is Result.NOT_NEEDED
    assert keep(github, found("a")) is Result.OPENED
    assert len(fake.issues) == 2


def test_an_issue_with_a_copied_marker_is_left_alone(fake: FakeGitHub, github: GitHub) -> None:
    keep(github, found("a"))
    fake.issues[100]["user"] = {"login": "mallory"}
    assert keep(github, found()) is Result.NOT_NEEDED
    assert fake.issues[100]["state"] == "open"


@pytest.mark.parametrize("act", [True, False])
def test_a_lost_answer_never_opens_two_issues(fake: FakeGitHub, github: GitHub, act: bool) -> None:
    fake.labels.append("Avatar-Drift")
    fake.planned = [Planned("POST", 422), Planned("POST", 502, act=act)]
    assert keep(github, found("a")) is Result.OPENED
    assert len(fake.issues) == 1


def test_a_missing_right_is_told(fake: FakeGitHub, github: GitHub) -> None:
    fake.may_write = False
    with pytest.raises(RemoteRefused, match="not accessible"):
        keep(github, found("a"))
