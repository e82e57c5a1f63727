"""What came back from carrying out a change, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import Action


class State(StrEnum):
    """How a change ended."""

    PUBLISHED = "published"
    UPDATED = "updated"
    DELETED = "deleted"
    GATE_FAILED = "gate_failed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A result file fetched from the server, or a document made from it; `name` is its path inside `out/<set>/`."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MetricBlock:
    """One metrics entry of one table, in natural units, as the server computed it."""

    table: str
    family: str
    computation_type: str
    reference: str | None
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    targets: Mapping[str, str]
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunResult:
    """Results of one finished run. `avatars` maps table to the shuffled file."""

    set_id: str
    jobs: Mapping[str, str]
    avatars: Mapping[str, Artifact]
    blocks: tuple[MetricBlock, ...]
    reports: tuple[Artifact, ...]
    engine: str
    started: str
    finished: str
    seed: int | None = None

    @property
    def metrics(self) -> Metrics:
        """Standalone values by table, the ones that gates read."""
        merged: dict[str, dict[str, float]] = {}
        for block in self.blocks:
            if block.computation_type == "standalone":
                merged.setdefault(block.table, {}).update(block.values)
        return merged

    @property
    def noise(self) -> Metrics:
        """Half the width of each standalone value's interval by table, to three digits."""
        merged: dict[str, dict[str, float]] = {}
        for block in self.blocks:
            if block.computation_type == "standalone" and block.intervals:
                widths = {name: float(f"{(high - low) / 2:.3g}") for name, (low, high) in block.intervals.items()}
                merged.setdefault(block.table, {}).update(widths)
        return merged


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended.

    `message` is safe to show; `lock` is what the set's lock file should now say; `unavailable` = it failed because the
    server gave no answer or refused the sign-in.
    """

    set: str
    action: Action
    state: State
    message: str = ""
    gates: tuple[GateResult, ...] = ()
    job_seconds: Mapping[str, float] = field(default_factory=dict)
    lock: Lock | None = None
    unavailable: bool = False

    @property
    def ok(self) -> bool:
        """Whether the change did what it was meant to do."""
        return self.state in {State.PUBLISHED, State.UPDATED, State.DELETED}
