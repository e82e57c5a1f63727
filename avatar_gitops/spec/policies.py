"""Models of the files in `policies/`: which rules apply, which findings are waived, what a policy is tested with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from avatar_gitops.spec.columns import Day, Model, Text
from avatar_gitops.spec.models import Gate, Natural, Positive

FOLDER: Final = "policies"
LEDGER_FOLDER: Final = "ledger"
MOST_DAYS: Final = 180
"""Longest life of a waiver; who still needs it afterwards says so again."""

RuleId = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,39}$")]
Glob = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*?\[\]!-]{1,200}$")]
Role = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_][A-Za-z0-9_./-]{0,99}$")]
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


class Regression(Model):
    """A metric that must not get worse than the published one by more than chance explains, or `at_most` if more.

    `at_most` is a loss in the metric's own unit. The worst table of each run counts.
    """

    metric: MetricName
    sets: Annotated[list[Glob], Field(min_length=1)] = ["*"]
    severity: Level = Level.FAIL
    at_most: Annotated[float, Field(ge=0)] | None = None
    id: RuleId | None = None
    reason: Text | None = None


class LedgerLimits(Model):
    """How much of one source may be released: how often, with how much epsilon in sum, with which overlap.

    `max_overlap` is the share of the columns of the smaller release that may also be in another one, 0 to 1.
    """

    max_releases: Natural = 5
    max_epsilon: Positive = 10.0
    max_overlap: Annotated[float, Field(ge=0, le=1)] = 0.0


class PolicyFile(Model):
    """Which rules apply to the project. Several files add up; of two severities for one rule the worse counts.

    `required_approvers` are logins, or names of groups whose people stand in `approvers`.
    """

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815 - the field's name in Kubernetes-style documents
    kind: Literal["Policy"]
    enabled: list[RuleSet] = [RuleSet.BASELINE]
    disabled: list[RuleId] = []
    severity: dict[RuleId, Level] = {}
    thresholds: list[Threshold] = []
    regressions: list[Regression] = []
    rules: list[Text] = []
    required_approvers: list[Text] = []
    approvers: dict[Role, Annotated[list[Text], Field(min_length=1)]] = {}
    ledger: LedgerLimits | None = None


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


class CaseNoise(Model):
    """A noise band of a test: standard deviation over so many seeds."""

    sd: Annotated[float, Field(ge=0)]
    n: Natural = 8


class CaseRelease(Model):
    """An earlier release of the same source in a test."""

    set: Text = "earlier"
    recipient: Text = "internal"
    epsilon: Positive | None = None
    columns: list[Text] = []
    same_data: bool = True


class PolicyCase(Model):
    """One test of the policy: a run spec in part, and the rules that must find something in it, no others.

    `metadata` and `spec` are laid over an example that passes every rule; `null` takes a field away. `published` is
    laid over the same example and stands for what was published before; `metrics` are the values of its one table,
    `published_metrics` those of the run before, `noise` what repeated seeds measured. `waivers` are those of the
    change, `base_waivers` those before it, both on the day `today`. `releases` are those in the ledger.
    """

    name: Text
    metadata: dict[str, Any] = {}
    spec: dict[str, Any] = {}
    published: dict[str, Any] | None = None
    metrics: dict[MetricName, float] = {}
    rows: Text = "1k-10k"
    stage: Stage = Stage.BEFORE
    approved_by: list[Text] = []
    author: Text | None = None
    waivers: list[WaiverEntry] = []
    base_waivers: list[WaiverEntry] = []
    today: Day | None = None
    published_metrics: dict[MetricName, float] | None = None
    noise: dict[MetricName, CaseNoise] = {}
    releases: list[CaseRelease] | None = None
    columns: list[Text] = []
    expect: list[RuleId] = []


class PolicyTests(Model):
    """A file in `policies/tests/`."""

    apiVersion: Literal["avatar-gitops/v1"]  # noqa: N815
    kind: Literal["PolicyTest"]
    tests: Annotated[list[PolicyCase], Field(min_length=1)]
