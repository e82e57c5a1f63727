"""A plan as versioned JSON, and the comparison of a reviewed plan with the plan of now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.model import Action, Change, FieldChange, Plan, Privacy

FORMAT: Final = "avatar-gitops/plan"
VERSION: Final = "1.0"
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
        "changes": [_change(change) for change in plan.changes],
    }


def _change(change: Change) -> dict[str, Any]:
    consequences = [field.consequence for field in change.fields]
    line = next((field.line for field in change.fields if field.line), None)
    return {
        "set": change.set,
        "action": change.action.value,
        "reason": change.reason.value,
        "digest": change.digest,
        "consequence": min(consequences, key=list(type(consequences[0])).index).value if consequences else None,
        "privacy": change.privacy.value,
        "location": {"file": change.path, "line": line},
        "fields": [_field(field) for field in change.fields],
        "jobs": [job.value for job in change.jobs],
        "protected": change.protected,
    }


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": list(field.path),
        "before": field.before,
        "after": field.after,
        "privacy": field.privacy.value,
        "consequence": field.consequence.value,
        "line": field.line or None,
    }


@dataclass(frozen=True, slots=True)
class Moved:
    """A set whose change is not the reviewed one any more; None means that nothing was, or is, to do."""

    set: str
    reviewed: Action | None
    now: Action | None


def reviewed_digest(reviewed: Mapping[str, Any]) -> str:
    """The digest of a plan document. Raises `IntegrityError` when it is no plan, or one of a newer format."""
    version = str(reviewed.get("version", ""))
    if reviewed.get("format") != FORMAT or version.partition(".")[0] != VERSION.partition(".")[0]:
        raise IntegrityError(
            "this file is not a plan that this version can read",
            hint="write one with `avatar-gitops plan --out json:plan.json`",
        )
    return str(reviewed["digest"])


def moved(reviewed: Mapping[str, Any], now: Plan) -> tuple[Moved, ...]:
    """The sets whose change differs between a reviewed plan document and the plan of now, by name."""
    reviewed_digest(reviewed)
    idle = {Action.UNCHANGED, Action.KEEP}
    old = {c["set"]: (Action(c["action"]), c["digest"]) for c in reviewed["changes"] if Action(c["action"]) not in idle}
    new = {change.set: (change.action, change.digest) for change in now.effective}
    return tuple(
        Moved(name, old[name][0] if name in old else None, new[name][0] if name in new else None)
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )
