"""The `fast_dp` models: rows as points in a space that public constants define, their noisy moments, and draws.

A number becomes a coordinate in [-1, 1] by its bounds, a category a block of coordinates 0 and sqrt(1/2), a missing
number the middle and a coordinate of its own. Coordinates are whole numbers of 1/1024, so that sums are exact and a row
is never longer than it may be.

Source: Dwork et al., "Analyze Gauss: optimal bounds for privacy-preserving principal component analysis" (2014).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import MISSING, Floats
from avatar_gitops.engine.dp.accountant import Accountant, Counts
from avatar_gitops.engine.dp.domains import Domain, NumberDomain, Rows, category_codes
from avatar_gitops.errors import EngineError

UNIT: Final = 1024
BLOCK: Final = 724
"""Coordinate of the category that a row has: the largest whole number of 1/1024 below sqrt(1/2)."""

_MOST_DIMENSIONS: Final = 600
_SUM: Final = 0.25
_CALIBRATION_ROUNDS: Final = 20
_CALIBRATION_ROWS: Final = 20_000
_NOWHERE: Final = -2
ROWS_AT_ONCE: Final = 50_000


@dataclass(slots=True, frozen=True)
class Space:
    """Where each column stands in a row of coordinates, and how long a row can be at most (`bound`, in units)."""

    domains: tuple[Domain, ...]
    places: tuple[slice, ...]

    @property
    def dimensions(self) -> int:
        """Number of coordinates."""
        return int(self.places[-1].stop)

    @property
    def columns(self) -> Iterator[tuple[Domain, slice]]:
        """Each column with its place."""
        return zip(self.domains, self.places, strict=True)

    @property
    def bound(self) -> float:
        """Largest L2 norm of a row."""
        numbers = sum(isinstance(domain, NumberDomain) for domain in self.domains)
        return float(np.sqrt(numbers * UNIT**2 + (len(self.domains) - numbers) * BLOCK**2))

    @property
    def moment_bound(self) -> float:
        """Largest L2 norm of the upper triangle of a row times itself: sqrt((|x|⁴ + sum of x_i⁴) / 2)."""
        numbers = sum(isinstance(domain, NumberDomain) for domain in self.domains)
        fourth = numbers * float(UNIT) ** 4 + (len(self.domains) - numbers) * float(BLOCK) ** 4
        return float(np.sqrt((self.bound**4 + fourth) / 2))


@dataclass(slots=True, frozen=True)
class Moments:
    """Noisy mean and covariance of the coordinates (in units of 1), the covariance made positive semi-definite."""

    mean: Floats
    covariance: Floats


def fit_space(domains: Sequence[Domain]) -> Space:
    """Lay out the coordinates; raises EngineError when there are too many of them."""
    widths = [_width(domain) for domain in domains]
    ends = np.cumsum(widths)
    if ends[-1] > _MOST_DIMENSIONS:
        raise EngineError(
            f"The table has more than {_MOST_DIMENSIONS} dimensions (numbers plus categories), too many for fast_dp.",
            hint="Use open_dp, drop columns with many categories, or declare shorter lists.",
        )
    return Space(tuple(domains), tuple(slice(int(end - w), int(end)) for end, w in zip(ends, widths, strict=True)))


def encode(space: Space, rows: Rows) -> npt.NDArray[np.int16]:
    """Coordinates of all rows in whole units; each row alone decides."""
    points = np.zeros((rows.size, space.dimensions), dtype=np.int16)
    for domain, at in zip(space.domains, space.places, strict=True):
        if isinstance(domain, NumberDomain):
            values = rows.numbers[domain.name]
            absent = np.isnan(values)
            low, high = domain.column.lower, domain.column.upper
            scaled = (np.clip(values, low, high) - low) / (high - low) * 2 - 1
            points[:, at.start] = np.where(absent, 0, np.rint(np.nan_to_num(scaled) * UNIT)).astype(np.int16)
            if not domain.complete:
                points[absent, at.start + 1] = BLOCK
            continue
        codes = category_codes(domain, rows.categories[domain.name])
        codes[codes == len(domain.values or ())] = _NOWHERE
        if not domain.complete:
            codes[codes == MISSING] = at.stop - at.start - 1
        listed = np.flatnonzero(codes >= 0)
        points[listed, at.start + codes[listed]] = BLOCK
    return points


def measure_moments(account: Accountant[Rows], space: Space, share: float, total: float) -> Moments:
    """Noisy sum and second moment of the coordinates."""
    d = space.dimensions
    upper = np.triu_indices(d)

    def totals(rows: Rows) -> Counts:
        return np.asarray(_points(rows).sum(axis=0, dtype=np.int64))

    def seconds(rows: Rows) -> Counts:
        product = np.zeros((d, d))
        for part in blocks(rows):
            exact = part.astype(np.float64)  # whole numbers far below 2**53: the product is exact
            product += exact.T @ exact
        return np.rint(product[upper]).astype(np.int64)

    sums = account.counts("sum of coordinates", totals, space.bound, share * _SUM)

    noisy = account.counts("second moment of coordinates", seconds, space.moment_bound, share * (1 - _SUM))
    second = np.zeros((d, d))
    second[upper] = noisy
    second = np.triu(second) + np.triu(second, 1).T
    mean = np.clip(sums / (total * UNIT), *_limits(space))
    return Moments(mean, positive(second / (total * float(UNIT) ** 2) - np.outer(mean, mean)))


def blocks(rows: Rows) -> Iterator[npt.NDArray[np.int16]]:
    """The coordinates, some rows at a time."""
    points = _points(rows)
    for start in range(0, max(1, len(points)), ROWS_AT_ONCE):
        yield points[start : start + ROWS_AT_ONCE]


def positive(matrix: Floats) -> Floats:
    """The nearest positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)


