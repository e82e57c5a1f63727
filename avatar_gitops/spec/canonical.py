"""From a run to its digest: the resolved spec as plain data, RFC 8785 canonical JSON, SHA-256.

What a resolved spec is: every default is written out; what was not said (`null` or absent) is left out; a source that
was given as a plain path has the long form `{uri: …}`; jobs stand once each, in the order of their dependencies.
References such as `env/NAME` stay references, so the values behind them never change a digest.
"""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from avatar_gitops.spec.models import AvatarRun, Job


def resolved(run: AvatarRun) -> dict[str, Any]:
    """The run as plain JSON data with defaults filled in; two specs that mean the same give equal results."""
    plain: dict[str, Any] = run.model_dump(mode="json", exclude_none=True)
    spec = plain["spec"]
    spec["jobs"] = [job.value for job in Job if job in run.spec.jobs]
    for table in spec["tables"].values():
        for key in ("source", "avatars", "sample"):
            if isinstance(table.get(key), str):
                table[key] = {"uri": table[key], "options": {}}
    return plain


def canonical(value: Any) -> bytes:
    """RFC 8785 text of plain JSON data: one byte sequence per value, whatever the order of keys."""
    return rfc8785.dumps(value)


def digest(value: Any) -> str:
    """`sha256:` and the SHA-256 of the canonical text of plain JSON data."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
