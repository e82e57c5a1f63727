"""Two published runs side by side: spec, metrics with their noise, gates, data and engine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from avatar_gitops.assessment.catalogue import Family, family_of, in_catalogue, is_exact
from avatar_gitops.plan import diff
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.plan.noise import NoiseBand, lock_family
from avatar_gitops.spec.gates import METRICS, Direction, parse_gate

EXACT: Final = 1e-9
GUESSING: Final = {"pmse_ratio": 1.0}
"""Value at which an attack or a model only guesses: no value below it is better than another one."""


class Verdict(StrEnum):
    """How a metric moved; a change within the noise says nothing."""

    BETTER = "better"
    WORSE = "worse"
    NOISE = "same within noise"
    SAME = "same"
    CHANGED = "changed"  # both values are as good, or nobody said which way this metric gets better
    NEW = "new"
    GONE = "not measured any more"


@dataclass(frozen=True, slots=True)
class MetricChange:
    """One metric of one table. `noise` is the largest difference that chance explains; None: exact, or not known.

    It comes from repeated seeds when it is `measured`, else it is the larger half-width of both runs' intervals.

    `gate` is the condition of the later run and `passed` whether this table's value fulfils it.
    """

    table: str
    metric: str
    utility: bool
    before: float | None
    after: float | None
    noise: float | None
    verdict: Verdict
    gate: str = ""
    passed: bool = True
    measured: bool = False

    @property
    def regression(self) -> bool:
        """Whether the later run is worse by more than the noise, or hides what the earlier one measured."""
        return self.verdict in {Verdict.WORSE, Verdict.GONE}

    @property
    def exact(self) -> bool:
        """Whether nothing of this metric is sampled or drawn, so that it has no noise."""
        return is_exact(self.metric)


@dataclass(frozen=True, slots=True)
class InputChange:
    """One data file in both runs."""

    table: str
    before: TableInput | None
    after: TableInput | None

    @property
    def same(self) -> bool:
        """Whether the same bytes were anonymized."""
        return self.before is not None and self.after is not None and self.before.digest == self.after.digest


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that two runs differ in, and what they have in common.

    `band` is the noise of repeated seeds, `doubt` what it was measured for when that is neither of both runs.
    """

    before: Lock
    after: Lock
    fields: tuple[FieldChange, ...]
    metrics: tuple[MetricChange, ...]
    inputs: tuple[InputChange, ...]
    band: NoiseBand | None = None
    doubt: str = ""

    @property
    def regressions(self) -> tuple[MetricChange, ...]:
        """Metrics that got worse by more than their noise."""
        return tuple(change for change in self.metrics if change.regression)


def compare(before: Lock, after: Lock, band: NoiseBand | None = None) -> Comparison:
    """What changed from one published run to another one, of the same set or not."""
    fields = diff.spec_changes(before.spec, after.spec, {})
    return Comparison(
        before,
        after,
        diff.weaker_first(fields),
        tuple(_metrics(before, after, band)),
        tuple(_inputs(before, after)),
        band,
        _doubt(band, before, after),
    )


def _doubt(band: NoiseBand | None, before: Lock, after: Lock) -> str:
    ways = [band.moved(lock_family(lock), lock.engine) for lock in (after, before)] if band else []
    return " and ".join(ways[0]) if ways and all(ways) else ""


def _metrics(before: Lock, after: Lock, band: NoiseBand | None) -> Iterator[MetricChange]:
    """Privacy before utility, in the order of the catalogue, table by table."""
    gates = {gate.metric: gate.condition for gate in after.gates}
    for table in sorted({*before.metrics, *after.metrics}):
        old, new = before.metrics.get(table, {}), after.metrics.get(table, {})
        for metric in sorted({*old, *new}, key=rank):
            widths = [lock.noise.get(table, {}).get(metric) for lock in (before, after)]
            noise = max((width for width in widths if width is not None), default=None)
            measured = band.tolerance(table, metric) if band else None
            chance = noise if measured is None else measured
            found = _metric(table, metric, (old.get(metric), new.get(metric)), chance, gates.get(metric, ""))
            yield replace(found, measured=measured is not None)


def _metric(
    table: str, metric: str, values: tuple[float | None, float | None], noise: float | None, gate: str
) -> MetricChange:
    before, after = values
    passed = not gate or (after is not None and parse_gate(metric, gate).passes(after))
    judged = verdict(metric, before, after, noise)
    return MetricChange(table, metric, is_utility(metric), before, after, noise, judged, gate, passed)


def is_utility(metric: str) -> bool:
    """By the catalogue's family; the spreads of the distances are not in it."""
    return family_of(metric) is Family.UTILITY if in_catalogue(metric) else metric in METRICS and METRICS[metric].score


def verdict(metric: str, before: float | None, after: float | None, noise: float | None) -> Verdict:
    """How a metric moved from one value to another one; without noise every difference counts."""
    if before is None:
        return Verdict.NEW
    if after is None:
        return Verdict.GONE
    if abs(after - before) <= EXACT:
        return Verdict.SAME
    if noise is not None and abs(after - before) <= noise + EXACT:
        return Verdict.NOISE
    gain = _worth(metric, after) - _worth(metric, before)
    if abs(gain) <= EXACT:
        return Verdict.CHANGED
    return Verdict.BETTER if gain > 0 else Verdict.WORSE


def _worth(metric: str, value: float) -> float:
    """A number that is larger for a better value; the same for all of a metric that nobody knows."""
    if metric not in METRICS:
        return 0.0
    return value if METRICS[metric].direction is Direction.HIGHER else -max(value, GUESSING.get(metric, value))


def rank(metric: str) -> tuple[int, str]:
    """Sort key: the order of the catalogue, privacy before utility, unknown metrics last."""
    known = list(METRICS)
    return (known.index(metric) if metric in METRICS else len(known)), metric


def _inputs(before: Lock, after: Lock) -> Iterator[InputChange]:
    old = {item.table: item for item in before.inputs}
    new = {item.table: item for item in after.inputs}
    for table in sorted({*old, *new}):
        yield InputChange(table, old.get(table), new.get(table))
