"""`policy` and what plan and apply ask of it: the rules of the project applied before and after a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from avatar_gitops.app.approving import Notes, Signed, signed, waivers_before
from avatar_gitops.app.loading import Loaded, load
from avatar_gitops.app.policy_files import load_book
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import PolicyFailed
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.diff import against_lock
from avatar_gitops.plan.ledger import Ledger, with_locks, would_make
from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import Change, FieldChange, Plan, Reason
from avatar_gitops.policy.approvals import Approval, by_their_author
from avatar_gitops.policy.engine import Book, expiring, judge
from avatar_gitops.policy.model import Facts, Finding, PolicyReport, Stage, Waiver
from avatar_gitops.ports import Judge
from avatar_gitops.report import sarif_policy
from avatar_gitops.spec.models import Job
from avatar_gitops.workspace.ledger import read_ledger
from avatar_gitops.workspace.noise import read_noise


@dataclass(frozen=True, slots=True)
class Case:
    """One set that is judged before a run; `releases` = it makes avatars that nobody has yet."""

    desired: DesiredSet
    fields: tuple[FieldChange, ...]
    lock: Lock | None
    releases: bool


APPROVAL: Final = "P031"


def before(loaded: Loaded, plan: Plan, who: Signed, today: date) -> PolicyReport:
    """What the policy says about the sets of a plan before anything is changed.

    A set whose last day is over is deleted and releases nothing; no rule may stand in the way of that.
    """
    cases = [
        Case(change.desired, change.fields if change.effective else (), change.lock, _makes(change, change.desired))
        for change in plan.changes
        if change.desired is not None and change.reason is not Reason.RETENTION_DUE
    ]
    return _judge(loaded, cases, who, today)


def check(project: Path | None, approvals: Sequence[str], authors: Sequence[str], today: date) -> PolicyReport:
    """The same without a server: changes are those since the lock files were written."""
    return check_loaded(load(project), approvals, authors, today)


def check_loaded(loaded: Loaded, approvals: Sequence[str], authors: Sequence[str], today: date) -> PolicyReport:
    """The same for a project that is read."""
    locks = [loaded.locks.get(desired.name) for desired in loaded.desired]
    cases = [
        Case(wish, against_lock(wish, lock), lock, _other_avatars(wish, lock))
        for wish, lock in zip(loaded.desired, locks, strict=True)
    ]
    return _judge(loaded, cases, signed(loaded.root, approvals, authors), today)


def _makes(change: Change, desired: DesiredSet) -> bool:
    """Whether apply would release avatars that nobody has yet; without a seed every run gives others."""
    again = desired.run.spec.seed is None and Job.STANDARD in change.jobs
    return change.effective and (again or _other_avatars(desired, change.lock))


def _other_avatars(desired: DesiredSet, lock: Lock | None) -> bool:
    mine, theirs = desired.digests, lock.digests if lock else None
    return theirs is None or (mine.standard, mine.input) != (theirs.standard, theirs.input)


def _judge(loaded: Loaded, cases: Sequence[Case], who: Signed, today: date) -> PolicyReport:
    book = withheld(loaded.root, load_book(loaded.root), who)
    ledger = _ledger(loaded, cases, book) if book.counts_releases else None
    facts = [
        Facts(
            desired=case.desired,
            fields=case.fields,
            metrics=case.lock.metrics if case.lock else None,
            gates=case.lock.gates if case.lock else (),
            others=loaded.desired,
            approvals=who.approved_by,
            required_approvers=book.required_approvers,
            authors=who.authors,
            approvers=book.approvers,
            published=case.lock,
            ledger=ledger,
            releases=case.releases,
        )
        for case in cases
    ]
    report = judge(book, Stage.BEFORE, facts, today, complete=len(facts) == len(loaded.desired))
    approval = Approval(who.approved_by, who.authors, book.required_approvers, book.approvers)
    return replace(report, approved_by=approval.counting, asked=book.required_approvers)


def _ledger(loaded: Loaded, cases: Sequence[Case], book: Book) -> Ledger:
    planned = tuple(release for case in cases if case.releases for release in would_make(case.desired))
    return Ledger(with_locks(read_ledger(loaded.root), loaded.locks.values()), planned, book.ledger)


def withheld(root: Path, book: Book, who: Signed) -> Book:
    """The policy without what the authors of the change waive for themselves; git is only asked when it matters."""
    if not by_their_author(book.waivers, (), who.authors):
        return book
    return replace(book, withheld=by_their_author(book.waivers, waivers_before(root), who.authors))


def refuse(report: PolicyReport) -> None:
    """Raise PolicyFailed when a finding stops apply."""
    failed = report.failed
    if not failed:
        return
    agreed = any(finding.rule == APPROVAL for finding in failed)
    number = "1 finding of the policy stops" if len(failed) == 1 else f"{len(failed)} findings of the policy stop"
    raise PolicyFailed(
        f"{number} this apply, nothing was changed: {', '.join(map(_subject, failed))}",
        hint=("--approved-by NAME when somebody else has read what gets weaker; " if agreed else "")
        + "change the spec, or let somebody answer for it in policies/waivers.yaml; "
        f"avatar-gitops explain {failed[0].rule}",
        code=failed[0].rule,
    )


def _subject(finding: Finding) -> str:
    return f"{finding.rule} in {finding.set}" if finding.set else finding.rule


def after(loaded: Loaded, notes: Notes, who: Signed, today: Callable[[], date]) -> Judge:
    """What the executor asks once a run is measured: the findings of the rules that look after it; they are noted."""
    book = withheld(loaded.root, load_book(loaded.root), who)

    def findings(desired: DesiredSet, metrics: Metrics, gates: Sequence[GateResult]) -> tuple[Finding, ...]:
        change = notes.change(desired.name)
        facts = Facts(
            desired=desired,
            metrics=metrics,
            gates=tuple(gates),
            others=loaded.desired,
            published=change.lock if change else None,
            noise=read_noise(loaded.root, desired.path, desired.name) if book.regressive else None,
        )
        found = judge(book, Stage.AFTER, [facts], today()).findings
        notes.later[desired.name] = found
        return found

    return findings


def soon(root: Path, today: date) -> tuple[tuple[Waiver, int], ...]:
    """Waivers that end within two weeks, with the days that are left."""
    return expiring(load_book(root).waivers, today)


def findings_file(kind: str, report: PolicyReport, root: Path) -> str:
    """What the policy says as `sarif` or `gitlab`, with paths from the root of the repository."""
    if kind == "gitlab":
        return sarif_policy.as_code_quality(report, _prefix(root))
    return sarif_policy.as_sarif(report, load_book(root).rules, _prefix(root))


def unread_file(error: SpecError) -> str:
    """The same as `sarif` when files cannot be read: nothing was judged, and why."""
    return sarif_policy.unread_sarif(error.diagnostics, _prefix(Path.cwd()))


def _prefix(folder: Path) -> str:
    """The way from the root of the git repository to a folder; empty at the root and outside of one."""
    here = folder.resolve()
    root = next((above for above in (here, *here.parents) if (above / ".git").exists()), here)
    return "" if root == here else here.relative_to(root).as_posix()
