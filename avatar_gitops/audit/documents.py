"""Models of the JSON documents that are evidence, and the JSON Schemas (draft 2020-12) that are made from them.

Every document has one form: unknown fields, other types and other orders of keys are refused by whoever verifies.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue, ValidationError

from avatar_gitops.audit import statement
from avatar_gitops.wire.environment import Environment

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Sha256 = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Digest = Annotated[str, Field(pattern=r"^(sha256|hmac-sha256):[0-9a-f]{64}$")]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$")]


class Part(BaseModel):
    """Nothing but what is written here."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Hashed(Part):
    """The digest of a subject."""

    sha256: Hex


class Subject(Part):
    """A file that a statement is about: its path inside `out/<set>/`, or inside a bundle."""

    name: str
    digest: Hashed


class SpecDigests(Part):
    """Where the spec is, the digest of all of it, and those of the fields that each stage of the jobs depends on."""

    path: str
    digest: Sha256
    standard: Sha256
    metrics: Sha256
    reports: Sha256


class Input(Part):
    """A data file: its digest, keyed when the project has a digest key, and how many rows it has, coarsely."""

    name: str
    digest: Digest
    rows: str


class Run(Part):
    """The version on the server and its jobs (kind to id)."""

    id: str
    server: str | None
    started: str
    finished: str
    jobs: dict[str, str]


class Engine(Part):
    """What computed the run, with which seed, and on what; null is what nobody told."""

    name: str
    seed: int | None
    environment: Environment | None


class Gate(Part):
    """A gate of the spec and the worst value that was measured."""

    metric: str
    condition: str
    value: FiniteFloat | None
    passed: bool


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


class AppliedChange(Part):
    """A change and what its digest was computed from (RFC 8785, SHA-256)."""

    set: str
    digest: Sha256
    content: dict[str, JsonValue]


class AppliedPlan(Part):
    """A plan that was carried out; `policy` is what the policy said about it before anything ran."""

    format: Literal["avatar-gitops/applied-plan"]
    version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    schema_: Annotated[Literal["schemas/applied-plan.v1.schema.json"], Field(alias="$schema")]
    project: str
    server: str
    commit: str | None
    digest: Sha256
    changes: list[AppliedChange]
    policy: dict[str, JsonValue]


class RunDigests(Part):
    """Digests of the spec, of its parts and of the data."""

    spec: Sha256
    standard: Sha256
    metrics: Sha256
    reports: Sha256
    input: Sha256


class RunInput(Part):
    """A data file."""

    digest: Digest
    rows: str


class RunApplied(Part):
    """Who allowed a run."""

    plan: Sha256
    approved_by: list[str]
    waivers: list[str]
    weaker: list[str]


class RunRecord(Part):
    """`run.json`: where a run came from, how it ended, who allowed it."""

    format: Literal["avatar-gitops/run"]
    version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    set: str
    spec: str
    commit: str
    run: str
    jobs: dict[str, str]
    started: str
    finished: str
    engine: str
    seed: int | None
    environment: Environment | None
    tool: str
    digests: RunDigests
    inputs: dict[str, RunInput]
    gates: list[Gate]
    applied: RunApplied | None


class Block(Part):
    """Metrics of one family of one table."""

    table: str
    family: str
    computation_type: str
    reference: str | None
    values: dict[str, FiniteFloat]
    intervals: dict[str, Annotated[list[FiniteFloat], Field(min_length=2, max_length=2)]]
    targets: dict[str, str]


class MetricsFile(Part):
    """`metrics.json`: what was measured, in natural units."""

    format: Literal["avatar-gitops/metrics"]
    version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    set: str
    units: dict[str, str]
    blocks: list[Block]


class AuditOverride(Part):
    """A guard rail that somebody passed."""

    option: str
    value: str
    reason: str


class AuditWaiver(Part):
    """A rule that somebody answered for."""

    rule: str
    set: str
    owner: str
    reason: str
    expires: str


class AuditLine(Part):
    """A line of the audit log (see `audit.entry`); what older versions did not write has a default."""

    version: Literal[1]
    seq: int
    at: Moment
    phase: Literal["begun", "ended", "refused"]
    command: str
    run: str
    actor: str
    project: str
    server: str
    plan: str
    commit: str
    sets: dict[str, str]
    overrides: list[AuditOverride]
    approvals: list[str]
    approved_at: dict[str, Moment] = {}
    authors: list[str] = []
    waivers: list[AuditWaiver]
    refusal: str
    message: str
    exit_code: int | None
    prev: str
    digest: Sha256
    torn: str = ""


class DeletedRun(Part):
    """A version on the server that is gone, with its jobs."""

    id: str
    jobs: list[str]


class Deletion(Part):
    """`deletion.json`: the receipt of a deletion; schemas/deletion.v1.schema.json describes it."""

    format: Literal["avatar-gitops/deletion"]
    version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    schema_: Annotated[Literal["schemas/deletion.v1.schema.json"], Field(alias="$schema")]
    set: str
    spec: str | None
    project: str
    server: str
    reason: Literal["removed_from_git", "retention_due"]
    remark: str | None
    retention_ended: str | None
    deleted_at: Moment
    plan_digest: Sha256
    commit: str | None
    approved_by: list[str]
    published_run: str | None
    runs: list[DeletedRun]
    artifacts: dict[str, Digest]


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
