"""The one issue that tells of drift: opened when something differs, edited while it does, closed when nothing does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.ci.comment import Body
from avatar_gitops.ci.conversation import LostAnswer
from avatar_gitops.ci.github import GitHub
from avatar_gitops.errors import RemoteRefused

LABEL: Final = "avatar-drift"
COLOR: Final = "d93f0b"
DESCRIPTION: Final = "The server differs from what was applied"
CLOSING: Final = "Nothing differs any more."
CLEAN: Final = "clean"


class Result(StrEnum):
    """What was done about the issue."""

    OPENED = "opened"
    EDITED = "edited"
    UNCHANGED = "unchanged"
    CLOSED = "closed"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done, and where the issue is; the URL is empty when there is none."""

    result: Result
    url: str = ""


@dataclass(frozen=True, slots=True)
class _Issue:
    number: int
    title: str
    text: str
    url: str


def keep_issue(github: GitHub, repository: str, title: str, body: Body, author: str) -> Kept:
    """Bring the issue of a project in line with what was found; `body.state` is `clean` when nothing differs."""
    base = f"repos/{repository}"
    found = _find(github, base, body.mark, author)
    if body.state == CLEAN:
        return _close(github, base, found) if found else Kept(Result.NOT_NEEDED)
    if found is None:
        return _open(github, base, title, body, author)
    if (found.title, _plain(found.text)) == (title, _plain(body.text)):
        return Kept(Result.UNCHANGED, found.url)
    github.write("PATCH", f"{base}/issues/{found.number}", {"title": title, "body": body.text})
    return Kept(Result.EDITED, found.url)


def _open(github: GitHub, base: str, title: str, body: Body, author: str) -> Kept:
    _make_label(github, base)
    content: Mapping[str, Any] = {"title": title, "body": body.text, "labels": [LABEL]}
    try:
        return Kept(Result.OPENED, _issue(github.write("POST", f"{base}/issues", content)).url)
    except LostAnswer:
        found = _find(github, base, body.mark, author)
        return Kept(Result.OPENED, (found or _issue(github.write("POST", f"{base}/issues", content))).url)


def _close(github: GitHub, base: str, found: _Issue) -> Kept:
    """Close first: a comment that is lost then does no harm, and the next run finds nothing to close again."""
    github.write("PATCH", f"{base}/issues/{found.number}", {"state": "closed", "state_reason": "completed"})
    github.write("POST", f"{base}/issues/{found.number}/comments", {"body": CLOSING})
    return Kept(Result.CLOSED, found.url)


def _make_label(github: GitHub, base: str) -> None:
    try:
        github.write("POST", f"{base}/labels", {"name": LABEL, "color": COLOR, "description": DESCRIPTION})
    except RemoteRefused as refusal:
        if refusal.status != 422:  # it is there already
            raise


def _find(github: GitHub, base: str, mark: str, author: str) -> _Issue | None:
    """The oldest open issue with the label, this first line and this author; pull requests are listed, too."""
    query = {"state": "open", "labels": LABEL, "sort": "created", "direction": "asc"}
    for item in github.pages(f"{base}/issues", query):
        user = item.get("user") if isinstance(item, dict) else None
        if not isinstance(user, dict) or str(user.get("login", "")).lower() != author.lower() or "pull_request" in item:
            continue
        issue = _issue(item)
        if _plain(issue.text).partition("\n")[0] == mark:
            return issue
    return None


def _issue(item: Any) -> _Issue:
    try:
        return _Issue(int(item["number"]), str(item["title"]), str(item["body"] or ""), str(item["html_url"]))
    except (KeyError, TypeError, ValueError):
        raise RemoteRefused("GitHub describes an issue in a form that is not the documented one") from None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