def _width(domain: Domain) -> int:
    if isinstance(domain, NumberDomain):
        return 1 if domain.complete else 2
    return len(domain.values or ()) + (0 if domain.complete else 1)


def _limits(space: Space) -> tuple[Floats, Floats]:
    """Smallest and largest mean that each coordinate can have."""
    low, high = np.zeros(space.dimensions), np.full(space.dimensions, BLOCK / UNIT)
    for domain, at in zip(space.domains, space.places, strict=True):
        if isinstance(domain, NumberDomain):
            low[at.start], high[at.start] = -1.0, 1.0
    return low, high


def _points(rows: Rows) -> npt.NDArray[np.int16]:
    assert rows.points is not None
    return rows.points


def decode(domain: Domain, points: Floats, mean: Floats, draws: np.random.Generator) -> pa.Array:
    """Values of one column from its drawn coordinates, inside its bounds or its list."""
    scale = UNIT / BLOCK
    if isinstance(domain, NumberDomain):
        low, high = domain.column.lower, domain.column.upper
        values = low + (np.clip(points[:, 0], -1.0, 1.0) + 1) / 2 * (high - low)
        if not domain.complete:
            blank = np.stack([1 - points[:, 1] * scale, points[:, 1] * scale], axis=1)
            share = float(mean[1]) * scale
            values[_draw_codes(blank, np.array([1 - share, share]), draws) == 1] = np.nan
        return domain.decode(values)
    codes = _draw_codes(points * scale, mean * scale, draws)
    missing = -1 if domain.complete else points.shape[1] - 1
    return domain.decode(np.where(codes == missing, MISSING, codes).astype(np.int32))


def _draw_codes(scores: Floats, wanted: Floats, draws: np.random.Generator) -> npt.NDArray[np.int64]:
    """One category for each row, likely where its score is high, with the frequencies that were measured overall."""
    wanted = np.maximum(wanted, 0.0)
    wanted = wanted / wanted.sum() if wanted.sum() > 0 else np.full(len(wanted), 1 / len(wanted))
    chances = np.maximum(scores, 0.0) + 1e-9
    chances /= chances.sum(axis=1, keepdims=True)
    sample, weights = chances[:_CALIBRATION_ROWS], np.ones(len(wanted))
    for _ in range(_CALIBRATION_ROUNDS):
        weighted = sample * weights + 1e-300
        have = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        weights *= np.divide(wanted, have, out=np.zeros_like(wanted), where=have > 0)
        weights /= max(float(weights.max()), 1e-300)
    chances = chances * weights + 1e-300
    chances /= chances.sum(axis=1, keepdims=True)
    edges = np.cumsum(chances, axis=1)
    found = (draws.random(len(scores))[:, None] > edges).sum(axis=1)
    return np.asarray(np.minimum(found, len(wanted) - 1))
