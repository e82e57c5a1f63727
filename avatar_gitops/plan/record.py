"""The record of a plan that is carried out: what its digest was computed from, so that anybody can compute it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from avatar_gitops.plan.digest import change_content
from avatar_gitops.plan.model import Plan

FORMAT: Final = "avatar-gitops/applied-plan"
VERSION: Final = "1.0"
SCHEMA: Final = "schemas/applied-plan.v1.schema.json"


def record(plan: Plan, policy: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that an apply begins to carry out, as plain JSON data; `policy` is what the policy said about them.

    The digest of a change is that of its `content`; the digest of the plan is that of project, server and the sorted
    pairs of set and digest (RFC 8785, SHA-256).
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "$schema": SCHEMA,
        "project": plan.project,
        "server": plan.server,
        "commit": plan.commit or None,
        "digest": plan.digest,
        "changes": [
            {"set": change.set, "digest": change.digest, "content": change_content(change)}
            for change in sorted(plan.effective, key=lambda change: change.set)
        ],
        "policy": dict(policy),
    }
