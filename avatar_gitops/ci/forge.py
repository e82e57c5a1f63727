"""What publishing needs of a forge, GitHub or GitLab: the pull request of a run, its notes, who approves it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Target:
    """A pull request (a merge request) as the forge knows it now; `author` opened it."""

    number: int
    head: str
    open: bool
    author: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """One comment; `author` is the login of who wrote it."""

    id: int
    text: str
    url: str
    author: str


@dataclass(frozen=True, slots=True)
class People:
    """Logins of who approves what a pull request says now, and of who wrote it, both as far as anybody can tell.

    Commits are looked at only when somebody other than the author approves. `at` says when somebody approved, as far as
    the forge tells (ISO text, UTC).
    """

    approving: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    at: Mapping[str, str] = field(default_factory=dict)

    @property
    def counting(self) -> tuple[str, ...]:
        """Who approves without having written anything of it."""
        own = {login.lower() for login in self.authors}
        return tuple(login for login in self.approving if login.lower() not in own)


class Forge(Protocol):
    """One repository on one forge, as a run of its pipeline sees it."""

    @property
    def robot(self) -> str:
        """Login under which this token writes."""
        ...

    def target(self, number: int | None = None) -> Target | None:
        """The pull request of this run: asked for, named by the event, of its branch, or merged by its commit.

        What an artifact says is never asked: anybody who opens a pull request can write artifacts.
        """
        ...

    def notes(self, number: int) -> Iterable[Note]:
        """Comments of a pull request, oldest first."""
        ...

    def create(self, number: int, text: str) -> Note:
        """Write a comment. Raises LostAnswer when nobody knows whether it is there."""
        ...

    def edit(self, number: int, note: Note, text: str) -> Note:
        """Replace the text of a comment. Raises RemoteRefused with status 404 when it is gone."""
        ...

    def people(self, number: int) -> People:
        """Who approves what the pull request says now, and who wrote it."""
        ...


class Pipeline(Protocol):
    """The run of a pipeline that this program is part of; empty texts outside of one."""

    @property
    def repository(self) -> str: ...

    @property
    def commit(self) -> str:
        """The commit that was checked out."""
        ...

    @property
    def head(self) -> str:
        """The commit of the pull request's branch, else the one that was checked out."""
        ...

    @property
    def fork(self) -> bool:
        """Whether the run is about the branch of another repository, whose files nobody has vouched for."""
        ...

    @property
    def pull_request_number(self) -> int | None:
        """The pull request that the pipeline runs for, as far as the event names it."""
        ...

    @property
    def log(self) -> str:
        """URL of the log."""
        ...

    @property
    def workspace(self) -> Path | None:
        """Folder of the checkout."""
        ...

    def files(self, commit: str) -> str:
        """URL that paths of the repository are added to, at a commit."""
        ...
