"""The size of numbers: powers of two that bring a column near 1 without changing a digit, for squares to fit."""

from __future__ import annotations

import numpy as np

from avatar_gitops.engine.columns import Floats


def unit(numbers: Floats) -> Floats:
    """For each column (or for one array) the power of two above its largest number; 1 for zeros and nothing known."""
    largest = np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0)
    return np.asarray(np.ldexp(1.0, np.frexp(largest)[1]))
