"""Models of the JSON documents that are evidence, and the JSON Schemas (draft 2020-12) that are made from them.

Every document has one form: unknown fields, other types and other orders of keys are refused by whoever verifies.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from avatar_gitops.audit import statement
from avatar_gitops.audit.parts import Engine, Gate, Input, Part, Sha256, Subject
from avatar_gitops.audit.records import AppliedPlan, AuditLine, MetricsFile, RunRecord

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class SpecDigests(Part):
    """Where the spec is, the digest of all of it, and those of the fields that each stage of the jobs depends on."""

    path: str
    digest: Sha256
    standard: Sha256
    metrics: Sha256
    reports: Sha256


class Run(Part):
    """The version on the server and its jobs (kind to id)."""

    id: str
    server: str | None
    started: str
    finished: str
    jobs: dict[str, str]


class RunPredicate(Part):
    """What a run was made from and who allowed it."""

    project: str
    set: str
    spec: SpecDigests
    commit: str | None
    inputs: list[Input]
    input_digest: Sha256
    run: Run
    engine: Engine
    tool: str
    plan: Sha256 | None
    approved_by: list[str]
    waivers: list[str]
    weaker: list[str]
    gates: list[Gate]
    metrics_digest: Sha256


class Statement(Part):
    """An in-toto Statement v1."""

    type: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")]
    subject: Annotated[list[Subject], Field(min_length=1)]


class RunStatement(Statement):
    """Statement about a published run."""

    predicateType: Literal["urn:avatar-gitops:predicate:run:v1"]  # noqa: N815 - the field's name in in-toto
    predicate: RunPredicate


class Compared(Part):
    """A file of the run beside the one that the replay made: equal bytes, or not."""

    name: str
    expected: Sha256
    found: Sha256
    equal: bool


class MetricCompared(Part):
    """A metric that differs: `band` is the most that it may, and where that comes from."""

    table: str
    family: str
    metric: str
    expected: FiniteFloat | None
    found: FiniteFloat | None
    band: FiniteFloat
    source: Literal["noise file", "numerical"]
    within: bool


class ReplayPredicate(Part):
    """What a replay compared, on what, and what came out: `exact` bytes, metrics `within_band`, or `different`."""

    set: str
    run: str
    statement: Sha256 | None
    spec_digest: Sha256
    input_digest: Sha256
    seed: int | None
    engine: Engine
    environment_equal: bool
    differs: list[str]
    files: list[Compared]
    metrics: list[MetricCompared]
    metrics_compared: int
    result: Literal["exact", "within_band", "different"]
    tool: str


class ReplayStatement(Statement):
    """Statement about a run that was repeated."""

    predicateType: Literal["urn:avatar-gitops:predicate:replay:v1"]  # noqa: N815 - the field's name in in-toto
    predicate: ReplayPredicate


class BundledSet(Part):
    """A set in a bundle: what its resolved spec and its statement are; null when it is deleted."""

    set: str
    state: Literal["published", "deleted"]
    spec_digest: Sha256 | None
    statement: Sha256 | None


class AuditHead(Part):
    """The last line of the audit log."""

    seq: int
    digest: Sha256


class BundlePredicate(Part):
    """What a bundle is about."""

    project: str
    sets: list[BundledSet]
    audit: AuditHead | None
    commit: str | None
    tool: str


class BundleStatement(Statement):
    """Statement about every file of a bundle."""

    predicateType: Literal["urn:avatar-gitops:predicate:bundle:v1"]  # noqa: N815 - the field's name in in-toto
    predicate: BundlePredicate


PUBLISHED: Final[dict[str, tuple[type[Part], str]]] = {
    "run-statement": (RunStatement, "Statement of avatar-gitops about a published run"),
    "replay-statement": (ReplayStatement, "Statement of avatar-gitops about a replay"),
    "bundle-statement": (BundleStatement, "Statement of avatar-gitops about a bundle of evidence"),
    "applied-plan": (AppliedPlan, "Record of a plan that avatar-gitops carried out"),
    "audit-line": (AuditLine, "Line of the audit log of avatar-gitops"),
    "run-record": (RunRecord, "Record of a run by avatar-gitops"),
    "metrics": (MetricsFile, "Metrics of a run by avatar-gitops"),
}
"""Kinds whose schema is made from their model."""

STATEMENTS: Final[dict[str, type[Statement]]] = {
    statement.RUN: RunStatement,
    statement.REPLAY: ReplayStatement,
    statement.BUNDLE: BundleStatement,
}


def problem(model: type[BaseModel], content: bytes) -> str:
    """What a document has of another form than its model: place and kind of the first; empty when it has none."""
    try:
        model.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place}: {first['type']}" if place else first["type"]
    return ""


def schema_text(kind: str) -> str:
    """The schema as it is published: the same bytes for the same models."""
    model, title = PUBLISHED[kind]
    content: dict[str, Any] = model.model_json_schema(by_alias=True)
    return (
        json.dumps(
            {"$schema": DIALECT, "$id": f"urn:avatar-gitops:schema:{kind}:v1", **content, "title": title},
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )
