"""What a changed run would do to its metrics: base and head measured with the same seeds, and the noise in between.

Paired seeds are common random numbers (Law, Simulation Modeling and Analysis, 2015, section 11.2): what both runs draw
alike cancels in the difference, and the differences of independent seeds are independent.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops.plan.compare import Verdict, is_utility, rank, verdict
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.lock import Metrics
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.plan.noise import COVERAGE, Spread, quantile

__all__ = [
    "Basis",
    "GateVerdict",
    "MetricPrediction",
    "PredictedGate",
    "Preview",
    "SetPreview",
    "band",
    "means",
    "predict",
    "seeds",
]

LARGEST_SEED: Final = 2**31 - 1


class Basis(StrEnum):
    """What the runs of a preview read: the data themselves, or the declared samples in their place."""

    DATA = "data"
    SAMPLE = "sample"


class GateVerdict(StrEnum):
    """What a gate of the head would say."""

    PASSES = "passes"
    UNSURE = "may fail"  # the mean passes, some seeds do not
    FAILS = "would fail"


@dataclass(frozen=True, slots=True)
class MetricPrediction:
    """One metric of one table. `delta` is the mean of head minus base over the seeds that measured both.

    `noise` is half the 95 % interval of that mean; None when fewer than two seeds measured both.
    """

    table: str
    metric: str
    base: Spread | None
    head: Spread | None
    delta: float | None
    noise: float | None
    verdict: Verdict

    @property
    def utility(self) -> bool:
        """Whether the metric says how useful the avatars are, not how private."""
        return is_utility(self.metric)


@dataclass(frozen=True, slots=True)
class PredictedGate:
    """One gate of the head on the mean of the worst table; `seeds_passed` of `seeds` single runs would pass it."""

    metric: str
    condition: str
    value: float | None
    passed: bool
    seeds_passed: int
    seeds: int

    @property
    def verdict(self) -> GateVerdict:
        """What is to be expected of one run."""
        if not self.passed:
            return GateVerdict.FAILS
        return GateVerdict.PASSES if self.seeds_passed == self.seeds else GateVerdict.UNSURE


@dataclass(frozen=True, slots=True)
class SetPreview:
    """One set: `new` = nothing is published that it could be compared with; `error` = why there are no metrics.

    `promoted` is the id of the version that the server keeps for the apply after the merge.
    """

    set: str
    path: str
    basis: Basis
    new: bool = False
    inputs: tuple[TableInput, ...] = ()
    fields: tuple[FieldChange, ...] = ()
    seeds: tuple[int, ...] = ()
    metrics: tuple[MetricPrediction, ...] = ()
    gates: tuple[PredictedGate, ...] = ()
    notes: tuple[str, ...] = ()
    error: str = ""
    promoted: str = ""

    @property
    def worse(self) -> tuple[MetricPrediction, ...]:
        """Metrics that get worse by more than their noise, or that are not measured any more."""
        return tuple(one for one in self.metrics if one.verdict in {Verdict.WORSE, Verdict.GONE})

    @property
    def failing(self) -> tuple[PredictedGate, ...]:
        """Gates that would fail."""
        return tuple(gate for gate in self.gates if gate.verdict is GateVerdict.FAILS)


@dataclass(frozen=True, slots=True)
class Preview:
    """Predictions for the sets that would run again. `server` is the one that apply uses, `engine` the one used here.

    `base` is the git revision whose lock files were the base; empty for the lock files as they are.
    """

    project: str
    server: str
    engine: str
    sets: tuple[SetPreview, ...]
    unchanged: int = 0
    base: str = ""
    commit: str = ""

    @property
    def regression(self) -> bool:
        """Whether anything gets worse by more than its noise or a gate would fail."""
        return any(one.worse or one.failing for one in self.sets)


def seeds(own: int | None, number: int) -> tuple[int, ...]:
    """Seeds for repeated runs: the spec's own first, then others derived from it; the same on every machine."""
    found = [own] if own is not None else []
    step = 0
    while len(found) < number:
        step += 1
        drawn = hashlib.sha256(f"avatar-gitops/seed/{own}/{step}".encode()).digest()
        seed = int.from_bytes(drawn[:4], "big") % LARGEST_SEED
        if seed not in found:
            found.append(seed)
    return tuple(found[:number])


def band(differences: Sequence[float]) -> float | None:
    """Half the 95 % interval of a mean of paired differences: t(0.975, n - 1) * s / sqrt(n); None for less than two.

    Student, The probable error of a mean, Biometrika 6 (1908). The variances of base and head need not be equal.
    """
    n = len(differences)
    if n < 2:
        return None
    return quantile((1 + COVERAGE) / 2, n - 1) * statistics.stdev(differences) / math.sqrt(n)


def predict(base: Mapping[int, Metrics], head: Mapping[int, Metrics]) -> tuple[MetricPrediction, ...]:
    """Every metric of base and head, which are metrics by seed: table by table, in the order of the catalogue."""
    return tuple(
        _predict(table, metric, _values(base, table, metric), _values(head, table, metric))
        for table, metric in sorted({*_names(base), *_names(head)}, key=lambda name: (name[0], rank(name[1])))
    )


def means(runs: Mapping[int, Metrics]) -> Metrics:
    """The mean of each metric over the seeds."""
    found: dict[str, dict[str, float]] = {}
    for table, metric in set(_names(runs)):
        found.setdefault(table, {})[metric] = statistics.fmean(_values(runs, table, metric).values())
    return found


def _predict(table: str, metric: str, base: Mapping[int, float], head: Mapping[int, float]) -> MetricPrediction:
    differences = [head[seed] - base[seed] for seed in sorted(base.keys() & head.keys())]
    delta = statistics.fmean(differences) if differences else None
    noise = band(differences)
    old, new = _spread(base.values()), _spread(head.values())
    if old is not None and new is not None and noise is None:
        said = Verdict.CHANGED  # one seed says nothing about chance
    elif delta is not None:
        said = verdict(metric, 0.0, delta, noise)
    else:
        said = verdict(metric, old.mean if old else None, new.mean if new else None, None)
    return MetricPrediction(table, metric, old, new, delta, noise, said)


def _spread(values: Collection[float]) -> Spread | None:
    if not values:
        return None
    return Spread(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))


def _names(runs: Mapping[int, Metrics]) -> Iterator[tuple[str, str]]:
    for measured in runs.values():
        for table, metrics in measured.items():
            yield from ((table, metric) for metric, value in metrics.items() if math.isfinite(value))


def _values(runs: Mapping[int, Metrics], table: str, metric: str) -> dict[int, float]:
    found = {seed: measured.get(table, {}).get(metric, math.nan) for seed, measured in runs.items()}
    return {seed: value for seed, value in found.items() if math.isfinite(value)}
