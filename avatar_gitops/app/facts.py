"""From a spec and its results to the facts that an assessment is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from avatar_gitops import __version__
from avatar_gitops.app.clock import minute
from avatar_gitops.assessment.approval import ApprovalFacts, GateFacts
from avatar_gitops.assessment.column_distances import column_distances
from avatar_gitops.assessment.facts import (
    BUCKETS,
    UNKNOWN_BUCKET,
    AssessmentFacts,
    MetricValue,
    PiaContext,
    Provenance,
    TableFacts,
    control_of,
    metric_facts,
    of_promise,
    of_rows,
    parameter_facts,
)
from avatar_gitops.assessment.guarantee import GUARANTEE, guarantee_facts
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Applied, GateResult
from avatar_gitops.plan.outcome import STANDALONE, RunResult
from avatar_gitops.plan.stated import stated_in
from avatar_gitops.spec.models import Avatarization, PrivacyMetrics, Table
from avatar_gitops.wire.stated import STATED_FIELDS, Stated


@dataclass(frozen=True, slots=True)
class Answered:
    """What a run had to keep and who let it be published; `commit` is that of the spec."""

    gates: Sequence[GateResult] = ()
    applied: Applied | None = None
    commit: str = ""
    signers: tuple[str, ...] = ()


def assessment_facts(
    desired: DesiredSet, result: RunResult, answered: Answered | None = None, earlier: AssessmentFacts | None = None
) -> AssessmentFacts:
    """What the documents of one run say: only spec values, coarse sizes and metrics.

    `earlier` are the facts of the same run from when it was published, for what its artifacts do not tell again: the
    promises of differential privacy and the pictures.
    """
    told = answered or Answered()
    pia, stated = desired.run.spec.pia, stated_in(desired)
    return AssessmentFacts(
        set_name=desired.name,
        tables=tuple(_kept(_table(desired, result, stated, name), earlier) for name in desired.run.spec.tables),
        context=PiaContext(
            data_recipient=pia.data_recipient.value,
            data_type=pia.data_type.value,
            data_subject=pia.data_subject.value,
            sensitivity_level=pia.sensitivity_level.value,
            **{field: getattr(stated, field) for field in STATED_FIELDS},
        ),
        language=pia.language.value,
        provenance=Provenance(
            engine=result.engine,
            seed_recorded=desired.run.spec.seed is not None,
            spec_digest=desired.digests.spec,
            input_digests=stated.input_digests,
            versions={"avatar-gitops": __version__, **_versions(result.environment)},
            sources=stated.sources,
            job=result.set_id or None,
            commit=told.commit or None,
            date=minute(result.finished),
        ),
        gates=tuple(_gate(desired, gate) for gate in told.gates),
        approval=_approval(told.applied),
        signers=told.signers,
    )


def _kept(table: TableFacts, earlier: AssessmentFacts | None) -> TableFacts:
    """A table with what was known of it when it was published; beside a promise what says of privacy only informs."""
    before = next((item for item in earlier.tables if item.name == table.name), None) if earlier else None
    if before is not None:
        table = replace(table, guarantee=table.guarantee or before.guarantee, figures=table.figures or before.figures)
    return table if table.guarantee is None else replace(table, metrics=of_promise(table.metrics))


def _versions(environment: Mapping[str, Any]) -> Mapping[str, str]:
    """Interpreter and libraries that computed the run, as far as the engine says."""
    if not environment:
        return {}
    return {"python": environment["python"], **environment["libraries"]}


def _gate(desired: DesiredSet, gate: GateResult) -> GateFacts:
    file, line = desired.place(("spec", "gates", gate.metric))
    source = f"gates.{gate.metric}, {file}:{line}" if line else None
    return GateFacts(gate.metric, gate.condition, gate.value, gate.passed, source)


def _approval(applied: Applied | None) -> ApprovalFacts | None:
    if applied is None:
        return None
    return ApprovalFacts(applied.plan_digest, applied.approved_by, applied.waivers, applied.weaker)


def _table(desired: DesiredSet, result: RunResult, stated: Stated, name: str) -> TableFacts:
    table = desired.run.spec.tables[name]
    facts = next((item for item in desired.inputs if item.table == name), None)
    method = table.avatarization
    excluded = method.exclude_variables if method else None
    privacy = table.privacy_metrics or PrivacyMetrics()
    mine = [block for block in result.blocks if block.table == name]
    return TableFacts(
        name=name,
        rows=_bucket(facts.rows if facts else UNKNOWN_BUCKET),
        columns=len(facts.columns) or None if facts else None,
        individual_level=table.individual_level,
        method="avatar" if method is None and table.time_series is not None else _method(method),
        parameters=parameter_facts({**_plain(method), **_series(table)}),
        links={link.to.table: link.method.value for link in table.links or ()},
        dropped=tuple(column for column, said in table.columns.items() if said.drop),
        pseudonymized={c: said.pseudonymization.kind for c, said in table.columns.items() if said.pseudonymization},
        excluded=tuple(excluded.variable_names) if excluded else (),
        replacement_strategy=excluded.replacement_strategy.value if excluded else None,
        direct_identifiers=stated.direct_identifiers.get(name, ()),
        guarantee=next(filter(None, (guarantee_facts(block.metadata.get(GUARANTEE)) for block in mine)), None),
        known_variables=tuple(privacy.known_variables or ()),
        inference_target=privacy.target,
        control=control_of(
            holdout=table.holdout is not None,
            share=method is not None and method.holdout_share is not None,
            shadow=bool(privacy.shadow_run),
        ),
        groups=tuple(privacy.groups or ()),
        metrics=tuple(_metrics(result, name)) if table.individual_level else of_rows(_metrics(result, name)),
        column_hellinger=column_distances(block.metadata for block in mine if block.computation_type == STANDALONE),
    )


def _bucket(rows: str) -> str:
    """The spec's buckets go further up than the documents' do."""
    return rows if rows in (*BUCKETS, UNKNOWN_BUCKET) else BUCKETS[-1]


def _method(method: Avatarization | None) -> str:
    if method is None:
        return "none"
    if method.open_dp:
        return "open_dp"
    return "fast_dp" if method.fast_dp else "avatar"


def _plain(method: Avatarization | None) -> Mapping[str, Any]:
    """The parameters of a method; how avatars are generated is none of differential privacy."""
    if method is None:
        return {}
    private = method.open_dp is not None or method.fast_dp is not None
    return method.model_dump(mode="json", exclude_none=True, exclude={"generation"} if private else None)


def _series(table: Table) -> Mapping[str, Any]:
    """How the series of a table are projected and aligned."""
    said = table.time_series
    return {} if said is None else {"time_series": said.model_dump(mode="json", exclude_none=True)}


def _metrics(result: RunResult, table: str) -> Iterator[MetricValue]:
    for block in result.blocks:
        if block.table == table:
            yield from metric_facts(
                {**block.values, **dict.fromkeys(block.not_measured)},
                intervals=block.intervals,
                targets=block.targets,
                scope=block.computation_type,
                reference=block.reference,
            )
