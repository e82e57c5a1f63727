"""What a published run leaves in `out/<set>/`, as bytes: metrics, summary, impact assessment, record, digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.app.facts import Answered, assessment_facts
from avatar_gitops.app.reports import report_documents
from avatar_gitops.assessment import AssessmentFacts
from avatar_gitops.assessment.templates import PACKAGED, Templates
from avatar_gitops.audit.sbom import FILE as SBOM
from avatar_gitops.audit.sbom import sbom
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Applied, GateResult
from avatar_gitops.plan.outcome import Artifact, MetricBlock, RunResult
from avatar_gitops.wire.environment import DISTRIBUTIONS

SUMS: Final = "SHA256SUMS"


def documents(
    desired: DesiredSet,
    result: RunResult,
    told: Answered,
    earlier: AssessmentFacts | None = None,
    templates: Templates = PACKAGED,
) -> Iterator[Artifact]:
    """Everything but the avatars that one run leaves, in a fixed order; `earlier` as for `assessment_facts`."""
    yield Artifact("metrics.json", json_bytes(metrics(desired.name, result.blocks)))
    yield from report_documents(assessment_facts(desired, result, told, earlier), templates)
    for report in result.reports:
        yield Artifact(f"server/{report.name}", report.content)
    if result.environment.get(DISTRIBUTIONS):
        yield Artifact(SBOM, json_bytes(sbom(result.engine, result.environment)))
    yield Artifact("run.json", json_bytes(record(desired, result, told.gates, told.commit, told.applied)))


def metrics(name: str, blocks: Iterable[MetricBlock]) -> dict[str, Any]:
    """`metrics.json`: every block in natural units; the same run again gives the same bytes."""
    entries = [
        {
            "table": block.table,
            "family": block.family,
            "computation_type": block.computation_type,
            "reference": block.reference,
            "values": dict(sorted(block.values.items())),
            "intervals": {name: list(ends) for name, ends in sorted(block.intervals.items())},
            "targets": dict(sorted(block.targets.items())),
            "not_measured": list(block.not_measured),
        }
        for block in blocks
    ]
    return {
        "format": "avatar-gitops/metrics",
        "version": "1.1",
        "set": name,
        "units": {
            "hellinger_mean": "distance, 0 is equal, 1 is disjoint",
            "correlation_difference_ratio": "mean absolute difference of correlations, percent",
        },
        "blocks": entries,
    }


def blocks(content: bytes) -> tuple[MetricBlock, ...]:
    """The blocks of a `metrics.json` that this program wrote."""
    return tuple(
        MetricBlock(
            table=entry["table"],
            family=entry["family"],
            computation_type=entry["computation_type"],
            reference=entry["reference"],
            values=entry["values"],
            intervals={name: (low, high) for name, (low, high) in entry["intervals"].items()},
            targets=entry["targets"],
            metadata={},
            not_measured=tuple(entry.get("not_measured", ())),
        )
        for entry in json.loads(content)["blocks"]
    )


def record(
    desired: DesiredSet,
    result: RunResult,
    gates: Sequence[GateResult],
    commit: str,
    applied: Applied | None = None,
) -> dict[str, Any]:
    """`run.json`: where the run came from, how it ended, and who allowed it."""
    return {
        "format": "avatar-gitops/run",
        "version": "1.0",
        "set": desired.name,
        "spec": desired.path,
        "commit": commit,
        "run": result.set_id,
        "jobs": dict(sorted(result.jobs.items())),
        "started": result.started,
        "finished": result.finished,
        "engine": result.engine,
        "seed": result.seed,
        "environment": environment(result) or None,
        "tool": f"avatar-gitops {__version__}",
        "digests": {
            "spec": desired.digests.spec,
            "standard": desired.digests.standard,
            "metrics": desired.digests.metrics,
            "reports": desired.digests.reports,
            "input": desired.digests.input,
        },
        "inputs": {item.table: {"digest": item.digest, "rows": item.rows} for item in desired.inputs},
        "gates": [
            {"metric": gate.metric, "condition": gate.condition, "value": gate.value, "passed": gate.passed}
            for gate in gates
        ],
        "applied": None
        if applied is None
        else {
            "plan": applied.plan_digest,
            "approved_by": list(applied.approved_by),
            "waivers": list(applied.waivers),
            "weaker": list(applied.weaker),
        },
    }


def environment(result: RunResult) -> dict[str, Any]:
    """What the run was computed with, without the list of packages, which the SBOM has."""
    return {name: value for name, value in result.environment.items() if name != DISTRIBUTIONS}


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """`sha256:…` of each file, by its path inside the set's folder."""
    return {name: f"sha256:{hashlib.sha256(content).hexdigest()}" for name, content in sorted(files.items())}


def sums(files: Mapping[str, bytes]) -> bytes:
    """The digests in the form that `sha256sum --check` reads."""
    return "".join(f"{digest.removeprefix('sha256:')}  {name}\n" for name, digest in digests(files).items()).encode()


def json_bytes(value: Any) -> bytes:
    """Readable JSON with a fixed order and no NaN."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
