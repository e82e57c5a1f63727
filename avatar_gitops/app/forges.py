"""Which forge this program runs for, GitHub or GitLab, and a conversation with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

from avatar_gitops.app.clock import SystemClock
from avatar_gitops.ci.event import Run, read_run
from avatar_gitops.ci.forge import Forge, Pipeline
from avatar_gitops.ci.github import GitHub, GitHubForge, token_of
from avatar_gitops.ci.gitlab import GitLab, GitLabForge, gitlab_token_of, read_gitlab_run
from avatar_gitops.errors import UsageError


def pipeline(*, required: bool = False) -> Pipeline:
    """The run that this program is part of, empty outside of one. Raises UsageError when one is `required`."""
    if on_gitlab():
        return read_gitlab_run(os.environ)
    return inside_github() if required else read_run(os.environ)


@contextmanager
def forge() -> Iterator[Forge]:
    """The forge of this run, until the block ends. Raises UsageError outside of a run, or without a token."""
    if on_gitlab():
        run = read_gitlab_run(os.environ)
        with closing(GitLab(run.api_url, gitlab_token_of(os.environ), clock=SystemClock())) as gitlab:
            yield GitLabForge(gitlab, run)
    else:
        with github() as (conversation, started):
            yield GitHubForge(conversation, started)


@contextmanager
def github() -> Iterator[tuple[GitHub, Run]]:
    """GitHub and the workflow run, until the block ends."""
    run = inside_github()
    with closing(GitHub(run.api_url, token_of(os.environ), clock=SystemClock())) as conversation:
        yield conversation, run


def inside_github() -> Run:
    """The workflow run. Raises UsageError when there is none."""
    run = read_run(os.environ)
    if not run.repository:
        raise UsageError(
            "this is no workflow run: GITHUB_REPOSITORY is not set", hint="export GITHUB_REPOSITORY=owner/name"
        )
    return run


def on_gitlab() -> bool:
    """Whether this is a job of GitLab CI."""
    return os.environ.get("GITLAB_CI") == "true"
