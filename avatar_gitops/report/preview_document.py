"""A preview as versioned JSON, described by `schemas/preview.v1.schema.json`: spec values and metrics, never data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from avatar_gitops.errors import IntegrityError
from avatar_gitops.plan.compare import Verdict
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.plan.noise import COVERAGE, Spread
from avatar_gitops.plan.prediction import Basis, GateVerdict, MetricPrediction, PredictedGate, Preview, SetPreview
from avatar_gitops.spec.fields import Consequence, Privacy

FORMAT: Final = "avatar-gitops/preview"
VERSION: Final = "1.0"
SCHEMA: Final = "schemas/preview.v1.schema.json"


def to_json(preview: Preview) -> str:
    """The document as text."""
    return json.dumps(document(preview), indent=2, ensure_ascii=False) + "\n"


def document(preview: Preview) -> dict[str, Any]:
    """The preview as plain JSON data; `read` gives it back."""
    verdicts = [one.verdict for item in preview.sets for one in item.metrics]
    return {
        "format": FORMAT,
        "version": VERSION,
        "$schema": SCHEMA,
        "project": preview.project,
        "server": preview.server,
        "engine": preview.engine,
        "base": preview.base or None,
        "head": preview.commit or None,
        "coverage": COVERAGE,
        "summary": {
            "sets": len(preview.sets),
            "unchanged": preview.unchanged,
            "better": verdicts.count(Verdict.BETTER),
            "worse": sum(len(one.worse) for one in preview.sets),
            "gates_failing": sum(len(one.failing) for one in preview.sets),
            "failed": sum(bool(one.error) for one in preview.sets),
        },
        "sets": [_set(one) for one in preview.sets],
    }


def _set(one: SetPreview) -> dict[str, Any]:
    return {
        "set": one.set,
        "path": one.path,
        "basis": one.basis.value,
        "new": one.new,
        "inputs": [{"table": item.table, "rows": item.rows, "columns": len(item.columns)} for item in one.inputs],
        "fields": [
            {"path": list(field.path), "before": field.before, "after": field.after, "privacy": field.privacy.value}
            for field in one.fields
        ],
        "seeds": list(one.seeds),
        "metrics": [_metric(metric) for metric in one.metrics],
        "gates": [_gate(gate) for gate in one.gates],
        "notes": list(one.notes),
        "error": one.error or None,
        "promoted": one.promoted or None,
    }


def _metric(one: MetricPrediction) -> dict[str, Any]:
    return {
        "table": one.table,
        "metric": one.metric,
        "base": _spread(one.base),
        "head": _spread(one.head),
        "delta": one.delta,
        "noise": one.noise,
        "verdict": one.verdict.value,
    }


def _spread(one: Spread | None) -> dict[str, Any] | None:
    return None if one is None else {"mean": one.mean, "sd": one.sd, "n": one.n}


def _gate(one: PredictedGate) -> dict[str, Any]:
    return {
        "metric": one.metric,
        "condition": one.condition,
        "value": one.value,
        "passed": one.passed,
        "seeds_passed": one.seeds_passed,
        "seeds": one.seeds,
        "verdict": one.verdict.value,
    }


@dataclass(frozen=True, slots=True)
class Shown:
    """A document read back: what its renderings need of it. Row counts are the buckets that the document holds."""

    preview: Preview
    rows: Mapping[str, tuple[str, ...]]


def read(content: Any) -> Shown:
    """A document read back, whoever wrote it. Raises IntegrityError when it is none, or of another major version."""
    try:
        if content["format"] != FORMAT or str(content["version"]).partition(".")[0] != VERSION.partition(".")[0]:
            raise ValueError
        return Shown(
            Preview(
                project=str(content["project"]),
                server=str(content["server"]),
                engine=str(content["engine"]),
                sets=tuple(_read_set(one) for one in content["sets"]),
                unchanged=int(content["summary"]["unchanged"]),
                base=str(content["base"] or ""),
                commit=str(content["head"] or ""),
            ),
            {str(one["set"]): tuple(_size(item) for item in one["inputs"]) for one in content["sets"]},
        )
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        raise IntegrityError(
            "this file is not a preview that this version can read",
            hint="write one with `avatar-gitops preview --out json:preview.json`",
        ) from None


def _size(item: Mapping[str, Any]) -> str:
    return f"{item['table']}: {int(item['columns'])} columns, {item['rows']} rows"


def _read_set(one: Mapping[str, Any]) -> SetPreview:
    return SetPreview(
        set=str(one["set"]),
        path=str(one["path"]),
        basis=Basis(one["basis"]),
        new=bool(one["new"]),
        fields=tuple(_read_field(field) for field in one["fields"]),
        seeds=tuple(int(seed) for seed in one["seeds"]),
        metrics=tuple(_read_metric(metric) for metric in one["metrics"]),
        gates=tuple(_read_gate(gate) for gate in one["gates"]),
        notes=tuple(map(str, one["notes"])),
        error=str(one["error"] or ""),
        promoted=str(one["promoted"] or ""),
    )


def _read_field(one: Mapping[str, Any]) -> FieldChange:
    path = tuple(part if isinstance(part, int) else str(part) for part in one["path"])
    if not path:
        raise ValueError
    return FieldChange(path, one["before"], one["after"], Consequence.METADATA, Privacy(one["privacy"]))


def _read_metric(one: Mapping[str, Any]) -> MetricPrediction:
    return MetricPrediction(
        table=str(one["table"]),
        metric=str(one["metric"]),
        base=_read_spread(one["base"]),
        head=_read_spread(one["head"]),
        delta=_number(one["delta"]),
        noise=_number(one["noise"]),
        verdict=Verdict(one["verdict"]),
    )


def _read_spread(one: Mapping[str, Any] | None) -> Spread | None:
    return None if one is None else Spread(float(one["mean"]), float(one["sd"]), int(one["n"]))


def _read_gate(one: Mapping[str, Any]) -> PredictedGate:
    gate = PredictedGate(
        metric=str(one["metric"]),
        condition=str(one["condition"]),
        value=_number(one["value"]),
        passed=one["passed"] is True,
        seeds_passed=int(one["seeds_passed"]),
        seeds=int(one["seeds"]),
    )
    if gate.verdict is not GateVerdict(one["verdict"]):
        raise ValueError
    return gate


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
