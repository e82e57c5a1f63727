"""One apply at a time in a project, wherever it runs: a lease on the server, renewed while the apply goes on.

A lease ends when it is given back, when it is not renewed for its time, or when somebody unlocks it. It is given back
by writing, never by deleting, so that every step rests on what was read before.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from avatar_gitops.errors import AvatarGitOpsError, Locked, RemoteUnavailable
from avatar_gitops.ports import Board, Clock

LOG: Final = logging.getLogger(__name__)
LASTS: Final = timedelta(minutes=30)
FRESH: Final = timedelta(seconds=20)
RENEWALS: Final = 3  # in the time that a lease lasts, so that clocks may differ by two thirds of it
POLL_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 2.0
MOST_LOSSES: Final = 20
FORMAT: Final = "avatar-gitops/lease"
UNREADABLE: Final = "unreadable"
TRACES: Final = Path(".avatar") / "leases"

Plain = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,200}$")]
Link = Annotated[str, Field(pattern=r"^(https?://[A-Za-z0-9.:\[\]/_~%-]{1,500})?$")]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who takes a lease: in words, by an id for `unlock`, and the page of its run where it has one."""

    by: str
    id: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Lease:
    """Who has the project and until when; `token` is known to nobody but the process that holds it."""

    holder: Holder
    since: datetime
    expires: datetime
    token: str

    def held(self, now: datetime) -> bool:
        """Whether nobody else may begin."""
        return bool(self.token) and now < self.expires

    def said(self) -> str:
        """Who, since when and until when, in one line."""
        about = f" {self.holder.url}" if self.holder.url else ""
        return f"{self.holder.by}{about}, since {clock_text(self.since)}, expires {clock_text(self.expires)}"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a lease is taken: for how long, how many seconds to wait for that of another, and whom to tell of the wait.

    `traces` is where this checkout notes its leases, so that one that a killed process of it left is no obstacle.
    """

    project: str
    traces: Path
    timeout: float = 0.0
    lasts: timedelta = LASTS
    waiting: Callable[[Lease], None] = lambda lease: None


class _Document(BaseModel):
    format: Literal["avatar-gitops/lease"]
    version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    by: Plain
    id: Plain
    url: Link = ""
    since: AwareDatetime
    expires: AwareDatetime
    token: Annotated[str, Field(pattern=r"^[0-9a-f]{0,64}$")] = ""


def parse(content: bytes) -> Lease:
    """The lease that a note says; one that cannot be read is held by nobody knows whom until it is unlocked."""
    try:
        said = _Document.model_validate_json(content)
    except ValidationError:
        unknown = Holder("something that this version cannot read", UNREADABLE)
        return Lease(unknown, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), UNREADABLE)
    return Lease(Holder(said.by, said.id, said.url), said.since, said.expires, said.token)


def render(lease: Lease, project: str) -> bytes:
    """The note of a lease: no data, and no secret that opens anything."""
    said = {
        "format": FORMAT,
        "version": "1.0",
        "project": project,
        "by": lease.holder.by,
        "id": lease.holder.id,
        "url": lease.holder.url,
        "since": lease.since.isoformat(),
        "expires": lease.expires.isoformat(),
        "token": lease.token,
        "nonce": secrets.token_hex(8),  # equal bytes would have equal tags
    }
    return json.dumps(said, indent=2).encode() + b"\n"


def held_lease(board: Board, now: datetime) -> Lease | None:
    """The lease that somebody holds now; None when a new apply could begin."""
    found = board.read()
    lease = parse(found[0]) if found else None
    return lease if lease is not None and lease.held(now) else None


def unlock(board: Board, project: str, wanted: str, clock: Clock) -> Lease | None:
    """End the lease with this id, whoever holds it; None when nobody holds one. Raises Locked for another id."""
    for _ in range(MOST_LOSSES):
        found = board.read()
        lease = parse(found[0]) if found else None
        if found is None or lease is None or not lease.held(clock.now()):
            return None
        if lease.holder.id != wanted:
            raise locked(project, lease)
        if board.write(render(_ended(lease, clock.now()), project), found[1]) is not None:
            return lease
    raise RemoteUnavailable("the lease changes faster than it can be unlocked", hint="look again: avatar-gitops status")


class Held:
    """A lease of this process, renewed in the background."""

    def __init__(self, board: Board, terms: Terms, clock: Clock, lease: Lease, tag: str) -> None:
        self._board, self._terms, self._clock = board, terms, clock
        self._lease, self._tag = lease, tag
        self._renewed = lease.since
        self._lost = False
        self._guard = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def check(self) -> None:
        """Raise Locked when the lease is no longer ours, so that nothing is started beside another apply."""
        with self._guard:
            now = self._clock.now()
            if not self._lost and now - self._renewed >= FRESH:
                try:
                    self._renew()
                except RemoteUnavailable:  # no reason to stop while nobody else can have taken it
                    self._lost = not self._lease.held(now)
            if self._lost:
                raise Locked(
                    f"this apply no longer holds the lease of project {self._terms.project}",
                    hint="somebody unlocked it, or it expired while this machine slept; avatar-gitops resume goes on",
                    code="R008",
                )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *trouble: object) -> None:
        """Give the lease back; when that fails it expires by itself, and this checkout may take it before that."""
        self._over.set()
        self._thread.join(timeout=POLL_SECONDS)
        with self._guard:
            try:
                if not self._lost:
                    self._put(_ended(self._lease, self._clock.now()))
                self._lost = True  # a thread that still hangs in a request must not start anything after it
                self._terms.traces.unlink(missing_ok=True)
            except (AvatarGitOpsError, OSError) as error:
                LOG.warning("the lease was not given back (%s); it ends by itself", type(error).__name__)

    def _keep(self) -> None:
        every = self._terms.lasts.total_seconds() / RENEWALS
        pause = every
        while not self._over.wait(pause) and not self._lost:
            try:
                with self._guard:
                    self._renew()
                pause = every
            except Exception as error:  # the next try may go well, and `check` stops the apply if none does
                LOG.warning("the lease was not renewed (%s); tried again", type(error).__name__)
                pause = every / 10

    def _renew(self) -> None:
        if not self._over.is_set():
            self._put(replace(self._lease, expires=self._clock.now() + self._terms.lasts))

    def _put(self, lease: Lease) -> None:
        """Write what the lease is from now on; finds out whether it is still ours."""
        tag = self._board.write(render(lease, self._terms.project), self._tag)
        if tag is None:
            found = self._board.read()
            if found is None or parse(found[0]).token != self._lease.token:
                self._lost = bool(lease.token)
                return
            tag = self._board.write(render(lease, self._terms.project), found[1])
            if tag is None:
                raise RemoteUnavailable("the lease was not written")
        self._lease, self._tag, self._renewed = lease, tag, self._clock.now()


@contextmanager
def leased(board: Board, holder: Holder, terms: Terms, clock: Clock) -> Iterator[Held]:
    """Hold the lease of a project for as long as the context lasts. Raises Locked when another apply has it.

    The lock of the checkout must be held, see `reconcile.exclusive`.
    """
    token = secrets.token_hex(16)
    try:
        taken = _taken(board, Claim(holder, token), terms, clock)
    except KeyboardInterrupt:
        with contextlib.suppress(AvatarGitOpsError):
            _let_go(board, token, terms, clock)
        raise
    with taken as held:
        yield held


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants a lease, with the token that it will have."""

    holder: Holder
    token: str


