"""Steps inside bounds: a change as its share of the way to the bound in its direction.

A share is a float, so that a step comes back exactly while the bounds are at most 2^50 units apart: whole numbers of 15
digits, datetimes of 35 years in microseconds. Farther apart, the last digit may differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.processors.gauges import Gauge, Numbers

_ROUNDING: Final = 1e-6  # of a unit: so near to a bound, a number that is not whole is the bound


@dataclass(slots=True, frozen=True)
class Bounds:
    """The smallest and the largest value that can be reached."""

    lower: Any
    upper: Any

    @classmethod
    def of(cls, values: Numbers) -> Bounds:
        """The bounds of some values; there is at least one."""
        return cls(values.min(), values.max())

    def shares(self, before: Numbers, after: Numbers) -> Floats:
        """Share in [-1, 1] of the way that was left; 0 where none was.

        Down: (after - before) / (before - lower). Up: (after - before) / (upper - before).
        """
        change = (after - before).astype(np.float64)
        left = np.where(change < 0, before - self.lower, self.upper - before).astype(np.float64)
        shares: Floats = np.divide(change, left, out=np.zeros(len(change)), where=left != 0)
        return shares

    def reach(self, before: Numbers, shares: Floats) -> Numbers:
        """Where a share leads; whole numbers stay near `before`, so that large ones keep their last digits."""
        bounded = np.clip(shares, -1.0, 1.0)
        left = np.where(bounded < 0, before - self.lower, self.upper - before).astype(np.float64)
        step = bounded * left
        reached: Numbers = before + (np.rint(step).astype(np.int64) if before.dtype == np.int64 else step)
        return reached

    def settle(self, values: Numbers, shown: Gauge) -> Numbers:
        """The nearest numbers inside that a column can show; outside only where it can show none inside."""
        settled = shown.settle(self.clip(values))
        slack = 0 if shown.whole else _ROUNDING * shown.unit
        settled = np.where(self.lower - settled > slack, shown.settle(settled + shown.unit), settled)
        return np.where(settled - self.upper > slack, shown.settle(settled - shown.unit), settled)

    def clip(self, values: Numbers) -> Numbers:
        """Values moved to the nearest bound."""
        return np.clip(values, self.lower, self.upper)
