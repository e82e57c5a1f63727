"""`policy` and what plan and apply ask of it: the rules of the project applied before and after a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.policy_files import load_book
from avatar_gitops.errors import PolicyFailed
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.diff import against_lock
from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import FieldChange, Plan
from avatar_gitops.policy.engine import Book, judge
from avatar_gitops.policy.model import Facts, Finding, PolicyReport, Stage
from avatar_gitops.ports import Judge
from avatar_gitops.workspace.discover import find_root


def before(loaded: Loaded, plan: Plan, approvals: Sequence[str], today: date) -> PolicyReport:
    """What the policy says about the sets of a plan before anything is changed."""
    sets = [
        (change.desired, change.fields if change.effective else (), change.lock)
        for change in plan.changes
        if change.desired is not None
    ]
    return _judge(loaded, sets, approvals, today)


def check(project: Path | None, approvals: Sequence[str], today: date) -> PolicyReport:
    """The same without a server: changes are those since the lock files were written."""
    loaded = load(project)
    locks = [loaded.locks.get(desired.name) for desired in loaded.desired]
    sets = [(wish, against_lock(wish, lock), lock) for wish, lock in zip(loaded.desired, locks, strict=True)]
    return _judge(loaded, sets, approvals, today)


def _judge(
    loaded: Loaded,
    sets: Sequence[tuple[DesiredSet, tuple[FieldChange, ...], Lock | None]],
    approvals: Sequence[str],
    today: date,
) -> PolicyReport:
    book = load_book(loaded.root)
    facts = [
        Facts(
            desired=desired,
            fields=fields,
            metrics=lock.metrics if lock else None,
            gates=lock.gates if lock else (),
            others=loaded.desired,
            approvals=tuple(approvals),
            required_approvers=book.required_approvers,
        )
        for desired, fields, lock in sets
    ]
    return judge(book, Stage.BEFORE, facts, today, complete=len(facts) == len(loaded.desired))


def refuse(report: PolicyReport) -> None:
    """Raise PolicyFailed when a finding stops apply."""
    failed = report.failed
    if not failed:
        return
    number = "1 finding of the policy stops" if len(failed) == 1 else f"{len(failed)} findings of the policy stop"
    raise PolicyFailed(
        f"{number} this apply, nothing was changed: {', '.join(map(_subject, failed))}",
        hint="change the spec, or let somebody answer for it in policies/waivers.yaml; "
        f"avatar-gitops explain {failed[0].rule}",
        code=failed[0].rule,
    )


def _subject(finding: Finding) -> str:
    return f"{finding.rule} in {finding.set}" if finding.set else finding.rule


def after(loaded: Loaded, today: Callable[[], date]) -> Judge:
    """What the executor asks once a run is measured: the findings of the rules that look after it."""
    book = load_book(loaded.root)

    def findings(desired: DesiredSet, metrics: Metrics, gates: Sequence[GateResult]) -> tuple[Finding, ...]:
        facts = Facts(desired=desired, metrics=metrics, gates=tuple(gates), others=loaded.desired)
        return judge(book, Stage.AFTER, [facts], today()).findings

    return findings


def book_of(project: Path | None) -> Book:
    """The policy of the project around a folder."""
    return load_book(find_root(project or Path.cwd()))
