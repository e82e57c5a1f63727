"""Lock: what was published last for one set, so that a plan can name the fields that changed and needs no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.plan.desired import Digests, TableInput

Metrics = Mapping[str, Mapping[str, float]]
"""Table name to metric name to value, in natural units."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate, evaluated: `value` is the worst table's; None when the metric was not computed, which fails."""

    metric: str
    condition: str
    value: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """Who allowed what is published: the plan that was applied, who approved it, rules that somebody answered for.

    `waivers` are short texts such as `P044 dpo-lead until 2026-12-31`, `weaker` what made privacy weaker than in the
    run before, such as `k 20 -> 15`.
    """

    plan_digest: str
    approved_by: tuple[str, ...] = ()
    waivers: tuple[str, ...] = ()
    weaker: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """The last published run of a set. `spec` is the resolved spec, `jobs` maps job to the server's job id.

    `noise` is half the width of the 95 % interval of a metric, for metrics that have one. `moved_from` are names that
    the set had and that versions on the server still carry, `earlier` the ids of these versions; `adopted` says what
    versions were made from (id to digests) that others made and that carry no marks of ours.
    """

    set: str
    path: str
    digests: Digests
    spec: Mapping[str, Any]
    inputs: tuple[TableInput, ...]
    run: str
    started: str
    finished: str
    jobs: Mapping[str, str]
    engine: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=dict)
    gates: tuple[GateResult, ...] = ()
    commit: str = ""
    noise: Metrics = field(default_factory=dict)
    moved_from: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    adopted: Mapping[str, Digests] = field(default_factory=dict)
    applied: Applied | None = None
