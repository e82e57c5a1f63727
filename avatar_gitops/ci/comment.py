"""The one comment of a project on a pull request: found by its marker and its author, made once, edited in place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.ci.event import Run, branch, pull_request
from avatar_gitops.ci.github import GitHub, LostAnswer
from avatar_gitops.errors import RemoteRefused, UsageError

BOT: Final = "github-actions[bot]"
MARK: Final = "<!-- avatar-gitops:"
DATA: Final = "<!-- avatar-gitops:data:v1 "
END: Final = " -->"
MAX_CHARACTERS: Final = 65_536
NO_CHANGES: Final = "no_changes"
AFTER_MERGE: Final = frozenset({"applied", "partial"})


class Result(StrEnum):
    """What publishing did."""

    CREATED = "created"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    NOT_NEEDED = "not_needed"  # nothing changes and nothing was ever said
    OUTDATED = "outdated"  # the branch has moved on, or the pull request is over


@dataclass(frozen=True, slots=True)
class Body:
    """A comment in the form that this product writes: `mark` is its first line, the data stand in its second."""

    text: str
    mark: str
    head: str
    state: str


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing did, and where the comment is; the URL is empty when there is none."""

    result: Result
    url: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request as GitHub knows it now."""

    number: int
    head: str
    open: bool


@dataclass(frozen=True, slots=True)
class _Comment:
    id: int
    text: str
    url: str


def read_body(text: str) -> Body:
    """A comment that is about to be published. Raises UsageError when it is not one of ours or is too long."""
    mark, data = _hidden(text)
    if data is None:
        raise UsageError(
            "this file is not a comment of avatar-gitops: it must open with its two hidden lines",
            hint="write one with avatar-gitops ci plan",
        )
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"the comment has more than {MAX_CHARACTERS} characters, which GitHub refuses")
    return Body(text, mark, str(data.get("head", "")), str(data.get("state", "")))


def _hidden(text: str) -> tuple[str, Mapping[str, Any] | None]:
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    second = rest.partition("\n")[0]
    if not (first.startswith(MARK) and " project=" in first and first.endswith(END)):
        return "", None
    if not (second.startswith(DATA) and second.endswith(END)):
        return "", None
    try:
        data = json.loads(second[len(DATA) : -len(END)])
    except ValueError:
        return "", None
    return first, data if isinstance(data, dict) else None


def find_target(github: GitHub, run: Run, number: int | None = None) -> Target | None:
    """The pull request of a run: asked for, named by the event, of its branch, or the one that a pushed commit merged.

    What an artifact says is never asked: anybody who opens a pull request can write artifacts.
    """
    named = pull_request(run)
    if number is None and named is not None:
        number = named.number
    if number is not None:
        return _target(github.get(f"repos/{run.repository}/pulls/{number}"))
    source = branch(run)
    if source is not None:
        query = {"state": "open", "head": f"{source.owner}:{source.name}"}
        found = [_target(item) for item in github.pages(f"repos/{run.repository}/pulls", query)]
        return next((target for target in found if target.head == source.commit), None)
    if not run.commit:
        return None
    merged = github.pages(f"repos/{run.repository}/commits/{run.commit}/pulls")
    return next((_target(item) for item in merged if item.get("merge_commit_sha") == run.commit), None)


def publish(github: GitHub, repository: str, target: Target, body: Body, author: str = BOT) -> Published:
    """Make the comment or edit the one that is there; nothing is ever deleted."""
    found = _find(github, repository, target.number, body.mark, author)
    if body.state not in AFTER_MERGE and (not target.open or (body.head and body.head != target.head)):
        return Published(Result.OUTDATED, found.url if found else "")
    if found is None:
        if body.state == NO_CHANGES:
            return Published(Result.NOT_NEEDED)
        return _create(github, repository, target.number, body, author)
    return _edit(github, repository, target.number, found, body)


def _create(github: GitHub, repository: str, number: int, body: Body, author: str) -> Published:
    path = f"repos/{repository}/issues/{number}/comments"
    try:
        return Published(Result.CREATED, _comment(github.write("POST", path, {"body": body.text})).url)
    except LostAnswer:
        found = _find(github, repository, number, body.mark, author)
        if found is not None:
            return Published(Result.CREATED, found.url)
        return Published(Result.CREATED, _comment(github.write("POST", path, {"body": body.text})).url)


def _edit(github: GitHub, repository: str, number: int, found: _Comment, body: Body) -> Published:
    if found.text.replace("\r\n", "\n").strip() == body.text.strip():
        return Published(Result.UNCHANGED, found.url)
    path = f"repos/{repository}/issues/comments/{found.id}"
    try:
        return Published(Result.EDITED, _comment(github.write("PATCH", path, {"body": body.text})).url)
    except RemoteRefused as error:
        if error.status != 404:  # somebody deleted it in the meantime
            raise
        made = github.write("POST", f"repos/{repository}/issues/{number}/comments", {"body": body.text})
        return Published(Result.CREATED, _comment(made).url)


def _find(github: GitHub, repository: str, number: int, mark: str, author: str) -> _Comment | None:
    """The oldest comment with the same first line by the same author; anybody can copy a marker."""
    for item in github.pages(f"repos/{repository}/issues/{number}/comments"):
        user = item.get("user") if isinstance(item, dict) else None
        if not isinstance(user, dict) or str(user.get("login", "")).lower() != author.lower():
            continue
        comment = _comment(item)
        if comment.text.replace("\r\n", "\n").partition("\n")[0] == mark:
            return comment
    return None


def _comment(item: Any) -> _Comment:
    try:
        return _Comment(int(item["id"]), str(item["body"] or ""), str(item["html_url"]))
    except (KeyError, TypeError, ValueError):
        raise RemoteRefused("GitHub describes a comment in a form that is not the documented one") from None


def _target(item: Any) -> Target:
    try:
        return Target(int(item["number"]), str(item["head"]["sha"]), item["state"] == "open")
    except (KeyError, TypeError, ValueError):
        raise RemoteRefused("GitHub describes a pull request in a form that is not the documented one") from None
