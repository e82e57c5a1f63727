"""`plan`: what apply would do. The server is given as a reader, which cannot write."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from avatar_gitops.app.approving import Signed, signed
from avatar_gitops.app.clock import SystemClock, today
from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.offline import Offline, remember
from avatar_gitops.app.policy import before
from avatar_gitops.app.selecting import looked_up
from avatar_gitops.app.servers import Connection, open_server
from avatar_gitops.app.signatures import signatures_under
from avatar_gitops.client.gateway import Reader, reader
from avatar_gitops.errors import UnsafePlan
from avatar_gitops.events import Listener
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.context import Context
from avatar_gitops.plan.model import Action, Plan
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.offline import marks_of, remembered
from avatar_gitops.plan.planner import plan as make_plan
from avatar_gitops.plan.safety import Options
from avatar_gitops.plan.select import Selection
from avatar_gitops.plan.signoff import ending
from avatar_gitops.policy.model import PolicyReport
from avatar_gitops.ports import RunReader
from avatar_gitops.workspace.git import removed_in
from avatar_gitops.workspace.shelf import FolderShelf

EVERYTHING: Final = Selection()
MOST_ASKED: Final = 50
TIMED: Final = re.compile(r"(?s)(?P<name>.*?)(?:@(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ))?")


@dataclass(frozen=True, slots=True)
class Consent:
    """What guard rails may be passed in one call: sets by name, and the reason for going over a threshold.

    `look` = the plan is only looked at, as `status` does, so that nothing is refused. `approved_by` names the people
    who agreed to weaker privacy, `approved_at` says when, as far as that is known (ISO text, UTC). `authors` are those
    who wrote the change; empty = whom the workflow or git names.
    """

    allow_delete: frozenset[str] = frozenset()
    allow_relaunch: frozenset[str] = frozenset()
    force: str = ""
    look: bool = False
    approved_by: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    approved_at: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def of(
        allow_delete: Iterable[str],
        allow_relaunch: Iterable[str],
        force: str | None,
        approved_by: Iterable[str] = (),
        authors: Iterable[str] = (),
    ) -> Consent:
        """Consent from command-line options; who approved may be said with the time, NAME@2026-09-17T08:55:00Z."""
        approvals = [TIMED.fullmatch(text) for text in approved_by]
        return Consent(
            frozenset(allow_delete),
            frozenset(allow_relaunch),
            force or "",
            approved_by=tuple(found["name"] for found in approvals if found),
            authors=tuple(authors),
            approved_at={found["name"]: found["at"] for found in approvals if found and found["at"]},
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with what it was made from, and what the policy says about it; nothing when it is only looked at.

    `who` are the people behind the change. `left` says, in words, what an apply of a reviewed plan leaves alone.
    """

    plan: Plan
    observed: Observed
    loaded: Loaded
    connection: Connection
    policy: PolicyReport = field(default_factory=PolicyReport)
    who: Signed = field(default_factory=Signed)
    left: str = ""


def plan(
    project: Path | None,
    server: str | None,
    consent: Consent,
    selection: Selection = EVERYTHING,
    listener: Listener | None = None,
    offline: Offline | None = None,
) -> Planned:
    """Compare the project with its server, or with lock files when it is to be done offline. Changes nothing."""
    if offline is not None:
        return plan_offline(project, consent, selection, offline)
    with looking(project, server, listener) as (loaded, connection, remote):
        return glance(loaded, connection, remote, consent, selection)


@contextmanager
def looking(
    project: Path | None, server: str | None, listener: Listener | None = None
) -> Iterator[tuple[Loaded, Connection, Reader]]:
    """A valid project, its server, and a reader of that server."""
    loaded = load(project)
    with (
        open_server(loaded.root, loaded.project, server) as connection,
        closing(
            reader(
                connection.base_url,
                connection.api_key,
                clock=SystemClock(),
                verify=connection.verify_tls,
                listener=listener,
            )
        ) as remote,
    ):
        remote.remember(FolderShelf(loaded.root))
        yield loaded, connection, remote


def glance(
    loaded: Loaded, connection: Connection, remote: RunReader, consent: Consent, selection: Selection = EVERYTHING
) -> Planned:
    """The plan, without reading what the server says of sets whose lock files show that nothing is to be done.

    Whatever is to be done, and every refusal, rests on what the server says. A lock that was forged can so at most hide
    a change from a plan; apply takes nothing from locks, finds another plan than the reviewed one and refuses.
    """
    taken = marks_of(loaded.locks.values(), loaded.name)
    context = _context(remote, consent)
    while True:
        observed = replace(remote.observe(loaded.name, taken), server=connection.name)
        try:
            planned = decide(Seen(loaded, connection, observed, context), consent, selection)
        except UnsafePlan:
            if not taken:
                raise
            taken = {}
            continue
        moving = [change for change in planned.plan.changes if change.action is not Action.UNCHANGED]
        doubtful = taken.keys() & {version.id for change in moving for version in change.versions}
        if not doubtful:
            return planned
        taken = {version: marks for version, marks in taken.items() if version not in doubtful}


def compare(
    loaded: Loaded, connection: Connection, remote: RunReader, consent: Consent, selection: Selection = EVERYTHING
) -> Planned:
    """The plan for a project that is read and a server that answers."""
    observed = replace(remote.observe(loaded.name), server=connection.name)
    return decide(Seen(loaded, connection, observed, _context(remote, consent)), consent, selection)


def _context(remote: RunReader, consent: Consent) -> Context:
    return Context(credits=None if consent.look else remote.credits())


def plan_offline(project: Path | None, consent: Consent, selection: Selection, offline: Offline) -> Planned:
    """The plan against lock files: no server, no secret, no network."""
    found = remember(project, offline)
    loaded = found.loaded
    observed = remembered(loaded.locks.values(), loaded.name, found.base, loaded.project.spec.adopted)
    context = Context(offline=found.base, not_compared=found.not_compared)
    return decide(Seen(loaded, Connection(observed.server, "", ""), observed, context), consent, selection)


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a plan is made from."""

    loaded: Loaded
    connection: Connection
    observed: Observed
    context: Context = field(default_factory=Context)


def decide(seen: Seen, consent: Consent, selection: Selection = EVERYTHING) -> Planned:
    """The plan and what the policy says about it; asks git and nobody else."""
    loaded, connection, observed = seen.loaded, seen.connection, seen.observed
    options = Options(
        prune=loaded.project.spec.prune,
        thresholds=loaded.project.spec.thresholds,
        allow_delete=consent.allow_delete,
        allow_relaunch=consent.allow_relaunch,
        force=consent.force,
        look=consent.look,
        selection=looked_up(loaded, selection),
        today=today(),
        blocks=Blocks.of(loaded.project),
    )
    made = make_plan(loaded.desired, observed, loaded.locks, options, loaded.name, loaded.commit)
    made = replace(made, context=replace(seen.context, removed_in=_removed_in(loaded, made)))
    if consent.look:
        return Planned(made, observed, loaded, connection)
    made = replace(made, notes=(*made.notes, *ending(made.effective, signatures_under(loaded, made.effective))))
    who = signed(loaded.root, consent.approved_by, consent.authors)
    report = before(loaded, made, who, options.today)
    return Planned(made, observed, loaded, connection, report, who=who)


def _removed_in(loaded: Loaded, made: Plan) -> dict[str, str]:
    """The commits in which specs left git, of the first sets that have none any more."""
    gone = [change for change in made.changes if change.desired is None and change.path]
    found = {change.set: removed_in(loaded.root, change.path) for change in gone[:MOST_ASKED]}
    return {name: commit for name, commit in found.items() if commit}
