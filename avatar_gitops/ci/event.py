"""What started a workflow run: the `GITHUB_*` environment and the event file, as data. Text from outside is checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from avatar_gitops.errors import UsageError

MAX_EVENT_BYTES: Final = 26_000_000  # GitHub delivers no event above 25 MB
_SHA: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}\Z")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request and the commit of its branch; `fork` = the branch is in another repository."""

    number: int
    head: str
    fork: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch of some repository, by which a pull request is looked up: `owner:name` at a commit."""

    owner: str
    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Run:
    """The workflow run that this program is part of; empty texts outside of one."""

    repository: str = ""
    commit: str = ""
    run_id: str = ""
    attempt: str = "1"
    event: str = ""
    server_url: str = "https://github.com"
    api_url: str = "https://api.github.com"
    workspace: Path | None = None
    payload: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def log(self) -> str:
        """URL of the run's log."""
        inside = self.repository and self.run_id
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}" if inside else ""

    @property
    def head(self) -> str:
        """The commit of the pull request, or of the branch, that the event names, else the one that was checked out."""
        named, source = pull_request(self), branch(self)
        return named.head if named else source.commit if source else self.commit

    @property
    def fork(self) -> bool:
        """Whether the run is about the branch of another repository, as far as the event tells."""
        named, triggering = pull_request(self), _part(self.payload, "workflow_run")
        if triggering:
            return _part(triggering, "head_repository").get("full_name") != self.repository
        return named is not None and named.fork

    @property
    def pull_request_number(self) -> int | None:
        """The pull request that the event names."""
        named = pull_request(self)
        return named.number if named else None

    def files(self, commit: str) -> str:
        """URL that paths of the repository are added to, at a commit."""
        return f"{self.server_url}/{self.repository}/blob/{commit}/" if self.repository and commit else ""


def read_run(environment: Mapping[str, str]) -> Run:
    """The run that the environment describes. Raises UsageError when it contradicts the form that GitHub documents."""
    repository = environment.get("GITHUB_REPOSITORY", "")
    if repository and not _REPOSITORY.match(repository):
        raise UsageError("GITHUB_REPOSITORY is not of the form owner/name")
    workspace = environment.get("GITHUB_WORKSPACE", "")
    return Run(
        repository=repository,
        commit=_sha(environment.get("GITHUB_SHA", "")),
        run_id=_digits(environment.get("GITHUB_RUN_ID", "")),
        attempt=_digits(environment.get("GITHUB_RUN_ATTEMPT", "")) or "1",
        event=environment.get("GITHUB_EVENT_NAME", ""),
        server_url=_url(environment.get("GITHUB_SERVER_URL", "") or "https://github.com", "GITHUB_SERVER_URL"),
        api_url=_url(environment.get("GITHUB_API_URL", "") or "https://api.github.com", "GITHUB_API_URL"),
        workspace=Path(workspace) if workspace else None,
        payload=_payload(environment.get("GITHUB_EVENT_PATH", "")),
    )


def pull_request(run: Run) -> PullRequest | None:
    """The pull request that the event names, None when it names none: a push, or a run for a branch of a fork."""
    content = run.payload.get("pull_request")
    if not isinstance(content, dict):
        listed = _part(run.payload, "workflow_run").get("pull_requests")
        content = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else None
    if content is None:
        return None
    number, head = content.get("number"), _part(content, "head")
    commit = _sha(str(head.get("sha", "")))
    if not isinstance(number, int) or isinstance(number, bool) or number < 1 or not commit:
        return None
    source, target = _part(head, "repo").get("id"), _part(_part(content, "base"), "repo").get("id")
    return PullRequest(number, commit, fork=source != target)


def branch(run: Run) -> Branch | None:
    """The branch that a `workflow_run` event is about; the event names it also when the branch is in a fork."""
    content = _part(run.payload, "workflow_run")
    owner = _part(_part(content, "head_repository"), "owner").get("login")
    name, commit = content.get("head_branch"), _sha(str(content.get("head_sha", "")))
    if not (isinstance(owner, str) and isinstance(name, str) and commit):
        return None
    return Branch(owner, name, commit)


def _part(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        file = Path(path)
        if file.stat().st_size > MAX_EVENT_BYTES:
            raise UsageError("the event file is larger than any that GitHub writes")
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the event file cannot be read ({error.strerror or 'unknown reason'})") from None
    except (ValueError, RecursionError):
        raise UsageError("the event file is not JSON", hint="GITHUB_EVENT_PATH is set by the runner") from None
    return content if isinstance(content, dict) else {}


def _sha(text: str) -> str:
    return text if _SHA.match(text) else ""


def _digits(text: str) -> str:
    return text if re.fullmatch(r"[0-9]{1,20}", text) else ""


def _url(text: str, name: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._/-]*)?", text):
        raise UsageError(f"{name} is not the address of a GitHub")
    return text.rstrip("/")
