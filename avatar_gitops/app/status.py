"""`status` and `show`: where the sets stand, from git, lock files and the server. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from avatar_gitops.app.leasing import held_now
from avatar_gitops.app.plan import EVERYTHING, Consent, Planned, glance, looking, plan
from avatar_gitops.app.signatures import signatures_under
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.model import Change
from avatar_gitops.plan.select import Selection
from avatar_gitops.plan.signoff import Signatures
from avatar_gitops.reconcile.lease import Lease

READ_ONLY = Consent(look=True)


@dataclass(frozen=True, slots=True)
class Shown:
    """One set: what plan says about it, its artifacts, and its resolved spec."""

    change: Change
    folder: Path | None
    resolved: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Looked:
    """Where the selected sets stand, and who applies the project at this moment; None when nobody does.

    `signatures` are those of the published sets that somebody has signed or has to sign.
    """

    planned: Planned
    lease: Lease | None
    signatures: Mapping[str, Signatures] = field(default_factory=dict)


def status(project: Path | None, server: str | None, selection: Selection = EVERYTHING) -> Looked:
    """The selected sets; nothing is refused to somebody who only looks."""
    with looking(project, server) as (loaded, connection, remote):
        planned = glance(loaded, connection, remote, READ_ONLY, selection)
        return Looked(planned, held_now(remote, loaded.name), signatures_under(loaded, planned.plan.changes))


def show(project: Path | None, server: str | None, name: str) -> Shown:
    """One set. Raises UsageError when there is no such set."""
    found = plan(project, server, READ_ONLY)
    change = next((item for item in found.plan.changes if item.set == name), None)
    if change is None:
        names = sorted(item.set for item in found.plan.changes)
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"sets: {', '.join(names) or 'none'}"
        raise UsageError(f"there is no set `{name}`", hint=hint)
    folder = found.loaded.out / name
    resolved = change.desired.resolved if change.desired else change.lock.spec if change.lock else {}
    return Shown(change, folder if folder.is_dir() else None, resolved)


def as_json(shown: Shown) -> str:
    """One set for machines."""
    lock = shown.change.lock
    document = {
        "format": "avatar-gitops/set",
        "version": "1.0",
        "set": shown.change.set,
        "action": shown.change.action.value,
        "reason": shown.change.reason.value,
        "spec": shown.resolved,
        "published": None
        if lock is None
        else {
            "run": lock.run,
            "finished": lock.finished,
            "engine": lock.engine,
            "commit": lock.commit,
            "metrics": lock.metrics,
            "gates": {gate.metric: gate.passed for gate in lock.gates},
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
