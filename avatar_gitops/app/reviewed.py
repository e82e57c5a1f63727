"""`ci reviewed`: which plan the people saw who merged, so that apply carries out that one and no other."""

from __future__ import annotations

import os
from pathlib import Path

from avatar_gitops.app.forges import forge
from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.servers import server_name
from avatar_gitops.ci.comment import AFTER_MERGE, Body, find, read_body
from avatar_gitops.ci.forge import Forge, Target
from avatar_gitops.errors import StalePlan
from avatar_gitops.plan.digest import plan_digest
from avatar_gitops.report.comment import marker

BY_HAND = "start the apply workflow by hand: it plans again and needs no reviewed plan"


def ci_reviewed(project: Path | None, server: str | None) -> str:
    """Digest of the plan that our comment showed for the last commit of the pull request that was merged.

    Without a comment nothing was to change, so it is the digest of a plan without changes. Raises StalePlan when nobody
    can have seen what would be applied.
    """
    applied = load_applied(project)
    with forge() as found:
        target = found.target()
        if target is None:
            raise _unseen("this commit was not merged by a pull request, so nobody reviewed its plan")
        shown = _shown(found, target, marker(applied.name))
    if shown is None:
        return plan_digest(applied.name, server_name(applied.project, server, os.environ), ())
    if shown.state in AFTER_MERGE:
        raise _unseen(f"what pull request {target.number} showed was applied already")
    if shown.head != target.head:
        raise _unseen(f"the comment on pull request {target.number} shows the plan of an older commit")
    if not shown.digest:
        raise _unseen(f"the comment on pull request {target.number} shows no plan")
    return shown.digest


def _shown(found: Forge, target: Target, mark: str) -> Body | None:
    """Our own comment; everybody can copy its first line, so the author decides."""
    note = find(found, target.number, mark, found.robot)
    return read_body(note.text) if note else None


def _unseen(why: str) -> StalePlan:
    return StalePlan(why, hint=BY_HAND, code="R010")
