"""Tests of a policy: part of a spec laid over an example that passes every rule, and the rules that object to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from pydantic import ValidationError

from avatar_gitops.plan.desired import DesiredSet, TableInput, desire
from avatar_gitops.plan.diff import against_lock
from avatar_gitops.plan.lock import Lock
from avatar_gitops.policy.engine import Book, judge
from avatar_gitops.policy.model import Facts
from avatar_gitops.spec.gates import METRICS, Direction
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.policies import PolicyCase

EXAMPLE: Final[Mapping[str, Any]] = {
    "apiVersion": "avatar-gitops/v1",
    "kind": "AvatarRun",
    "metadata": {"name": "example", "owner": "registry@example.org"},
    "spec": {
        "seed": 1,
        "tables": {"people": {"source": "people.csv", "avatarization": {"k": 20}}},
        "gates": {"hidden_rate": ">= 90"},
        "pia": {
            "purpose": "Teaching",
            "controller": "Example hospital",
            "legal_basis": "Public task",
            "retention": "Five years",
            "data_recipient": "internal",
            "data_type": "education",
            "data_subject": "students",
            "sensitivity_level": "Low",
        },
    },
}
GOOD: Final[Mapping[str, float]] = {
    name: metric.largest or 100.0 if metric.direction is Direction.HIGHER else 0.0 for name, metric in METRICS.items()
}
"""The best value of each metric, so that a test only says what it is about."""


def found(case: PolicyCase, book: Book) -> tuple[str, ...]:
    """Ids of the rules that object, without waivers; ValueError when the parts make no valid spec."""
    desired = _desired(case.metadata, case.spec, case.rows)
    metrics = {name: dict(GOOD) | case.metrics for name in desired.run.spec.tables}
    before = None if case.published is None else _desired({}, case.published, case.rows)
    facts = Facts(
        desired=desired,
        fields=against_lock(desired, _lock(before)) if before else (),
        metrics=metrics,
        others=(desired,),
        approvals=tuple(case.approved_by),
        required_approvers=book.required_approvers,
    )
    unwaived = replace(book, waivers=())
    report = judge(unwaived, case.stage, [facts], date.min)
    return tuple(dict.fromkeys(finding.rule for finding in report.findings))


def _desired(metadata: Mapping[str, Any], spec: Mapping[str, Any], rows: str) -> DesiredSet:
    content = overlay(EXAMPLE, {"metadata": metadata, "spec": spec})
    try:
        run = AvatarRun.model_validate_json(json.dumps(content))
    except ValidationError as error:
        places = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
        raise ValueError(f"the parts make no valid spec: {', '.join(dict.fromkeys(places))}") from None
    inputs = [TableInput(name, "sha256:" + "0" * 64, 1, (), rows) for name in run.spec.tables]
    return desire(run, "configs/example.yaml", inputs)


def overlay(below: Any, above: Any) -> Any:
    """Mappings merged key by key, `None` taking a key away; anything else replaces what was there."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return copy.deepcopy(above)
    merged = {key: copy.deepcopy(value) for key, value in below.items() if key not in above}
    kept = {key: overlay(below.get(key), value) for key, value in above.items() if value is not None}
    return merged | kept


def _lock(before: DesiredSet) -> Lock:
    return Lock(
        set=before.name,
        path=before.path,
        digests=before.digests,
        spec=before.resolved,
        inputs=before.inputs,
        run="example",
        started="",
        finished="",
        jobs={},
        engine="",
    )
