"""What came back from carrying out a change, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import Action
from avatar_gitops.spec.gates import METRICS, Direction

STANDALONE: Final = "standalone"


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
    """One metrics entry of one table, in natural units, as the server computed it.

    `not_measured` are the metrics of the entry that have no value.
    """

    table: str
    family: str
    computation_type: str
    reference: str | None
    values: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    targets: Mapping[str, str]
    metadata: Mapping[str, Any]
    not_measured: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """Results of one finished run. `avatars` maps table to the shuffled file.

    `environment` is what the engine says it computed with (`wire.environment`); empty when it says nothing.
    """

    set_id: str
    jobs: Mapping[str, str]
    avatars: Mapping[str, Artifact]
    blocks: tuple[MetricBlock, ...]
    reports: tuple[Artifact, ...]
    engine: str
    started: str
    finished: str
    seed: int | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def metrics(self) -> Metrics:
        """The values that gates read, by table: the worst over the table alone and what its links add to it.

        Of metrics that are not known to get better one way, the value of the table alone.
        """
        judged = self._judged()
        return {table: {name: block.values[name] for name, block in found.items()} for table, found in judged.items()}

    @property
    def noise(self) -> Metrics:
        """Half the width of the interval of each value in `metrics` by table, to three digits."""
        merged: dict[str, dict[str, float]] = {}
        for table, judged in self._judged().items():
            for name, block in judged.items():
                if name in block.intervals:
                    low, high = block.intervals[name]
                    merged.setdefault(table, {})[name] = float(f"{(high - low) / 2:.3g}")
        return merged

    def _judged(self) -> dict[str, dict[str, MetricBlock]]:
        """The block that speaks for each metric of each table."""
        found: dict[str, dict[str, MetricBlock]] = {}
        for block in self.blocks:
            judged = found.setdefault(block.table, {})
            for name, value in block.values.items():
                alone = block.computation_type == STANDALONE
                if (alone and name not in judged) or (name in METRICS and _worse(name, value, judged.get(name))):
                    judged[name] = block
        return {table: judged for table, judged in found.items() if judged}


def _worse(name: str, value: float, other: MetricBlock | None) -> bool:
    if other is None:
        return True
    higher = METRICS[name].direction is Direction.HIGHER
    return value < other.values[name] if higher else value > other.values[name]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended.

    `message` is safe to show; `lock` is what the set's lock file should now say; `unavailable` = it failed because the
    server gave no answer or refused the sign-in; `late` = nobody waits any longer for its jobs, which go on.
    """

    set: str
    action: Action
    state: State
    message: str = ""
    gates: tuple[GateResult, ...] = ()
    job_seconds: Mapping[str, float] = field(default_factory=dict)
    lock: Lock | None = None
    unavailable: bool = False
    late: bool = False

    @property
    def ok(self) -> bool:
        """Whether the change did what it was meant to do."""
        return self.state in {State.PUBLISHED, State.UPDATED, State.DELETED}
