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
from avatar_gitops.plan.ledger import Ledger, would_make
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.noise import NoiseBand, Spread, family
from avatar_gitops.policy.approvals import by_their_author
from avatar_gitops.policy.book import waiver
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
    """Ids of the rules that object, without the project's own waivers; ValueError when the parts make no valid spec."""
    desired = _desired(case.metadata, case.spec, case)
    metrics = {name: dict(GOOD) | case.metrics for name in desired.run.spec.tables}
    before = _published(case)
    facts = Facts(
        desired=desired,
        fields=against_lock(desired, before) if before and case.published is not None else (),
        metrics=metrics,
        others=(desired,),
        approvals=tuple(case.approved_by),
        authors=(case.author,) if case.author else (),
        required_approvers=book.required_approvers,
        approvers=book.approvers,
        published=before,
        noise=_noise(case, desired),
        ledger=_ledger(case, desired, book),
        releases=case.releases is not None,
    )
    report = judge(_waived(case, book), case.stage, [facts], _today(case), complete=False)
    return tuple(dict.fromkeys(finding.rule for finding in report.findings if finding.waiver is None))


def _waived(case: PolicyCase, book: Book) -> Book:
    """The policy with the waivers of the test instead of those of the project."""
    waivers = tuple(map(waiver, case.waivers))
    authors = (case.author,) if case.author else ()
    return replace(book, waivers=waivers, withheld=by_their_author(waivers, [*map(waiver, case.base_waivers)], authors))


def _today(case: PolicyCase) -> date:
    """The day of the test; unless it is said, the last one on which a waiver was granted."""
    return date.fromisoformat(case.today or max((entry.granted for entry in case.waivers), default="0001-01-01"))


def _published(case: PolicyCase) -> Lock | None:
    if case.published is None and case.published_metrics is None:
        return None
    lock = _lock(_desired({}, case.published if case.published is not None else case.spec, case))
    values = dict(GOOD) | (case.published_metrics or {})
    return replace(lock, metrics={item.table: values for item in lock.inputs})


def _noise(case: PolicyCase, desired: DesiredSet) -> NoiseBand | None:
    if not case.noise:
        return None
    spreads = {name: Spread(0.0, said.sd, said.n) for name, said in case.noise.items()}
    seeds = tuple(range(max(spread.n for spread in spreads.values())))
    tables = dict.fromkeys(desired.run.spec.tables, spreads)
    return NoiseBand(desired.name, family(desired), "", seeds, tables)


def _ledger(case: PolicyCase, desired: DesiredSet, book: Book) -> Ledger | None:
    if case.releases is None:
        return None
    planned = would_make(desired)
    earlier = [
        replace(
            planned[0],
            set=said.set,
            recipient=said.recipient,
            epsilon=said.epsilon,
            columns=tuple(said.columns),
            data=planned[0].data if said.same_data else f"other {number}",
            parameters="other",
            avatars=str(number),
            when="2026-01-01",
        )
        for number, said in enumerate(case.releases if planned else ())
    ]
    return Ledger(tuple(earlier), planned, book.ledger)


def _desired(metadata: Mapping[str, Any], spec: Mapping[str, Any], case: PolicyCase) -> DesiredSet:
    content = overlay(EXAMPLE, {"metadata": metadata, "spec": spec})
    try:
        run = AvatarRun.model_validate_json(json.dumps(content))
    except ValidationError as error:
        places = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
        raise ValueError(f"the parts make no valid spec: {', '.join(dict.fromkeys(places))}") from None
    columns = tuple(case.columns)
    inputs = [TableInput(name, "sha256:" + "0" * 64, 1, columns, case.rows) for name in run.spec.tables]
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
