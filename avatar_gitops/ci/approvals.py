"""Who approves what a pull request says now: reviews of older commits, dismissed and one's own do not count.

One's own are those of the author of the pull request and of everybody who wrote or committed one of its commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.ci.conversation import Conversation
from avatar_gitops.ci.forge import People
from avatar_gitops.errors import RemoteRefused

TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
WEB: Final = "web-flow"  # commits that GitHub makes for people who press a button
MOST_COMMITS: Final = 250  # GitHub lists no more of a pull request
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
DECIDING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


@dataclass(frozen=True, slots=True)
class Review:
    """One review: who, what they decided, of which commit, and when (ISO text, UTC; empty when nobody says)."""

    login: str
    state: str
    commit: str
    at: str = ""


def approvals(reviews: Iterable[Review], head: str) -> tuple[str, ...]:
    """Logins whose last deciding review approves the commit `head`, sorted.

    A comment decides nothing, so it leaves an earlier approval as it is; reviews come oldest first.
    """
    last: dict[str, Review] = {}
    for review in reviews:
        if review.state in DECIDING:
            last[review.login.lower()] = review
    good = [review for review in last.values() if review.state == "APPROVED" and review.commit == head]
    return tuple(sorted({review.login for review in good}))


def read_people(github: Conversation, repository: str, number: int) -> People:
    """Who approves a pull request as it is now, and who wrote it."""
    pull = github.get(f"repos/{repository}/pulls/{number}")
    try:
        head, author = str(pull["head"]["sha"]), str(pull["user"]["login"])
    except (KeyError, TypeError):
        raise RemoteRefused("GitHub describes a pull request in a form that is not the documented one") from None
    reviews = [_review(item) for item in github.pages(f"repos/{repository}/pulls/{number}/reviews")]
    counted = [review for review in reviews if review is not None]
    found = People(approvals(counted, head), (author,))
    if not found.counting:
        return found
    commits = list(github.pages(f"repos/{repository}/pulls/{number}/commits"))
    at = {review.login: review.at for review in counted if review.state == "APPROVED" and review.at}
    return People(found.approving, tuple(dict.fromkeys((author, *_committers(commits)))), at)


def _committers(commits: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Who wrote or committed something."""
    if len(commits) >= MOST_COMMITS:
        raise RemoteRefused(
            f"the pull request has {MOST_COMMITS} commits or more, so nobody can tell who wrote it",
            hint="squash its commits, or name who approves: avatar-gitops apply --approved-by LOGIN",
        )
    people = [commit.get(part) for commit in commits for part in ("author", "committer")]
    logins = (str(person.get("login", "")) for person in people if isinstance(person, dict))
    yield from (login for login in logins if login and login.lower() != WEB)


def _review(item: Mapping[str, Any]) -> Review | None:
    """A review; None when its user is gone or is nobody of this repository: whoever can read it can review."""
    user = item.get("user")
    if not isinstance(user, dict) or not isinstance(user.get("login"), str):
        return None
    if item.get("author_association") not in TRUSTED:
        return None
    at = str(item.get("submitted_at") or "")
    state, commit = str(item.get("state", "")).upper(), str(item.get("commit_id") or "")
    return Review(user["login"], state, commit, at if MOMENT.fullmatch(at) else "")
