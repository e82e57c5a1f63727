"""A plan as versioned JSON, and the comparison of a reviewed plan with the plan of now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.model import Action, Change, FieldChange, Plan, Privacy, Selection

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
        **_selection(plan),
    }


def _selection(plan: Plan) -> dict[str, Any]:
    """What the plan was restricted to, so that applying the document needs no selectors."""
    asked = plan.selection
    if not (asked.select or asked.exclude):
        return {}
    return {"selection": {"select": list(asked.select), "exclude": list(asked.exclude), "left_out": plan.left_out}}


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


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A plan document that somebody looked at: its digest and, by set, the action and digest of each change."""

    project: str
    server: str
    commit: str
    digest: str
    changes: Mapping[str, tuple[Action, str]]
    selection: Selection = field(default_factory=Selection)


def read(content: Any) -> Reviewed:
    """A plan document read back. Raises `IntegrityError` when it is no plan, or one of another major version."""
    try:
        if content["format"] != FORMAT or str(content["version"]).partition(".")[0] != VERSION.partition(".")[0]:
            raise ValueError
        changes = {str(item["set"]): (Action(item["action"]), str(item["digest"])) for item in content["changes"]}
        digest = content["digest"]
        if not isinstance(digest, str):
            raise TypeError
        asked = content.get("selection", {})
        selection = Selection(tuple(map(str, asked.get("select", ()))), tuple(map(str, asked.get("exclude", ()))))
        return Reviewed(
            str(content["project"]), str(content["server"]), str(content["head"] or ""), digest, changes, selection
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise IntegrityError(
            "this file is not a plan that this version can read",
            hint="write one with `avatar-gitops plan --format json > plan.json`",
        ) from None


def reviewed_digest(content: Any) -> str:
    """The digest of a plan document; raises like `read`."""
    return read(content).digest


def moved(content: Any, now: Plan) -> tuple[Moved, ...]:
    """The sets whose change differs between a reviewed plan document and the plan of now; raises like `read`."""
    idle = {Action.UNCHANGED, Action.KEEP}
    old = {name: change for name, change in read(content).changes.items() if change[0] not in idle}
    new = {change.set: (change.action, change.digest) for change in now.effective}
    return tuple(
        Moved(name, old[name][0] if name in old else None, new[name][0] if name in new else None)
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    )