def _let_go(board: Board, token: str, terms: Terms, clock: Clock) -> None:
    """Give back a lease that was interrupted while it was taken."""
    found = board.read()
    lease = parse(found[0]) if found else None
    if found and lease and lease.token == token:
        board.write(render(_ended(lease, clock.now()), terms.project), found[1])


def _taken(board: Board, claim: Claim, terms: Terms, clock: Clock) -> Held:
    deadline = clock.now() + timedelta(seconds=terms.timeout)
    token, losses = claim.token, 0
    ours = _traces(terms.traces)
    while True:
        found, now = board.read(), clock.now()
        lease = parse(found[0]) if found else None
        if found and lease and lease.token == token:
            return Held(board, terms, clock, lease, found[1])
        if lease is None or not lease.held(now) or lease.token in ours:
            _trace(terms.traces, token)
            made = Lease(claim.holder, now, now + terms.lasts, token)
            written = board.write(render(made, terms.project), found[1] if found else None)
            if not board.exact:
                clock.sleep(SETTLE_SECONDS)  # whoever wrote in the same moment is seen by the next reading
            losses += written is None
            if losses > MOST_LOSSES:
                raise RemoteUnavailable("the lease cannot be taken: what is written is not what is read")
            continue
        left = (deadline - now).total_seconds()
        if left <= 0:
            raise locked(terms.project, lease)
        terms.waiting(lease)
        clock.sleep(min(POLL_SECONDS, left, max(0.1, (lease.expires - now).total_seconds())))


def locked(project: str, lease: Lease) -> Locked:
    """The refusal that tells whose lease it is and what to do."""
    lines = [
        f"another apply holds the lease of project {project}",
        f"   by        {lease.holder.by}" + (f"   {lease.holder.url}" if lease.holder.url else ""),
    ]
    if lease.holder.id != UNREADABLE:
        lines.append(f"   since     {clock_text(lease.since)}, expires {clock_text(lease.expires)}")
    unlocking = f"avatar-gitops unlock --id {lease.holder.id}"
    return Locked("\n".join(lines), hint=f"wait with --lock-timeout 30m; if that run is dead: {unlocking}", code="R008")


def _ended(lease: Lease, now: datetime) -> Lease:
    return replace(lease, expires=min(now, lease.expires), token="")


def clock_text(moment: datetime) -> str:
    """A moment as refusals and `status` show it."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment.year not in {1, 9999} else "unknown"


def _traces(path: Path) -> frozenset[str]:
    """Tokens of leases that processes of this checkout took and did not give back; they are dead, we have its lock."""
    try:
        return frozenset(path.read_text(encoding="ascii").split())
    except (FileNotFoundError, UnicodeDecodeError):
        return frozenset()


def _trace(path: Path, token: str) -> None:
    """Note a token before it is written anywhere else."""
    if token not in _traces(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="ascii") as file:
            file.write(f"{token}\n")
