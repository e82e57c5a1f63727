"""How much a metric moves by chance: the spread over seeds of one set, and when a difference of two runs is beyond it.

A band is measured by running the same parameters on the same data with several seeds. It is kept beside the spec and
read by the rules about regressions and by comparisons.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock, Metrics
from avatar_gitops.spec import canonical
from avatar_gitops.spec.fields import Consequence, stage_contents

__all__ = ["Family", "NoiseBand", "Spread", "family", "lock_family", "measure", "quantile", "tolerance"]

SEED: Final = ["spec", "seed"]
COVERAGE: Final = 0.95
FEWEST: Final = 3
"""Fewest runs that make a band: with two, the quantile is 12.7 and the band hides nearly everything."""


@dataclass(frozen=True, slots=True)
class Family:
    """What all runs of a band have in common: digests of parameters and data; only the seed is not in them."""

    standard: str
    metrics: str
    input: str


@dataclass(frozen=True, slots=True)
class Spread:
    """One metric over the seeds: mean, standard deviation (of a sample, so divided by n - 1), number of runs."""

    mean: float
    sd: float
    n: int


@dataclass(frozen=True, slots=True)
class NoiseBand:
    """What repeated runs of one set measured; `metrics` maps table to metric to spread, in natural units."""

    set: str
    family: Family
    engine: str
    seeds: tuple[int, ...]
    metrics: Mapping[str, Mapping[str, Spread]]

    def spread(self, table: str, metric: str) -> Spread | None:
        """The spread of one metric of one table; None when it was not measured."""
        return self.metrics.get(table, {}).get(metric)

    def tolerance(self, table: str, metric: str) -> float | None:
        """Largest difference of two single runs that chance explains; None when too few runs measured the metric."""
        found = self.spread(table, metric)
        return None if found is None else tolerance(found)

    def moved(self, now: Family, engine: str = "") -> tuple[str, ...]:
        """What differs between the runs of the band and another run, in words; empty when the band is for that run."""
        return tuple(self._moved(now, engine))

    def _moved(self, now: Family, engine: str) -> Iterator[str]:
        if self.family.input != now.input:
            yield "other data"
        if (self.family.standard, self.family.metrics) != (now.standard, now.metrics):
            yield "other parameters"
        if engine and self.engine and self.engine != engine:
            yield "another engine"


def family(desired: DesiredSet) -> Family:
    """The family of a run spec; a change of `spec.seed` alone keeps it."""
    return _family(desired.resolved, desired.digests.input)


def lock_family(lock: Lock) -> Family:
    """The family of a published run."""
    return _family(lock.spec, lock.digests.input)


def _family(resolved: Mapping[str, Any], data: str) -> Family:
    stages = stage_contents(resolved)

    def of(stage: Consequence) -> str:
        return canonical.digest([item for item in stages[stage] if item[0] != SEED])

    return Family(of(Consequence.RERUN_ALL), of(Consequence.RERUN_METRICS), data)


def measure(name: str, of: Family, engine: str, runs: Mapping[int, Metrics]) -> NoiseBand:
    """The band of a set from the metrics of its runs by seed; a metric that one run lacks has a smaller `n`."""
    values: dict[str, dict[str, list[float]]] = {}
    for seed in sorted(runs):
        for table, metrics in runs[seed].items():
            for metric, value in metrics.items():
                if math.isfinite(value):
                    values.setdefault(table, {}).setdefault(metric, []).append(value)
    spreads = {table: {key: _spread(found) for key, found in sorted(values[table].items())} for table in sorted(values)}
    return NoiseBand(name, of, engine, tuple(sorted(runs)), spreads)


def _spread(values: Sequence[float]) -> Spread:
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return Spread(mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0, len(values))


def tolerance(found: Spread) -> float | None:
    """Half the 95 % interval of the difference of two single runs: t(0.975, n - 1) * sd * sqrt(2); None below 3 runs.

    Two runs with independent seeds differ by a normal variable of variance 2 sigma^2; divided by sd * sqrt(2), with sd
    from n other runs, it follows Student's t with n - 1 degrees of freedom. It is the prediction interval of Hahn and
    Meeker (Statistical Intervals, 1991, section 4.8) for one future run, with the mean of n runs replaced by one run:
    sqrt(1 + 1/n) becomes sqrt(1 + 1/1).
    """
    if found.n < FEWEST:
        return None
    return quantile((1 + COVERAGE) / 2, found.n - 1) * found.sd * math.sqrt(2)


@lru_cache(maxsize=1024)
def quantile(probability: float, freedom: int) -> float:
    """Quantile of Student's t with a whole number of degrees of freedom, to 1e-10, by bisection."""
    if probability < 0.5:
        return -quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while _central(high, freedom) < 2 * probability - 1:
        high *= 2
    while high - low > 1e-10:
        middle = (low + high) / 2
        low, high = (middle, high) if _central(middle, freedom) < 2 * probability - 1 else (low, middle)
    return (low + high) / 2


def _central(t: float, freedom: int) -> float:
    """Probability that |T| <= t: the finite sums of Abramowitz and Stegun, 26.7.3 (odd) and 26.7.4 (even)."""
    angle = math.atan2(t, math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term = cosine if odd else 1.0
    total = term if freedom > 1 or not odd else 0.0
    for step in range(2 + odd, freedom - 1, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    return 2 / math.pi * (angle + (sine * total if freedom > 1 else 0.0)) if odd else sine * total
