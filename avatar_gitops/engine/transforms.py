"""Power scales for skewed numbers, so that few large values do not decide who is near to whom.

A column whose known values are all positive is measured as (x^l - 1)/l, the logarithm for l = 0 (Box and Cox, An
Analysis of Transformations, 1964); one with other values by the extension of Yeo and Johnson (A New Family of Power
Transformations to Improve Normality or Symmetry, Biometrika 87, 2000). The power l is the one of largest likelihood
under a normal law, learnt from the originals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats, NumberColumn
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.params import ColumnType

SKEWED: Final = 1.0  # |skewness| from which a column counts as skewed
_POWERS: Final = (-5.0, 5.0)
_SAMPLE: Final = 10_000  # order statistics that the power is learnt from
_LOGARITHM: Final = 1e-6  # powers nearer to 0 are 0
_IMPOSSIBLE: Final = 1e9  # less likely than any power, and finite: the search computes with it
_KINDS: Final = frozenset({ColumnType.INT, ColumnType.FLOAT})


@dataclass(slots=True, frozen=True)
class PowerScale:
    """How one column of numbers is measured: value -> power scale -> standard deviations (`centre`, `spread`).

    `column` is its place in the frame, `origin` what turns codes into values, `least` the smallest original value.
    `lower` and `upper` bound the scale of the originals, so that a way back exists for every number between them.
    """

    column: int
    origin: float
    least: float
    power: float
    positive: bool
    centre: float
    spread: float
    lower: float
    upper: float

    def apply(self, codes: Floats) -> Floats:
        """Codes on the power scale; NaN stays NaN. Foreign numbers too small for it count as the least original."""
        values = codes + self.origin
        if self.positive:
            values = np.maximum(values, self.least)
        return (_forward(values, self.power, positive=self.positive) - self.centre) / self.spread

    def invert(self, scaled: Floats) -> Floats:
        """Codes of numbers on the power scale, inside the range of the originals."""
        bounded = np.clip(scaled * self.spread + self.centre, self.lower, self.upper)
        return _backward(bounded, self.power, positive=self.positive) - self.origin


@dataclass(slots=True, frozen=True)
class Transforms:
    """The power scales of a table; without any, nothing happens."""

    scales: tuple[PowerScale, ...] = ()

    def apply(self, frame: Frame) -> Frame:
        """The frame with its skewed numbers on their power scales."""
        if not self.scales:
            return frame
        numbers = frame.numbers.copy(order="F")
        for scale in self.scales:
            numbers[:, scale.column] = scale.apply(numbers[:, scale.column])
        return Frame(numbers, frame.codes)

    def apply_to(self, column: int, codes: Floats) -> Floats:
        """Codes of one column on its scale."""
        return next((scale.apply(codes) for scale in self.scales if scale.column == column), codes)

    def invert(self, frame: Frame) -> Frame:
        """The frame with its numbers as they were."""
        if not self.scales:
            return frame
        numbers = frame.numbers.copy(order="F")
        for scale in self.scales:
            numbers[:, scale.column] = scale.invert(numbers[:, scale.column])
        return Frame(numbers, frame.codes)


def fit_transforms(layout: Layout, frame: Frame) -> Transforms:
    """Power scales of the whole and floating numbers that are skewed; dates keep their scale."""
    scales = []
    for index, column in enumerate(layout.numbers):
        codes = frame.numbers[:, index]
        scales.append(fit_scale(index, column, np.sort(codes[~np.isnan(codes)])))
    return Transforms(tuple(scale for scale in scales if scale is not None))


def fit_scale(index: int, column: NumberColumn, known: Floats) -> PowerScale | None:
    """The power scale of a column from its sorted known codes; None when it keeps its own."""
    if column.type not in _KINDS or abs(skewness(known)) <= SKEWED:
        return None
    return _fit(index, float(column.origin), known)


def skewness(values: Floats) -> float:
    """Third standardised moment; 0 for constants and fewer than three values."""
    if len(values) < 3:
        return 0.0
    largest = float(np.abs(values).max()) or 1.0
    scaled = values / largest  # powers of large numbers overflow
    centred = scaled - scaled.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return float(((centred / spread) ** 3).mean()) if spread > 1e-12 else 0.0


def _fit(column: int, origin: float, codes: Floats) -> PowerScale | None:
    """The most likely scale of sorted codes; None when it would squeeze them into one number."""
    from scipy.optimize import minimize_scalar

    values = codes + origin
    positive = bool(values[0] > 0)
    some = values[np.linspace(0, len(values) - 1, min(len(values), _SAMPLE)).astype(np.int64)]
    found = minimize_scalar(_unlikely, bounds=_POWERS, args=(some, positive), method="bounded")
    power = 0.0 if abs(found.x) < _LOGARITHM else float(found.x)
    scaled = _forward(values, power, positive=positive)
    spread = float(scaled.std())
    if not np.isfinite(scaled).all() or spread <= 1e-9 * max(1.0, float(np.abs(scaled).max())):
        return None
    least, lower, upper = (float(end) for end in (values[0], scaled[0], scaled[-1]))
    return PowerScale(column, origin, least, power, positive, float(scaled.mean()), spread, lower, upper)


def _unlikely(power: float, values: Floats, positive: bool) -> float:
    """Minus the profile log-likelihood of a power, per value."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = _forward(values, power, positive=positive)
        variance = float(scaled.var())
    if not np.isfinite(variance) or variance <= 0:
        return _IMPOSSIBLE
    slope = np.log(values) if positive else np.sign(values) * np.log1p(np.abs(values))
    return 0.5 * float(np.log(variance)) - (power - 1) * float(slope.mean())


def _forward(values: Floats, power: float, *, positive: bool) -> Floats:
    if positive:
        return _box_cox(values, power)
    below = values < 0
    result = _box_cox(np.where(below, 0.0, values) + 1, power)
    result[below] = -_box_cox(1 - values[below], 2 - power)
    return result


def _backward(scaled: Floats, power: float, *, positive: bool) -> Floats:
    if positive:
        return _box_cox_back(scaled, power)
    below = scaled < 0
    result = _box_cox_back(np.where(below, 0.0, scaled), power) - 1
    result[below] = 1 - _box_cox_back(-scaled[below], 2 - power)
    return result


def _box_cox(values: Floats, power: float) -> Floats:
    logs = np.log(values)
    return logs if abs(power) < _LOGARITHM else np.expm1(power * logs) / power


def _box_cox_back(scaled: Floats, power: float) -> Floats:
    return np.exp(scaled) if abs(power) < _LOGARITHM else np.exp(np.log1p(power * scaled) / power)
