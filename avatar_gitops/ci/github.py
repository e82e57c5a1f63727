"""GitHub as a forge: its REST API, pull requests of a run, issue comments, approving reviews."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from avatar_gitops.ci.approvals import read_people
from avatar_gitops.ci.conversation import Conversation, Dialect
from avatar_gitops.ci.event import Run, branch, pull_request
from avatar_gitops.ci.forge import Note, People, Target
from avatar_gitops.errors import RemoteRefused, UsageError

API_VERSION: Final = "2022-11-28"
BOT: Final = "github-actions[bot]"


def _headers(token: str) -> Mapping[str, str]:
    return {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": API_VERSION,
    }


DIALECT: Final = Dialect(
    name="GitHub",
    headers=_headers,
    remaining="X-RateLimit-Remaining",
    reset="X-RateLimit-Reset",
    right="the job needs `permissions: {pull-requests: write}`",
)


class GitHub(Conversation):
    """The REST API of one GitHub with one token."""

    dialect = DIALECT


class GitHubForge:
    """The repository of a workflow run; implements `forge.Forge`."""

    def __init__(self, github: GitHub, run: Run) -> None:
        self._github = github
        self._run = run
        self._base = f"repos/{run.repository}"

    @property
    def robot(self) -> str:
        """The user of the token that a workflow gets."""
        return BOT

    def target(self, number: int | None = None) -> Target | None:
        """The pull request of this run, as GitHub knows it now."""
        named = pull_request(self._run)
        if number is None and named is not None:
            number = named.number
        if number is not None:
            return _target(self._github.get(f"{self._base}/pulls/{number}"))
        source = branch(self._run)
        if source is not None:
            query = {"state": "open", "head": f"{source.owner}:{source.name}"}
            found = [_target(item) for item in self._github.pages(f"{self._base}/pulls", query)]
            return next((target for target in found if target.head == source.commit), None)
        if not self._run.commit:
            return None
        merged = self._github.pages(f"{self._base}/commits/{self._run.commit}/pulls")
        return next((_target(item) for item in merged if item.get("merge_commit_sha") == self._run.commit), None)

    def notes(self, number: int) -> Iterator[Note]:
        """Comments of a pull request, oldest first; those of deleted users are left out."""
        for item in self._github.pages(f"{self._base}/issues/{number}/comments"):
            if isinstance(item, dict) and isinstance(item.get("user"), dict):
                yield _note(item)

    def create(self, number: int, text: str) -> Note:
        """Write a comment."""
        return _note(self._github.write("POST", f"{self._base}/issues/{number}/comments", {"body": text}))

    def edit(self, number: int, note: Note, text: str) -> Note:
        """Replace the text of a comment."""
        return _note(self._github.write("PATCH", f"{self._base}/issues/comments/{note.id}", {"body": text}))

    def people(self, number: int) -> People:
        """Who approves the head of a pull request, and who wrote it."""
        return read_people(self._github, self._run.repository, number)


def _note(item: Any) -> Note:
    try:
        author = str(item["user"]["login"])
        return Note(int(item["id"]), str(item["body"] or ""), str(item["html_url"]), author)
    except (KeyError, TypeError, ValueError):
        raise RemoteRefused("GitHub describes a comment in a form that is not the documented one") from None


def _target(item: Any) -> Target:
    try:
        author = str((item.get("user") or {}).get("login", ""))
        return Target(int(item["number"]), str(item["head"]["sha"]), item["state"] == "open", author)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise RemoteRefused("GitHub describes a pull request in a form that is not the documented one") from None


def token_of(environment: Mapping[str, str]) -> str:
    """The token that the environment gives. Raises UsageError when there is none."""
    found = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    if not found.strip():
        raise UsageError(
            "there is no token for GitHub", hint="env: {GITHUB_TOKEN: '${{ github.token }}'} on the step, or --dry-run"
        )
    return found
