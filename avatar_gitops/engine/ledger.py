"""Metrics while they are being collected: values, intervals, populations, notes and references by name."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.intervals import Interval, holding, median_interval, wilson_percent
from avatar_gitops.engine.streams import stream


@dataclass(slots=True)
class Ledger:
    """Metrics while they are being collected."""

    seed: int
    values: dict[str, float | None] = field(default_factory=dict)
    intervals: dict[str, Interval] = field(default_factory=dict)
    population: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    references: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, value: float, n: int, interval: Interval | None = None) -> None:
        """A figure over n rows, and its interval if it has one, which then holds the figure."""
        self.values[name], self.population[name] = value, n
        if interval is not None:
            self.intervals[name] = holding(value, interval)

    def rate(self, name: str, percent: float, n: int) -> None:
        """A rate in percent over n rows, with its Wilson interval."""
        self.add(name, percent, n, wilson_percent(percent, n))

    def median(self, name: str, values: Floats) -> None:
        """A median with its bootstrap interval."""
        interval = median_interval(values, stream(self.seed, "", f"bootstrap {name}"))
        self.add(name, float(np.median(values)), len(values), interval)

    def absent(self, name: str, why: str) -> None:
        """A metric that does not apply."""
        self.values[name], self.notes[name] = None, why
