"""Digests of changes and plans: what was reviewed, without server ids, times and line numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from avatar_gitops.plan.model import Change
from avatar_gitops.spec.canonical import digest


def change_digest(change: Change) -> str:
    """Digest of what a change does and why; equal for equal changes, on every machine and at every time."""
    return digest(change_content(change))


def change_content(change: Change) -> dict[str, Any]:
    """What the digest of a change is computed from, as plain JSON data."""
    made_from = change.desired.digests if change.desired else None
    content: dict[str, Any] = {
        "set": change.set,
        "action": change.action.value,
        "reason": change.reason.value,
        "path": change.path,
        "jobs": [job.value for job in change.jobs],
        "keeps": change.base is not None,
        "spec": made_from.spec if made_from else None,
        "input": made_from.input if made_from else None,
        "fields": [[list(field.path), field.before, field.after, field.privacy.value] for field in change.fields],
    }
    if change.moved_from:
        content["moved_from"] = list(change.moved_from)
    if change.current is not None and change.current.adopted:
        content["adopted"] = change.current.id  # it stands in git
    if change.due or change.remark:
        content |= {"due": change.due, "remark": change.remark}
    return content


def plan_digest(project: str, server: str, changes: Iterable[Change]) -> str:
    """Digest of everything that apply would do; sets that stay as they are do not count."""
    done = sorted([change.set, change.digest] for change in changes if change.effective)
    return digest({"project": project, "server": server, "changes": done})
