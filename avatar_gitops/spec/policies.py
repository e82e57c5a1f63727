"""Models of the files in `policies/`: which rules apply, which findings are waived, what a policy is tested with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from avatar_gitops.spec.columns import Day, Model, Text
from avatar_gitops.spec.models import Gate

FOLDER: Final = "policies"
MOST_DAYS: Final = 180
"""Longest life of a waiver; who still needs it afterwards says so again."""

RuleId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,39}$")]
Glob = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*?\[\]!-]{1,200}$")]
MetricName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,63}$")]


class Level(StrEnum):
    """What a finding does: `fail` stops apply, `warn` is counted, `info` is only said."""

    FAIL = "fail"
    WARN = "warn"
    INFO = "info"


class Stage(StrEnum):
    """When a rule looks: at the spec and the plan before a run, or at what was measured after it."""

    BEFORE = "before"
    AFTER = "after"


class RuleSet(StrEnum):
    """A named set of rules that come with the program."""

    BASELINE = "baseline"
    STRICT = "strict"
    HEALTH = "health"


class Threshold(Model):
    """A bound on a metric as a rule; before a run it looks at the published metrics, after a run at the new ones."""

    id: RuleId
    metric: MetricName
    condition: Gate
    sets: Annotated[list[Glob], Field(min_length=1)] = ["*"]
    stage: Stage = Stage.AFTER
    severity: Level = Level.FAIL
    reason: Text | None = None


class PolicyFile(Model):
    """Which rules apply to the project. Several files add up; of two severities for one rule the worse counts."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["Policy"]
    enabled: list[RuleSet] = [RuleSet.BASELINE]
    disabled: list[RuleId] = []
    severity: dict[RuleId, Level] = {}
    thresholds: list[Threshold] = []
    rules: list[Text] = []
    required_approvers: list[Text] = []


class WaiverEntry(Model):
    """A finding that somebody answers for until a date; both days count."""

    rule: RuleId
    sets: Annotated[list[Glob], Field(min_length=1)]
    owner: Text
    reason: Text
    ticket: Text | None = None
    granted: Day
    expires: Day


class WaiverFile(Model):
    """Waivers of the project."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815
    kind: Literal["Waivers"]
    waivers: list[WaiverEntry] = []


class PolicyCase(Model):
    """One test of the policy: a run spec in part, and the rules that must find something in it, no others.

    `metadata` and `spec` are laid over an example that passes every rule; `null` takes a field away. `published` is
    laid over the same example and stands for what was published before; `metrics` are the values of its one table.
    """

    name: Text
    metadata: dict[str, Any] = {}
    spec: dict[str, Any] = {}
    published: dict[str, Any] | None = None
    metrics: dict[MetricName, float] = {}
    rows: Text = "1k-10k"
    stage: Stage = Stage.BEFORE
    approved_by: list[Text] = []
    expect: list[RuleId] = []


class PolicyTests(Model):
    """A file in `policies/tests/`."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815
    kind: Literal["PolicyTest"]
    tests: Annotated[list[PolicyCase], Field(min_length=1)]
