"""The rules that the stand-in for GitHub holds requests to: each can be broken, what this program sends breaks none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_gitops.ci.github import DIALECT
from avatar_gitops.ci.issue import COLOR, DESCRIPTION, LABEL
from tests.support.github import REPOSITORY
from tests.support.github_rules import broken

BASE = f"/repos/{REPOSITORY}"
HEADERS = {**DIALECT.headers("x"), "Content-Type": "application/json"}
ISSUE = {"title": "t", "body": "b", "labels": [LABEL]}
NAMED = {"name": LABEL, "color": COLOR, "description": DESCRIPTION}


def write(method: str, path: str, body: Any, **headers: str) -> list[str]:
    return broken(method, BASE + path, {**HEADERS, **headers}, json.dumps(body).encode(), REPOSITORY)


def read(path: str) -> list[str]:
    return broken("GET", BASE + path, HEADERS, b"", REPOSITORY)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/issues/7/comments", {"body": "x"}),
        ("PATCH", "/issues/comments/1", {"body": "x"}),
        ("POST", "/issues", ISSUE),
        ("PATCH", "/issues/7", {"state": "closed", "state_reason": "completed"}),
        ("POST", "/labels", NAMED),
    ],
)
def test_what_is_sent_breaks_no_rule(method: str, path: str, body: Any) -> None:
    assert write(method, path, body) == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/issues/7/comments", {"body": "x", "draft": True}),
        ("PATCH", "/issues/comments/1?force=1", {"body": "x"}),
        ("DELETE", "/issues/comments/1", {"body": "x"}),
        ("POST", "/issues", {**ISSUE, "state": "open"}),
        ("POST", "/issues", {**ISSUE, "labels": "drift"}),
        ("POST", "/issues", {**ISSUE, "labels": ["x"] * 101}),
        ("PATCH", "/issues/7", {"state": "merged"}),
        ("PATCH", "/issues/7", {"state": "open", "state_reason": "completed"}),
        ("PATCH", "/issues/7", []),
        ("POST", "/labels", {**NAMED, "color": f"#{COLOR}"}),
        ("POST", "/labels", {**NAMED, "name": "x" * 51}),
        ("POST", "/labels", {**NAMED, "name": "a,b"}),
        ("POST", "/labels", {**NAMED, "description": "x" * 101}),
    ],
)
def test_what_breaks_a_rule_is_told(method: str, path: str, body: Any) -> None:
    assert len(write(method, path, body)) == 1


@pytest.mark.parametrize("name", ["Accept", "X-GitHub-Api-Version", "Content-Type"])
def test_headers_are_looked_at(name: str) -> None:
    assert len(write("POST", "/issues", ISSUE, **{name: "text/plain"})) == 1


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("/issues?state=open&labels=x&sort=created&direction=asc&per_page=100", 0),
        ("/pulls?state=open&head=acme:topic&per_page=100", 0),
        ("/pulls/7/reviews?per_page=100&page=2", 0),
        ("/pulls/7", 0),
        ("/pulls/7/reviews?per_page=101", 1),
        ("/pulls/7/reviews?page=0", 1),
        ("/pulls/7/reviews?state=open", 1),
        ("/pulls?head=topic", 1),
        ("/issues?state=opened", 1),
        ("/issues?sort=name", 1),
        ("/issues?labels=a&labels=b", 1),
        ("/pulls/7?access_token=1", 2),
    ],
)
def test_queries_are_looked_at(path: str, rules: int) -> None:
    assert len(read(path)) == rules


def test_a_body_is_json_and_only_where_one_is_read() -> None:
    assert broken("POST", f"{BASE}/issues", HEADERS, b"{", REPOSITORY) == ["POST /issues is not JSON"]
    assert broken("GET", f"{BASE}/issues", HEADERS, b"{}", REPOSITORY) == ["a body where none is read"]
