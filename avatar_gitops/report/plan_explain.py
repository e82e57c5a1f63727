"""The steps of a plan in order, from the same list that apply carries out; and the fields behind one change."""

from __future__ import annotations

from typing import assert_never

from avatar_gitops.plan import steps as s
from avatar_gitops.plan.model import Action, Change, Consequence, Plan
from avatar_gitops.report import plan_words as words
from avatar_gitops.report.values import (
    Style,
    before_and_after,
    count,
    direction,
    field_name,
    plain,
    safe,
    short_digest,
    to_ascii,
)

RUNS = {
    Consequence.RERUN_ALL: "everything runs again",
    Consequence.RERUN_METRICS: "metrics and reports run again",
    Consequence.RERUN_REPORTS: "reports run again",
    Consequence.METADATA: "nothing runs again",
}


def explain(plan: Plan, *, style: Style = plain, ascii_only: bool = False, again: str = "") -> str:
    """Every step of every change with the call that it makes; `again` are options for the next command."""
    blocks = ["\n".join(_change(change, style)) for change in plan.effective]
    blocks.append(f"Nothing was changed.\nNext: avatar-gitops apply{again}" if blocks else words.no_changes(plan))
    text = "\n\n".join(blocks) + "\n"
    return to_ascii(text) if ascii_only else text


def why(change: Change, *, style: Style = plain, ascii_only: bool = False) -> str:
    """Both digests of a set and every field behind the difference."""
    lines = [f"{style(change.set, 'bold')}   {change.action.value}, {words.why(change)}"]
    if change.lock is not None:
        digest = short_digest(change.lock.digests.spec)
        lines.append(
            f"  digest before  {digest}   from the lock, applied at {safe(change.lock.commit[:7]) or 'no commit'}"
        )
    if change.desired is not None:
        lines.append(f"  digest now     {short_digest(change.desired.digests.spec)}")
    if change.fields:
        lines.append("  fields behind the change")
    for field in change.fields:
        file = safe(field.file or change.path)
        place = f"{file}:{field.line}" if field.line else file
        values = " -> ".join(before_and_after(field))
        mark = direction(field)
        lines.append(
            f"    {field_name(field.path)}   {values}   {place}, {RUNS[field.consequence]}{mark and '   ' + mark}"
        )
    lines.append("  not part of the digest: comments, key order, quotes, anchors, the values of env/ references")
    text = "\n".join(lines) + "\n"
    return to_ascii(text) if ascii_only else text


def _change(change: Change, style: Style) -> list[str]:
    todo = s.steps(change)
    rows = [_row(step, change) for step in todo]
    width = max(len(text) for _, text, _ in rows)
    lines = [f"{style(change.set, 'bold')}   {change.action.value}"]
    for index, (verb, text, call) in enumerate(rows, start=1):
        lines.append(f"{index:>2}  {verb:<9} {text:<{width}}   {style(call, 'dim')}")
    gate = next((index for index, step in enumerate(todo, start=1) if isinstance(step, s.CheckGates)), 0)
    if gate and change.action is Action.ADOPT:
        lines.append(
            f"Stops at {gate} if a gate fails: nothing is published, and the set on the server stays as it is."
        )
    elif gate and change.action in {Action.UPDATE, Action.RENAME}:
        lines.append(f"Stops at {gate} if a gate fails: the lock stays as it is.")
    elif gate:
        stays = "the old results stay published" if change.lock else "nothing is published"
        lines.append(f"Stops at {gate} if a gate fails: {stays} and the new run is kept for inspection.")
    return lines


def _row(step: s.Step, change: Change) -> tuple[str, str, str]:
    """Verb, what is done, and the call or `local`."""
    row: tuple[str, str, str]
    match step:
        case s.CheckInput(tables):
            row = "check", f"data of {_names(tables)} is what the plan was made from", "local"
        case s.Upload(tables):
            row = "upload", f"data of {_names(tables)}, unless it is already there", "PUT  /access"
        case s.CreateSet(base_set):
            on = f", on top of {base_set[:8]}" if base_set else ""
            row = "create", f"a new version with documents and owner marks{on}", f"PUT  /resources/{change.set}"
        case s.LaunchJob(job, after):
            row = "launch", f"{job.value}{_after(after)}", "POST /jobs"
        case s.Wait(jobs):
            row = (
                "wait",
                "until all jobs are done" if len(jobs) > 1 else f"until {_names(jobs)} is done",
                "GET  /jobs/{name}",
            )
        case s.Fetch():
            row = "fetch", "avatars, metrics, reports (never: unshuffled)", "GET  /results"
        case s.CheckGates(gates):
            row = "gates", ", ".join(f"{metric} {condition}" for metric, condition in gates), "local"
        case s.Publish() if change.action is Action.UPDATE:
            row = "publish", "lock and documents with the new description", "local"
        case s.Publish():
            row = "publish", f"artifacts, then the lock of {change.set}", "local"
        case s.DeleteJobs(jobs=jobs, versions=touched):
            row = "delete", f"{count(len(jobs), 'job')} of {count(touched, 'version')}", "DELETE /jobs/{name}"
        case s.RemoveLock() | s.MoveResults() | s.RemoveFormer():
            row = *_tidied(step, change), "local"
        case _:
            assert_never(step)
    return row


def _tidied(step: s.RemoveLock | s.MoveResults | s.RemoveFormer, change: Change) -> tuple[str, str]:
    match step:
        case s.RemoveLock():
            return "remove", f"lock and artifacts of {change.set}, leaving a receipt"
        case s.MoveResults(former):
            return "move", f"artifacts of {safe(former)} to {change.set}"
        case s.RemoveFormer(former):
            return "remove", f"what is left under the name {safe(former)}"
        case _:
            assert_never(step)


def _names(items: tuple[str, ...]) -> str:
    return ", ".join(safe(str(item)) for item in items) or "nothing"


def _after(jobs: tuple[str, ...]) -> str:
    return f" after {_names(jobs)}" if jobs else ""
