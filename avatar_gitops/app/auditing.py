"""The audit log as commands write it: who applied what, which guard rail was passed why, what was refused."""

from __future__ import annotations

import getpass
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from avatar_gitops.app.artifacts import json_bytes
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.audit.entry import Entry, Override, Phase, WaiverUsed
from avatar_gitops.audit.log import FOLDER, append, plan_path
from avatar_gitops.audit.verify import Verified, verify
from avatar_gitops.errors import AvatarGitOpsError, PolicyFailed, StalePlan, UnsafePlan
from avatar_gitops.events import new_run
from avatar_gitops.plan.outcome import Outcome
from avatar_gitops.plan.record import record
from avatar_gitops.policy.model import PolicyReport
from avatar_gitops.ports import Clock
from avatar_gitops.report.policy import as_data
from avatar_gitops.workspace.discover import find_root
from avatar_gitops.workspace.files import write_atomic

LOG: Final = logging.getLogger(__name__)

if TYPE_CHECKING:
    from avatar_gitops.app.plan import Consent, Planned


@dataclass(frozen=True, slots=True)
class Call:
    """What is the same for every line of one command run; `run` is the id of that run."""

    root: Path
    project: str
    command: str
    run: str
    actor: str
    clock: Clock
    overrides: tuple[Override, ...] = ()
    approvals: tuple[str, ...] = ()
    approved_at: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def now(root: Path, project: str, command: str, overrides: tuple[Override, ...] = (), run: str = "") -> Call:
        """A call of this process by whoever runs it, with an id of its own unless it has one."""
        return Call(root, project, command, run or new_run(), actor(os.environ), SystemClock(), overrides)


def overrides_of(consent: Consent, only_equal: str | None = None) -> tuple[Override, ...]:
    """The guard rails that options of one call pass; `only_equal` is the reviewed plan that is applied in part."""
    named = [
        *([Override("--only-equal", only_equal)] if only_equal is not None else []),
        *(Override("--allow-delete", name) for name in sorted(consent.allow_delete)),
        *(Override("--allow-relaunch", name) for name in sorted(consent.allow_relaunch)),
    ]
    return (*named, *([Override("--force", reason=consent.force)] if consent.force else []))


@contextmanager
def refusals(call: Call) -> Iterator[None]:
    """Record a refusal of a plan before it goes on."""
    try:
        yield
    except (UnsafePlan, StalePlan, PolicyFailed) as error:
        entry = _entry(call, Phase.REFUSED)
        _write(call, replace(entry, refusal=error.code or "", message=error.message, exit_code=error.exit_code))
        raise


def begun(call: Call, planned: Planned) -> None:
    """Record what is about to be carried out, with the plan itself, and every guard rail that is passed for it."""
    _keep_plan(call, planned)
    sets = {change.set: change.action.value for change in planned.plan.effective}
    approvals = sorted({*call.approvals, *planned.policy.approved_by})
    entry = _entry(call, Phase.BEGUN, planned)
    _write(call, replace(entry, sets=sets, approvals=tuple(approvals), waivers=_waivers(planned.policy)))


def ended(call: Call, planned: Planned, outcomes: Sequence[Outcome], exit_code: int) -> None:
    """Record how it ended."""
    sets = {outcome.set: outcome.state.value for outcome in outcomes}
    try:
        _write(call, replace(_entry(call, Phase.ENDED, planned), sets=sets, exit_code=exit_code))
    except AvatarGitOpsError as error:  # what is applied is applied; its outcomes must still be shown
        LOG.warning("%s", error.message)


def done(call: Call, sets: Mapping[str, str]) -> None:
    """Record an act that is no apply, such as taking over a set or ending a lock of somebody else."""
    _write(call, replace(_entry(call, Phase.ENDED), sets=sets, exit_code=0))


def actor(environment: Mapping[str, str]) -> str:
    """Who calls: the user that a CI system names with its run, else the user of this machine."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return f"{environment.get('GITHUB_ACTOR', 'unknown')} (GitHub run {environment.get('GITHUB_RUN_ID', '?')})"
    if environment.get("GITLAB_CI") == "true":
        return f"{environment.get('GITLAB_USER_LOGIN', 'unknown')} (GitLab job {environment.get('CI_JOB_ID', '?')})"
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def audit_log(project: Path | None) -> Verified:
    """The audit log of a project, checked. Needs no server and no valid spec."""
    return verify(find_root(project or Path.cwd()))


@dataclass(frozen=True, slots=True)
class Shown:
    """Which lines of the log are shown: from a day on (ISO text, UTC), about sets whose name fits a glob."""

    since: str = ""
    sets: tuple[str, ...] = ()

    def of(self, entries: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
        """Those lines, oldest first; one about no set, such as a refusal, is about none that was asked for."""
        return tuple(entry for entry in entries if entry["at"] >= self.since and self._about(entry))

    def _about(self, entry: Mapping[str, Any]) -> bool:
        return not self.sets or any(fnmatchcase(name, glob) for name in entry["sets"] for glob in self.sets)


def _keep_plan(call: Call, planned: Planned) -> None:
    """Write what the digest of the plan was computed from beside the log; the same plan again changes nothing."""
    path = call.root / plan_path(planned.plan.digest)
    if path.is_file():
        return
    try:
        write_atomic(path, json_bytes(record(planned.plan, as_data(planned.policy))))
    except OSError as error:
        raise _unwritable(error) from None


def _unwritable(error: OSError) -> AvatarGitOpsError:
    return AvatarGitOpsError(
        f"the audit log in {FOLDER}/ cannot be written: {error.strerror or 'another process holds it'}",
        hint="nothing is applied without a record; make the folder writable",
    )


def _write(call: Call, entry: Entry) -> None:
    try:
        append(call.root, entry, call.clock.now())
    except OSError as error:
        raise _unwritable(error) from None


def _entry(call: Call, phase: Phase, planned: Planned | None = None) -> Entry:
    plan = planned.plan if planned else None
    return Entry(
        phase=phase,
        command=call.command,
        run=call.run,
        actor=call.actor,
        project=call.project,
        server=plan.server if plan else "",
        plan=plan.digest if plan else "",
        commit=plan.commit if plan else "",
        overrides=call.overrides,
        approvals=call.approvals,
        approved_at=call.approved_at,
        authors=planned.who.authors if planned else (),
    )


def _waivers(report: PolicyReport) -> tuple[WaiverUsed, ...]:
    return tuple(
        WaiverUsed(found.rule, found.set, given.owner, given.reason, given.expires.isoformat())
        for found in report.waived
        if (given := found.waiver) is not None
    )
