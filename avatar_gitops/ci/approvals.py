"""Who approves what a pull request says now: reviews of older commits, dismissed and one's own do not count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.ci.conversation import Conversation
from avatar_gitops.errors import RemoteRefused

TRUSTED: Final = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
DECIDING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})


@dataclass(frozen=True, slots=True)
class Review:
    """One review: who, what they decided, and of which commit."""

    login: str
    state: str
    commit: str


def approvals(reviews: Iterable[Review], head: str, author: str) -> tuple[str, ...]:
    """Logins whose last deciding review approves the commit `head`, sorted; the author's own never counts.

    A comment decides nothing, so it leaves an earlier approval as it is; reviews come oldest first.
    """
    last: dict[str, Review] = {}
    for review in reviews:
        if review.state in DECIDING:
            last[review.login.lower()] = review
    good = [review for review in last.values() if review.state == "APPROVED" and review.commit == head]
    return tuple(sorted({review.login for review in good if review.login.lower() != author.lower()}))


def read_approvals(github: Conversation, repository: str, number: int) -> tuple[str, ...]:
    """The approvals of a pull request as it is now."""
    pull = github.get(f"repos/{repository}/pulls/{number}")
    try:
        head, author = str(pull["head"]["sha"]), str(pull["user"]["login"])
    except (KeyError, TypeError):
        raise RemoteRefused("GitHub describes a pull request in a form that is not the documented one") from None
    reviews = [_review(item) for item in github.pages(f"repos/{repository}/pulls/{number}/reviews")]
    return approvals([review for review in reviews if review is not None], head, author)


def _review(item: Mapping[str, Any]) -> Review | None:
    """A review; None when its user is gone or is nobody of this repository: whoever can read it can review."""
    user = item.get("user")
    if not isinstance(user, dict) or not isinstance(user.get("login"), str):
        return None
    if item.get("author_association") not in TRUSTED:
        return None
    return Review(user["login"], str(item.get("state", "")).upper(), str(item.get("commit_id") or ""))
