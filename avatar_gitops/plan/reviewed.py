"""A plan document that somebody looked at, read back, and its comparison with the plan of now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.desired import FieldPath
from avatar_gitops.plan.model import Action, Change, Plan, Selection
from avatar_gitops.plan.serial import FORMAT, VERSION
from avatar_gitops.spec.canonical import digest


@dataclass(frozen=True, slots=True)
class Seen:
    """One change as it was reviewed; `fields` maps the fields behind it to a digest of their new value."""

    action: Action
    digest: str
    fields: Mapping[FieldPath, str] = field(default_factory=dict)

    @property
    def effective(self) -> bool:
        """Whether there was anything to do."""
        return self.action not in {Action.UNCHANGED, Action.KEEP}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A plan document: where it was made, its digest, and each change by the name of its set."""

    project: str
    server: str
    commit: str
    digest: str
    changes: Mapping[str, Seen]
    selection: Selection = field(default_factory=Selection)
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """A set whose change is not the reviewed one any more; None means that nothing was, or is, to do.

    `fields` are those that differ in a change that is still of the same kind.
    """

    set: str
    reviewed: Action | None
    now: Action | None
    fields: tuple[FieldPath, ...] = ()


def read(content: Any) -> Reviewed:
    """A plan document read back. Raises `IntegrityError` when it is no plan, or one of another major version."""
    try:
        if content["format"] != FORMAT or str(content["version"]).partition(".")[0] != VERSION.partition(".")[0]:
            raise ValueError
        whole = content["digest"]
        if not isinstance(whole, str):
            raise TypeError
        asked = content.get("selection", {})
        return Reviewed(
            str(content["project"]),
            str(content["server"]),
            str(content["head"] or ""),
            whole,
            {str(item["set"]): _seen(item) for item in content["changes"]},
            Selection(tuple(map(str, asked.get("select", ()))), tuple(map(str, asked.get("exclude", ())))),
            content.get("offline") is True,
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
    old = {name: seen for name, seen in read(content).changes.items() if seen.effective}
    new = {change.set: change for change in now.effective}
    return tuple(
        _moved(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if name not in old or name not in new or old[name].digest != new[name].digest
    )


def equal(content: Any, now: Plan) -> tuple[str, ...]:
    """The sets whose change is still the reviewed one, in the order of the plan; raises like `read`."""
    seen = read(content).changes
    return tuple(
        change.set for change in now.effective if change.set in seen and seen[change.set].digest == change.digest
    )


def _seen(item: Mapping[str, Any]) -> Seen:
    fields = {tuple(one["path"]): digest({"after": one["after"]}) for one in item.get("fields", ())}
    return Seen(Action(item["action"]), str(item["digest"]), fields)


def _moved(name: str, old: Seen | None, new: Change | None) -> Moved:
    fields: tuple[FieldPath, ...] = ()
    if old is not None and new is not None and old.action is new.action:
        now = {one.path: digest({"after": one.after}) for one in new.fields}
        fields = tuple(path for path in sorted({*old.fields, *now}, key=str) if old.fields.get(path) != now.get(path))
    return Moved(name, old.action if old else None, new.action if new else None, fields)
