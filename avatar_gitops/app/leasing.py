"""The lease of an apply: who takes it, how long to wait for it; and `unlock`, which ends the lease of a dead run."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from avatar_gitops.app.auditing import Call, done
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.servers import open_server
from avatar_gitops.audit.entry import Override
from avatar_gitops.client.gateway import Gateway, Reader, connect
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.events import DiagnosticFound, Stream
from avatar_gitops.reconcile import lease
from avatar_gitops.reconcile.exclusive import this_process
from avatar_gitops.reconcile.lease import LASTS, TRACES, Holder, Lease, Terms, leased

LEASE_SECONDS: Final = LASTS.total_seconds()
INEXACT: Final = (
    "the server's object storage has no conditional writes, so the lease is kept as well as that allows; "
    "let a concurrency group of the pipeline keep applies apart, too"
)
_DIGITS: Final = re.compile(r"[0-9]{1,20}\Z")
_PAGE: Final = re.compile(r"https?://[A-Za-z0-9.:/_-]{1,400}\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The lease that an apply needs: waited for until a moment, lasting so many seconds without a renewal."""

    root: Path
    project: str
    until: datetime
    seconds: float = LEASE_SECONDS


@contextmanager
def holding(gateway: Gateway, wanted: Wanted, stream: Stream) -> Iterator[None]:
    """Hold the lease of a project; the gateway changes nothing once it is lost. Raises Locked."""
    clock = SystemClock()
    told: set[str] = set()

    def waiting(other: Lease) -> None:
        if other.token not in told:
            told.add(other.token)
            stream(DiagnosticFound("warning", "", f"waits for the lease of {wanted.project}: {other.said()}"))

    board = gateway.board(wanted.project)
    terms = Terms(
        project=wanted.project,
        traces=wanted.root / TRACES,
        timeout=max(0.0, (wanted.until - clock.now()).total_seconds()),
        lasts=timedelta(seconds=wanted.seconds),
        waiting=waiting,
    )
    with leased(board, holder_of(os.environ), terms, clock) as held:
        gateway.only_while(held.check)
        if not board.exact:
            stream(DiagnosticFound("note", "", INEXACT))
        yield


def holder_of(environment: Mapping[str, str]) -> Holder:
    """Who calls, as others are told of it: the run of a CI system with its page, else the process on this machine."""
    run, job = environment.get("GITHUB_RUN_ID", ""), environment.get("CI_JOB_ID", "")
    if environment.get("GITHUB_ACTIONS") == "true" and _DIGITS.match(run):
        server = environment.get("GITHUB_SERVER_URL", "https://github.com")
        return Holder(
            f"github-actions, run {run}",
            run,
            _page(f"{server}/{environment.get('GITHUB_REPOSITORY', '')}/actions/runs/{run}"),
        )
    if environment.get("GITLAB_CI") == "true" and _DIGITS.match(job):
        return Holder(f"gitlab-ci, job {job}", job, _page(environment.get("CI_JOB_URL", "")))
    return Holder(this_process()[:200], secrets.token_hex(4))


def _page(url: str) -> str:
    return url if _PAGE.match(url) else ""


def held_now(remote: Reader, project: str) -> Lease | None:
    """The lease that somebody holds now; None also when the storage does not say, for those who only look."""
    try:
        content = remote.lease(project)
    except AvatarGitOpsError:
        return None
    found = lease.parse(content) if content is not None else None
    return found if found is not None and found.held(SystemClock().now()) else None


@dataclass(frozen=True, slots=True)
class Unlocked:
    """What became of the lease of a project on a server; `lease` is None when nobody held it."""

    server: str
    project: str
    lease: Lease | None
    confirmed: bool = True


def unlock(
    project: Path | None, server: str | None, wanted: str, reason: str, confirm: Callable[[Lease], bool]
) -> Unlocked:
    """End the lease with this id when `confirm` agrees, and record that. Raises Locked when it has another id."""
    applied = load_applied(project)
    clock = SystemClock()
    with (
        open_server(applied.root, applied.project, server) as connection,
        closing(
            connect(
                connection.base_url, connection.api_key, root=applied.root, clock=clock, verify=connection.verify_tls
            )
        ) as gateway,
    ):
        board = gateway.board(applied.name)
        now = lease.held_lease(board, clock.now())
        if now is not None and now.holder.id != wanted:
            raise lease.locked(applied.name, now)
        if now is None or not confirm(now):
            return Unlocked(connection.name, applied.name, now, confirmed=now is None)
        ended = lease.unlock(board, applied.name, wanted, clock)
    if ended is not None:
        passed = Override("--id", f"{wanted}, {ended.holder.by}", reason)
        done(Call.now(applied.root, applied.name, "unlock", (passed,)), {})
    return Unlocked(connection.name, applied.name, ended)
