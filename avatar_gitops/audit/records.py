"""Models of the records that a project keeps: runs, metrics, applied plans, the audit log, receipts of deletions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, JsonValue

from avatar_gitops.audit.parts import Digest, Gate, Moment, Part, Sha256
from avatar_gitops.wire.environment import Environment


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
    not_measured: list[str] = []


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
