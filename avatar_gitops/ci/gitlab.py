"""GitLab as a forge: the pipeline's environment, merge requests, notes and approvals of its REST API."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from avatar_gitops.ci.conversation import Conversation, Dialect
from avatar_gitops.ci.forge import Note, People, Target
from avatar_gitops.errors import RemoteRefused, UsageError

DIALECT: Final = Dialect(
    name="GitLab",
    headers=lambda token: {"PRIVATE-TOKEN": token},
    remaining="RateLimit-Remaining",
    reset="RateLimit-Reset",
    right="the token needs the scope `api` and the role Reporter or a higher one",
)
_SHA: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}\Z")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?\Z")


@dataclass(frozen=True, slots=True)
class GitLabRun:
    """The pipeline job that this program is part of; implements `forge.Pipeline`. Empty texts outside of one.

    `head` is the commit of the merge request's branch, `commit` the one that was checked out.
    """

    api_url: str = ""
    project_id: str = ""
    project_url: str = ""
    repository: str = ""
    commit: str = ""
    head: str = ""
    pull_request_number: int | None = None
    log: str = ""
    workspace: Path | None = None
    fork: bool = False

    def files(self, commit: str) -> str:
        """URL that paths of the repository are added to, at a commit."""
        return f"{self.project_url}/-/blob/{commit}/" if self.project_url and commit else ""


def read_gitlab_run(environment: Mapping[str, str]) -> GitLabRun:
    """The job that the environment describes. Raises UsageError when it contradicts the form that GitLab documents."""
    project, asked = environment.get("CI_PROJECT_ID", ""), environment.get("CI_MERGE_REQUEST_IID", "")
    if not _NUMBER.match(project):
        raise UsageError("CI_PROJECT_ID is not the number of a GitLab project")
    commit = _sha(environment.get("CI_COMMIT_SHA", ""))
    workspace = environment.get("CI_PROJECT_DIR", "")
    return GitLabRun(
        api_url=_address(environment.get("CI_API_V4_URL", ""), "CI_API_V4_URL"),
        project_id=project,
        project_url=_address(environment.get("CI_PROJECT_URL", ""), "CI_PROJECT_URL"),
        repository=environment.get("CI_PROJECT_PATH", ""),
        commit=commit,
        head=_sha(environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")) or commit,
        pull_request_number=int(asked) if _NUMBER.match(asked) else None,
        log=_address(environment["CI_JOB_URL"], "CI_JOB_URL") if environment.get("CI_JOB_URL") else "",
        workspace=Path(workspace) if workspace else None,
        fork=environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", project) != project,
    )


def gitlab_token_of(environment: Mapping[str, str]) -> str:
    """The token that the environment gives. Raises UsageError when there is none."""
    found = environment.get("AVATAR_GITLAB_TOKEN") or environment.get("GITLAB_TOKEN") or ""
    if not found.strip():
        raise UsageError(
            "there is no token for GitLab",
            hint="make a project access token (scope api) and a masked variable AVATAR_GITLAB_TOKEN; "
            "CI_JOB_TOKEN cannot write notes",
        )
    return found


SETTINGS: Final = (
    ("reset_approvals_on_push", "stay when the branch changes", "remove all approvals when commits are added"),
    (
        "merge_requests_disable_committers_approval",
        "can be given by who wrote the commits",
        "prevent approvals by users who add commits",
    ),
)
"""What has to be set in a project for approvals to mean something: name, what happens otherwise, what to do."""


class GitLab(Conversation):
    """The REST API of one GitLab with one token."""

    dialect = DIALECT


class GitLabForge:
    """The project of a pipeline job; implements `forge.Forge`."""

    def __init__(self, gitlab: GitLab, run: GitLabRun) -> None:
        self._gitlab = gitlab
        self._run = run
        self._base = f"projects/{run.project_id}"

    @property
    def robot(self) -> str:
        """The user of the token: a project access token has a user of its own."""
        return _text(self._gitlab.get("user"), "username")

    def target(self, number: int | None = None) -> Target | None:
        """The merge request of this job: asked for, of its pipeline, or merged by its commit."""
        number = number or self._run.pull_request_number
        if number is not None:
            return _target(self._gitlab.get(f"{self._base}/merge_requests/{number}"))
        commit = self._run.commit
        if not commit:
            return None
        for item in self._gitlab.pages(f"{self._base}/repository/commits/{commit}/merge_requests"):
            made = {item.get(key) for key in ("merge_commit_sha", "squash_commit_sha", "sha")}
            if item.get("state") == "merged" and commit in made:
                return _target(item)
        return None

    def notes(self, number: int) -> Iterator[Note]:
        """Notes that people and robots wrote on a merge request, oldest first."""
        query = {"sort": "asc", "order_by": "created_at"}
        for item in self._gitlab.pages(f"{self._base}/merge_requests/{number}/notes", query):
            if isinstance(item, dict) and not item.get("system"):
                yield self._note(number, item)

    def create(self, number: int, text: str) -> Note:
        """Write a note."""
        path = f"{self._base}/merge_requests/{number}/notes"
        return self._note(number, self._gitlab.write("POST", path, {"body": text}))

    def edit(self, number: int, note: Note, text: str) -> Note:
        """Replace the text of a note."""
        path = f"{self._base}/merge_requests/{number}/notes/{note.id}"
        return self._note(number, self._gitlab.write("PUT", path, {"body": text}))

    def people(self, number: int) -> People:
        """Who approves a merge request, and its author.

        GitLab does not say of which commit an approval is, nor which user wrote a commit. Where approvals outlive a
        push they say nothing about what is merged, and where people approve what they wrote nobody else has seen it,
        so they are refused rather than counted.
        """
        settings = self._gitlab.get(f"{self._base}/approvals")
        for name, why, hint in SETTINGS:
            if not (isinstance(settings, dict) and settings.get(name) is True):
                message = f"approvals of this GitLab project {why}, so they do not count"
                raise RemoteRefused(message, hint=f"settings, merge requests: {hint}")
        author = _target(self._gitlab.get(f"{self._base}/merge_requests/{number}")).author
        given = self._gitlab.get(f"{self._base}/merge_requests/{number}/approvals")
        listed = given.get("approved_by") if isinstance(given, dict) else None
        names = {_text(item.get("user"), "username") for item in listed or ()}
        return People(tuple(sorted(names)), (author,))

    def _note(self, number: int, item: Any) -> Note:
        try:
            identity, author = int(item["id"]), str(item["author"]["username"])
            url = f"{self._run.project_url}/-/merge_requests/{number}#note_{identity}"
            return Note(identity, str(item["body"] or ""), url, author)
        except (KeyError, TypeError, ValueError):
            raise RemoteRefused("GitLab describes a note in a form that is not the documented one") from None


def _target(item: Any) -> Target:
    try:
        return Target(int(item["iid"]), str(item["sha"]), item["state"] == "opened", _text(item["author"], "username"))
    except (KeyError, TypeError, ValueError):
        raise RemoteRefused("GitLab describes a merge request in a form that is not the documented one") from None


def _text(item: Any, key: str) -> str:
    found = item.get(key) if isinstance(item, dict) else None
    if not isinstance(found, str) or not found:
        raise RemoteRefused(f"GitLab gives no {key} where its documentation promises one")
    return found


def _sha(text: str) -> str:
    return text if _SHA.match(text) else ""


def _address(text: str, name: str) -> str:
    if not _ADDRESS.match(text):
        raise UsageError(f"{name} is not the address of a GitLab")
    return text.rstrip("/")
