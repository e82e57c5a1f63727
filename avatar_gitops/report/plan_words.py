"""Wording of changes, shared by terminal text, summary and Markdown: why, what runs, what is deleted."""

from __future__ import annotations

from collections import Counter
from typing import Final

from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.model import Action, Change, Plan, Privacy, Reason
from avatar_gitops.plan.steps import DeleteJobs, steps
from avatar_gitops.report.values import count, safe
from avatar_gitops.spec import fields

ORDER: Final = (
    Action.RELAUNCH,
    Action.DELETE,
    Action.LAUNCH,
    Action.ADOPT,
    Action.RENAME,
    Action.UPDATE,
    Action.COLLECT,
)
REASONS: Final = {
    Reason.NEW: "new",
    Reason.MISSING: "not on the server any more",
    Reason.SPEC_CHANGED: "spec changed",
    Reason.INPUT_CHANGED: "input data changed",
    Reason.LAST_RUN_FAILED: "last run failed",
    Reason.UNFINISHED: "last run is unfinished",
    Reason.NOT_COLLECTED: "results not collected yet",
    Reason.REMOVED_FROM_GIT: "removed from git",
    Reason.NOTHING_CHANGED: "nothing changed",
    Reason.ADOPTED: "made by others",
    Reason.PREVIEWED: "preview promoted, not run again",
}


def why(change: Change) -> str:
    """The reason of a change in a few words."""
    text = _kept(change) if change.action is Action.KEEP else _because(change)
    if change.left and change.action is not Action.RENAME:
        return f"{text}, moved from {_former(change)}"
    return text


def _because(change: Change) -> str:
    if change.reason is Reason.MOVED:
        return f"moved from {_former(change)}"
    if change.reason is Reason.RETENTION_DUE:
        return f"retention ended on {change.due}"
    if change.reason is Reason.REMOVED_FROM_GIT and change.remark:
        return f"removed from git: {safe(change.remark)}"
    if change.reason is Reason.METADATA_CHANGED:
        labels = list(dict.fromkeys(_label(field.path) for field in change.fields))
        if change.lock is not None and change.lock.path != change.path:
            labels.insert(0, "spec file")
        shown = ", ".join(labels[:3]) + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
        return f"{shown or 'description'} changed"
    if change.reason is Reason.UNFINISHED and only_tidies(change):
        return "older jobs left over"
    return REASONS[change.reason]


def _label(path: fields.FieldPath) -> str:
    found = fields.row(path)
    return found.label if found else safe(str(path[-1]))


def _former(change: Change) -> str:
    return ", ".join(map(safe, change.moved_from))


def _kept(change: Change) -> str:
    if change.reason is Reason.RETENTION_DUE:
        return f"retention ended on {change.due}, nothing is left to delete"
    if change.reason is Reason.KEPT_ON_REMOVAL:
        return "removed from git, results kept" + (f": {safe(change.remark)}" if change.remark else "")
    if change.due:
        return f"retention ended on {change.due} but protected; --allow-delete {change.set} deletes it once"
    if change.reason is Reason.PRUNE_NEVER:
        return "removed from git, prune is `never`"
    if change.desired is None:
        return f"removed from git but protected; --allow-delete {change.set} deletes it once"
    return f"protected; --allow-relaunch {change.set} relaunches it once"


def only_tidies(change: Change) -> bool:
    """Whether nothing happens but the deletion of jobs that nobody needs."""
    todo = steps(change)
    return change.action is Action.COLLECT and all(isinstance(step, DeleteJobs) for step in todo)


def effect(change: Change) -> str:
    """What a change does on the server, in a few words."""
    match change.action:
        case Action.LAUNCH:
            return _tables(change)
        case Action.UPDATE | Action.RENAME:
            return "nothing runs again"
        case Action.ADOPT:
            return "nothing runs, results are fetched and published"
        case Action.COLLECT if change.jobs:
            return f"{job_list(change)} {'runs' if len(change.jobs) == 1 else 'run'}"
        case Action.COLLECT:
            return "" if only_tidies(change) else "nothing runs again"
        case _:
            return ""


def _tables(change: Change) -> str:
    assert change.desired is not None
    tables = change.desired.run.spec.tables
    shown = count(len(tables), "table")
    if len(tables) > 1:
        return shown
    method = next(iter(tables.values())).avatarization
    if method is None:
        return f"{shown}, measured only"
    budget = method.open_dp or method.fast_dp
    return f"{shown}, epsilon={budget.epsilon:g}" if budget else f"{shown}, k={method.k}"


def job_list(change: Change) -> str:
    """The jobs that run."""
    return ", ".join(job.value for job in change.jobs)


def reused(change: Change) -> str:
    """The jobs whose results stay in use."""
    if change.base is None or change.desired is None:
        return ""
    return ", ".join(job.value for job in wanted(change.desired.run) if job not in change.jobs)


def deletion(change: Change) -> str:
    """What leaves the server, in numbers; empty when nothing does."""
    for step in steps(change):
        if isinstance(step, DeleteJobs):
            return f"{count(len(step.jobs), 'job')} of {count(step.versions, 'version')}"
    return ""


def notes(plan: Plan) -> list[str]:
    """What to know beyond the changes, a sentence for each and what to paste below it."""
    return [
        line
        for note in plan.notes
        for line in (f"Note: {note.set} {safe(note.text)}", f"      {note.code}" * bool(note.code))
        if line
    ]


def counts(plan: Plan) -> Counter[Action]:
    """How many sets each action concerns."""
    return Counter(change.action for change in plan.changes)


def weaker(plan: Plan) -> list[Change]:
    """Changes of apply that make privacy weaker."""
    return [change for change in plan.effective if change.privacy is Privacy.WEAKER]


def equal_to(plan: Plan, amount: int) -> str:
    """What sets without changes are equal to."""
    base = plan.context.offline
    if base is None:
        return f"{count(amount, 'set')} on the server ({safe(plan.server)})"
    where = f"at {safe(base.commit[:7])}" if base.commit else "on disk"
    return f"{count(amount, 'lock file')} {where} (offline)"


def no_changes(plan: Plan) -> str:
    """The verdict on a plan that does nothing."""
    if not plan.changes:
        nothing = f"There is no set in git and none of ours on the server ({safe(plan.server)})."
        return f"No changes. {f'No set is selected, {plan.left_out} left out.' if plan.left_out else nothing}"
    counted = counts(plan)
    equal, kept = counted[Action.UNCHANGED], counted[Action.KEEP]
    verb = "equals" if equal == 1 else "equal"
    sentences = [
        f"{count(equal, 'set')} in git {verb} {equal_to(plan, equal)}." * bool(equal),
        f"{count(kept, 'set')} {'is kept as it is' if kept == 1 else 'are kept as they are'}." * bool(kept),
        f"{count(plan.left_out, 'set')} {'was' if plan.left_out == 1 else 'were'} not selected." * bool(plan.left_out),
    ]
    return " ".join(["No changes.", *filter(None, sentences)])
