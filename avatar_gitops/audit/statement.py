"""In-toto statements: which files a run left, what they were made from and who allowed them; no value of any data.

A statement is an in-toto Statement v1 (https://github.com/in-toto/attestation); what its predicates hold is described
by `run-statement`, `replay-statement` and `bundle-statement` in schemas/, which are made from `audit.documents`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.plan.lock import Lock

TYPE: Final = "https://in-toto.io/Statement/v1"
RUN: Final = "urn:avatar-gitops:predicate:run:v1"
REPLAY: Final = "urn:avatar-gitops:predicate:replay:v1"
BUNDLE: Final = "urn:avatar-gitops:predicate:bundle:v1"
FILE: Final = "statement.intoto.json"
ENVELOPE: Final = "statement.dsse.json"
REPLAY_FILE: Final = "replay.intoto.json"
REPLAY_ENVELOPE: Final = "replay.dsse.json"
METRICS: Final = "metrics.json"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a lock does not say of its run: whose it is, where it ran, with which seed and on what.

    `environment` is what the engine says of itself (`wire.environment`), without its list of packages.
    """

    project: str
    server: str = ""
    seed: int | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)


def run_statement(lock: Lock, files: Mapping[str, str], origin: Origin) -> dict[str, Any]:
    """The statement about a published run; `files` maps each file that it left to its digest."""
    applied = lock.applied
    predicate = {
        "project": origin.project,
        "set": lock.set,
        "spec": {
            "path": lock.path,
            "digest": lock.digests.spec,
            "standard": lock.digests.standard,
            "metrics": lock.digests.metrics,
            "reports": lock.digests.reports,
        },
        "commit": lock.commit or None,
        "inputs": [
            {"name": item.table, "digest": item.digest, "rows": item.rows}
            for item in sorted(lock.inputs, key=lambda item: item.table)
        ],
        "input_digest": lock.digests.input,
        "run": {
            "id": lock.run,
            "server": origin.server or None,
            "started": lock.started,
            "finished": lock.finished,
            "jobs": dict(sorted(lock.jobs.items())),
        },
        "engine": {"name": lock.engine, "seed": origin.seed, "environment": dict(origin.environment) or None},
        "tool": f"avatar-gitops {__version__}",
        "plan": applied.plan_digest if applied else None,
        "approved_by": sorted(applied.approved_by) if applied else [],
        "waivers": list(applied.waivers) if applied else [],
        "weaker": list(applied.weaker) if applied else [],
        "gates": [
            {"metric": gate.metric, "condition": gate.condition, "value": gate.value, "passed": gate.passed}
            for gate in lock.gates
        ],
        "metrics_digest": files[METRICS],
    }
    return statement(RUN, files, predicate)


def statement(kind: str, files: Mapping[str, str], predicate: Mapping[str, Any]) -> dict[str, Any]:
    """A statement about files, by their path and `sha256:…`."""
    subject = [{"name": name, "digest": {"sha256": files[name].removeprefix("sha256:")}} for name in sorted(files)]
    return {"_type": TYPE, "subject": subject, "predicateType": kind, "predicate": dict(predicate)}


def subjects(content: Mapping[str, Any]) -> dict[str, str]:
    """Path to `sha256:…` of each file that a valid statement is about."""
    return {item["name"]: f"sha256:{item['digest']['sha256']}" for item in content["subject"]}


def statement_bytes(content: Mapping[str, Any]) -> bytes:
    """The only text that a statement may have: readable JSON in a fixed order, and a line feed."""
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def sha256(content: bytes) -> str:
    """`sha256:` and the SHA-256 of some bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
