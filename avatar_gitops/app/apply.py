"""`apply` and `resume`: carry a plan out, and leave artifacts, locks, an index and a journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from avatar_gitops.app.approving import Notes
from avatar_gitops.app.auditing import Call, begun, ended, overrides_of, refusals
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.expected import Review, check, hold
from avatar_gitops.app.leasing import LEASE_SECONDS, Wanted, holding
from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.notifying import Notifier, Sender
from avatar_gitops.app.plan import EVERYTHING, Consent, Planned, compare
from avatar_gitops.app.policy import after, refuse
from avatar_gitops.app.publishing import Publisher
from avatar_gitops.app.reports import project_templates
from avatar_gitops.app.servers import Connection, open_server
from avatar_gitops.app.signing import Seal, seal_of
from avatar_gitops.app.summaries import index
from avatar_gitops.app.telling import tell_plan
from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.errors import RemoteRefused, UsageError
from avatar_gitops.events import Listener, Stream
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.outcome import Outcome, State
from avatar_gitops.plan.reviewed import read
from avatar_gitops.plan.select import Selection
from avatar_gitops.reconcile.exclusive import exclusive
from avatar_gitops.reconcile.executor import Ports, execute, exit_code
from avatar_gitops.reconcile.journal import FileJournal, latest_journal
from avatar_gitops.reconcile.waiting import Patience
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.shelf import FolderShelf

Confirm = Callable[[Planned], bool]


@dataclass(frozen=True, slots=True)
class How:
    """How an apply goes about it. `selection` restricts it to some sets; `expect_digest` and `reviewed` to one plan.

    `reviewed` is the document in `plan_file`; with `only_equal` the changes that differ from it are left alone.
    `command` is what the user called. `lock_timeout` is how many seconds to wait for another apply; `lease_seconds`
    how long a lease lasts that nobody renews.
    """

    parallelism: int | None = None
    timeout: float | None = None
    expect_digest: str | None = None
    reviewed: Mapping[str, Any] | None = None
    selection: Selection = EVERYTHING
    only_equal: bool = False
    plan_file: str = ""
    command: str = "apply"
    lock_timeout: float = 0.0
    lease_seconds: float = LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Applied:
    """What an apply did; `outcomes` is empty when there was nothing to do or the answer was no."""

    planned: Planned
    confirmed: bool
    outcomes: tuple[Outcome, ...] = ()

    @property
    def exit_code(self) -> int:
        """Exit code of the command."""
        return exit_code(self.outcomes)


def apply(
    project: Path | None, server: str | None, consent: Consent, how: How, confirm: Confirm, listener: Listener
) -> Applied:
    """Plan, ask `confirm`, carry out. One apply at a time works on a project, here and on every other machine.

    Raises Locked, UnsafePlan, StalePlan, and PolicyFailed before anything is changed.
    """
    review = Review(how.reviewed, how.expect_digest, how.only_equal, how.plan_file)
    check(review)
    loaded = load(project)
    _has_room(loaded)
    stream = Stream.of(listener)
    passed = overrides_of(consent, how.plan_file if how.only_equal else None)
    call = replace(
        Call.now(loaded.root, loaded.name, how.command, passed, stream.run),
        approvals=consent.approved_by,
        approved_at=consent.approved_at,
    )
    until = call.clock.now() + timedelta(seconds=how.lock_timeout)
    with (
        refusals(call),
        exclusive(loaded.root, call.clock, timeout=how.lock_timeout),
        open_server(loaded.root, loaded.project, server) as connection,
        closing(_gateway(loaded, connection, stream)) as gateway,
        holding(gateway, Wanted(loaded.root, loaded.name, until, how.lease_seconds), stream),
    ):
        loaded = load(project) if how.lock_timeout else loaded  # another apply may have changed the lock files
        planned = compare(loaded, connection, gateway, consent, _selection(how))
        planned = hold(planned, consent, review)
        tell_plan(stream, planned)
        _afford(planned)
        if not planned.plan.effective:
            _write_index(loaded, ())
            return Applied(planned, confirmed=True)
        confirmed = confirm(planned)
        refuse(planned.policy)
        if not confirmed:
            return Applied(planned, confirmed=False)
        for change in planned.plan.effective:
            if change.desired is not None and change.jobs:
                gateway.preflight(change.desired)
        seal = seal_of(loaded.project, os.environ)
        begun(call, planned)
        applied = Applied(planned, True, _carry_out(planned, gateway, how, consent, (stream, seal)))
        ended(call, planned, applied.outcomes, applied.exit_code)
        _write_index(planned.loaded, applied.outcomes)
        return applied


def _has_room(loaded: Loaded) -> None:
    """Refuse a file where the folder of the results has to be, before anything runs. Raises UsageError."""
    taken = next((path for path in (loaded.out, *loaded.out.parents) if path.exists()), loaded.root)
    if not taken.is_dir():
        raise UsageError(
            f"{shown(loaded.root, taken)} is a file, and results need a folder there",
            hint=f"move it away, or name another folder with `spec.out` in {PROJECT_FILE}",
        )


def _afford(planned: Planned) -> None:
    """Refuse to start runs that nobody can pay for. Raises RemoteRefused."""
    plan = planned.plan
    running = [change.set for change in plan.effective if change.jobs]
    if plan.context.credits == 0 and running:
        raise RemoteRefused(
            f"no credits are left on {plan.server}, and {', '.join(running)} would run; nothing was changed",
            hint="get credits, or leave these sets out: " + " ".join(f"--exclude {name}" for name in running),
        )


def _gateway(loaded: Loaded, connection: Connection, stream: Stream) -> Gateway:
    gateway = connect(
        connection.base_url,
        connection.api_key,
        root=loaded.root,
        clock=SystemClock(),
        verify=connection.verify_tls,
        listener=stream,
    )
    gateway.remember(FolderShelf(loaded.root))
    return gateway


def _carry_out(
    planned: Planned, gateway: Gateway, how: How, consent: Consent, heard: tuple[Stream, Seal | None]
) -> tuple[Outcome, ...]:
    """Carry the plan out, with a journal on disk; tell webhooks how each set ended."""
    stream, seal = heard
    loaded, plan, clock = planned.loaded, planned.plan, SystemClock()
    sender = Sender.of(loaded.root, loaded.project, plan.server, os.environ, (stream, clock))
    with (
        closing(Notifier(sender, plan)) as notifier,
        FileJournal(loaded.root, plan, clock, consent.force, stream.run) as journal,
    ):
        notes = Notes(plan, planned.policy)
        judge = after(loaded, notes, planned.who, lambda: clock.now().date())
        publisher = Publisher(loaded, planned.policy.approved_by, notes, seal)
        ports = Ports(gateway, publisher, clock, stream.also(notifier), journal, judge)
        parallelism = how.parallelism or loaded.project.spec.parallelism
        return execute(plan, ports, parallelism=parallelism, patience=Patience(timeout=how.timeout))


def resume(
    project: Path | None, server: str | None, consent: Consent, how: How, confirm: Confirm, listener: Listener
) -> Applied:
    """Go on with the sets that the last apply did not end. Raises UsageError when there was no apply."""
    loaded = load(project)
    record = latest_journal(loaded.root)
    if record is None:
        raise UsageError("there is no journal of an apply in this project", hint="avatar-gitops apply")
    only = replace(how, selection=replace(how.selection, only=frozenset(record.unfinished)), command="resume")
    return apply(project, server or record.server, consent, only, confirm, listener)


def _selection(how: How) -> Selection:
    """What was asked for now, else the sets of a reviewed plan that was restricted, also those that are gone by now."""
    if how.reviewed is None or not how.selection.everything:
        return how.selection
    reviewed = read(how.reviewed)
    return EVERYTHING if reviewed.selection.everything else Selection(only=frozenset(reviewed.changes))


def _write_index(loaded: Loaded, outcomes: Collection[Outcome]) -> None:
    """Write `out/index.md` from what is published now."""
    locks: dict[str, Lock] = dict(loaded.locks)
    for outcome in outcomes:
        if outcome.lock is not None:
            locks[outcome.set] = outcome.lock
        if outcome.state is State.DELETED:
            locks.pop(outcome.set, None)
    loaded.out.mkdir(parents=True, exist_ok=True)
    templates = project_templates(loaded.root, loaded.project).folder
    for name, text in index(locks.values(), loaded.out, templates).items():
        write_atomic(loaded.out / name, text)
