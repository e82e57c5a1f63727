"""A plan as versioned JSON."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from avatar_gitops.plan.estimate import estimate
from avatar_gitops.plan.exposure import as_data, exposure_of
from avatar_gitops.plan.model import Action, Change, FieldChange, Plan, Privacy
from avatar_gitops.plan.select import settled

FORMAT: Final = "avatar-gitops/plan"
VERSION: Final = "1.1"
SCHEMA: Final = "schemas/plan.v1.schema.json"


def document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON data, described by `schemas/plan.v1.schema.json`; spec values, never data."""
    counted = Counter(change.action for change in plan.changes)
    weaker = sum(change.privacy is Privacy.WEAKER for change in plan.effective)
    return {
        "format": FORMAT,
        "version": VERSION,
        "$schema": SCHEMA,
        "project": plan.project,
        "server": plan.server,
        "head": plan.commit or None,
        "digest": plan.digest,
        "summary": {**{action.value: counted[action] for action in Action}, "weaker": weaker, "foreign": plan.foreign},
        "changes": [_change(change, plan) for change in plan.changes],
        **_notes(plan),
        **_selection(plan),
        **_context(plan),
    }


def _context(plan: Plan) -> dict[str, Any]:
    """Where an offline plan comes from, and what the server has left; nothing that does not apply."""
    context = plan.context
    found: dict[str, Any] = {} if context.credits is None else {"credits": context.credits}
    if context.offline is not None:
        missing = [{"set": item.set, "table": item.table, "why": item.why.value} for item in context.not_compared]
        base = {"commit": context.offline.commit or None, "ref": context.offline.ref}
        found |= {"offline": True, "base": base, "not_compared": missing}
    return found


def _notes(plan: Plan) -> dict[str, Any]:
    found = [
        {"kind": note.kind.value, "set": note.set, "text": note.text, "code": note.code or None} for note in plan.notes
    ]
    return {"notes": found} if found else {}


def _selection(plan: Plan) -> dict[str, Any]:
    """What the plan was restricted to, so that applying the document needs no selectors."""
    asked = plan.selection
    if not (asked.select or asked.exclude):
        return {}
    select, exclude = (list(settled(side, asked)) for side in (asked.select, asked.exclude))
    return {"selection": {"select": select, "exclude": exclude, "left_out": plan.left_out}}


def _change(change: Change, plan: Plan) -> dict[str, Any]:
    consequences = [field.consequence for field in change.fields]
    file, line = change.place
    return {
        "set": change.set,
        "action": change.action.value,
        "reason": change.reason.value,
        "digest": change.digest,
        "consequence": min(consequences, key=list(type(consequences[0])).index).value if consequences else None,
        "privacy": change.privacy.value,
        "location": {"file": file, "line": line or None},
        "fields": [_field(field) for field in change.fields],
        "jobs": [job.value for job in change.jobs],
        "protected": change.protected,
        **_surroundings(change, plan),
    }


def _surroundings(change: Change, plan: Plan) -> dict[str, Any]:
    """What follows from a change or explains it; nothing that is not known."""
    exposed, time = exposure_of(change), estimate(change)
    found: dict[str, Any] = {} if exposed is None else {"exposure": as_data(exposed)}
    if time is not None:
        found["seconds"] = round(time.seconds)
    if change.set in plan.context.removed_in:
        found["removed_in"] = plan.context.removed_in[change.set]
    if change.moved_from:
        found["moved_from"] = list(change.moved_from)
    said = {"retention_ended": change.due, "remark": change.remark}
    return found | {name: text for name, text in said.items() if text}


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": list(field.path),
        "before": field.before,
        "after": field.after,
        "privacy": field.privacy.value,
        "consequence": field.consequence.value,
        "line": field.line or None,
        **({"file": field.file} if field.file else {}),
    }
