"""Attack success as a risk: what attackers gain on people who were used over people who were not.

Giomi et al., A unified framework for quantifying privacy risk in synthetic data, PoPETs 2023(2), section 4: the success
rate r on N attacks is the centre of the Wilson interval (1927), e its half width. The risk is what a perfect attacker's
gain over the control would be scaled to 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avatar_gitops.engine.intervals import Interval, Z


@dataclass(slots=True, frozen=True)
class Rate:
    """A success rate in [0, 1] with the half width of its 95 % interval."""

    value: float
    error: float


@dataclass(slots=True, frozen=True)
class Risk:
    """A risk in percent with its interval; `weak` when guessing at random does as well, so that it says little."""

    percent: float
    interval: Interval
    attacks: int
    weak: bool


def rate(successes: float, trials: int) -> Rate:
    """r = (s + z²/2) / (N + z²), e = z / (N + z²) · sqrt(s (N - s) / N + z²/4)."""
    whole = trials + Z**2
    spread = np.sqrt(successes * (trials - successes) / trials + Z**2 / 4)
    return Rate(float((successes + Z**2 / 2) / whole), float(Z / whole * spread))


def risk(main: Rate, control: Rate, attacks: int, baseline: Rate | None = None) -> Risk:
    """R = (r - c) / (1 - c), with sqrt((e_r / (1 - c))² + ((r - 1) e_c / (1 - c)²)²) around it, kept in [0, 100] %."""
    left = 1.0 - control.value
    value = (main.value - control.value) / left
    error = float(np.hypot(main.error / left, (main.value - 1.0) * control.error / left**2))
    low, point, high = (100.0 * float(np.clip(v, 0.0, 1.0)) for v in (value - error, value, value + error))
    return Risk(point, (low, high), attacks, baseline is not None and baseline.value >= main.value)
