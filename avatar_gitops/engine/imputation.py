"""Temporary filling of missing values, learnt from the originals and applied to originals and avatars alike.

`knn` compares rows on the columns both have (numbers in standard deviations, categories as differences of 0 or 1, the
mean over those columns) and takes the mean of the `k` nearest donors, for categories the most frequent modality.
`fast_knn`, the default, is the same on at most `FAST_DONORS` random donors. `mean` and `median` fill categories with
their mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import MISSING, Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.params import Imputation, ImputationMethod
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

Singles = npt.NDArray[np.float32]

FAST_DONORS: Final = 2_000
_DEFAULT_K: Final = 5
_WIDEST: Final = 50  # columns with more modalities do not take part in the comparison of rows
_BLOCK_CELLS: Final = 8_000_000


@dataclass(slots=True, frozen=True)
class Imputer:
    """Constants of each column, and for nearest donors their rows with the scaling of the comparison."""

    constants: Floats
    modes: Codes
    k: int
    centre: Floats
    scale: Floats
    sizes: tuple[int, ...]
    donors: Frame | None


@dataclass(slots=True, frozen=True)
class Wanted:
    """Imputation with every option said; `fraction` is the share of rows that serve as donors."""

    method: ImputationMethod
    k: int
    fraction: float

    @property
    def nearest(self) -> bool:
        """Whether values come from the nearest donors."""
        return self.method in (ImputationMethod.KNN, ImputationMethod.FAST_KNN)

    def donors(self, rows: int) -> int:
        """How many donors there are among so many rows."""
        donors = max(1, round(self.fraction * rows))
        return min(donors, FAST_DONORS) if self.method is ImputationMethod.FAST_KNN else donors


def wanted_imputation(options: Imputation | None) -> Wanted:
    """The options with their defaults; raises EngineError when one is out of range."""
    options = options or Imputation()
    k = options.k if options.k is not None else _DEFAULT_K
    fraction = options.training_fraction if options.training_fraction is not None else 1.0
    if k < 1 or not 0 < fraction <= 1:
        raise EngineError("Imputation needs k of at least 1 and a training fraction above 0 and up to 1.")
    return Wanted(options.method or ImputationMethod.FAST_KNN, k, fraction)


def fit_imputer(frame: Frame, sizes: tuple[int, ...], options: Imputation | None, seed: int, label: str) -> Imputer:
    """Learn how to fill each column; every column has at least one value."""
    wanted = wanted_imputation(options)
    numbers = frame.numbers
    donors = _donors(frame, wanted, seed, label) if wanted.nearest and frame.missing.any() else None
    compared = numbers.size > 0 and donors is not None
    deviation = np.nanstd(numbers, axis=0) if compared else np.ones(numbers.shape[1])
    modes = [np.bincount(column[column >= 0], minlength=1).argmax() for column in frame.codes.T]
    return Imputer(
        _constants(numbers, wanted.method),
        np.array(modes, dtype=np.int32),
        wanted.k,
        np.nanmean(numbers, axis=0) if compared else np.zeros(numbers.shape[1]),
        np.where(deviation > 0, deviation, 1.0),
        sizes,
        donors,
    )


def fill(imputer: Imputer, frame: Frame) -> Frame:
    """The frame without missing values; modalities never seen stay as they are."""
    missing = frame.missing
    if not missing.any():
        return frame
    numbers = np.where(np.isnan(frame.numbers), imputer.constants, frame.numbers)
    codes = np.where(frame.codes == MISSING, imputer.modes, frame.codes).astype(np.int32)
    filled = Frame(np.asfortranarray(numbers), np.asfortranarray(codes))
    if imputer.donors is not None:
        rows = np.flatnonzero(missing.any(axis=1))
        block = max(1, _BLOCK_CELLS // max(1, imputer.donors.rows))
        values, known = _features(imputer, imputer.donors)
        donor_known = (known > 0).astype(np.float32)
        donor_side = np.hstack([donor_known, values**2, values])
        for start in range(0, len(rows), block):
            some = rows[start : start + block]
            values, known = _features(imputer, frame.take(some))
            _fill_block(imputer, filled, some, missing[some], _distances(values, known, donor_side, donor_known))
    return filled


def _donors(frame: Frame, wanted: Wanted, seed: int, label: str) -> Frame:
    donors = wanted.donors(frame.rows)
    if donors == frame.rows:
        return frame
    rows = stream(seed, label, "imputation donors").permutation(frame.rows)[:donors]
    return frame.take(np.sort(rows))


def _fill_block(imputer: Imputer, filled: Frame, rows: np.ndarray, missing: np.ndarray, distances: Singles) -> None:
    donors = imputer.donors
    assert donors is not None
    has = ~donors.missing
    m = filled.numbers.shape[1]
    for column in np.flatnonzero(missing.any(axis=0)):
        offered = np.flatnonzero(has[:, column])
        if len(offered) == 0:
            continue
        asking = np.flatnonzero(missing[:, column])
        near = distances[np.ix_(asking, offered)]
        k = min(imputer.k, len(offered))
        chosen = offered[np.argpartition(near, k - 1, axis=1)[:, :k]]
        if column < m:
            filled.numbers[rows[asking], column] = donors.numbers[chosen, column].mean(axis=1)
        else:
            filled.codes[rows[asking], column - m] = most_frequent(donors.codes[chosen, column - m])


def most_frequent(codes: Codes) -> Codes:
    codes = np.sort(codes, axis=1)
    votes = (codes[:, :, None] == codes[:, None, :]).sum(axis=2)
    chosen: Codes = codes[np.arange(len(codes)), votes.argmax(axis=1)]
    return chosen


def _features(imputer: Imputer, frame: Frame) -> tuple[Singles, Singles]:
    """Coordinates in which rows are compared, zero where missing, and how much of a column each known one is."""
    known = [~np.isnan(frame.numbers)]
    values = [np.nan_to_num((frame.numbers - imputer.centre) / imputer.scale)]
    for column, size in enumerate(imputer.sizes):
        if size <= _WIDEST:
            codes = frame.codes[:, column]
            values.append((codes[:, None] == np.arange(size)) * np.sqrt(0.5))
            known.append(np.repeat((codes != MISSING)[:, None], size, axis=1) / size)
    return np.hstack(values).astype(np.float32), np.hstack(known).astype(np.float32)


def _distances(values: Singles, known: Singles, donor_side: Singles, donor_known: Singles) -> Singles:
    """Mean squared distance over the columns that both rows have; infinite when they share none.

    `donor_side` holds what donors add to |a|^2 + |b|^2 - 2ab over shared columns: known, b^2 and b side by side.
    """
    squared = np.hstack([values**2, (known > 0).astype(np.float32), -2 * values]) @ donor_side.T
    shared = known @ donor_known.T
    np.maximum(squared, 0, out=squared)
    np.divide(squared, shared, out=squared, where=shared > 0)
    squared[shared <= 0] = np.inf
    return squared


def _constants(numbers: Floats, method: ImputationMethod) -> Floats:
    if not numbers.size:
        return np.zeros(numbers.shape[1])
    if method is ImputationMethod.MODE:
        return np.array([most_frequent_number(column) for column in numbers.T])
    reduce = np.nanmedian if method is ImputationMethod.MEDIAN else np.nanmean
    return np.asarray(reduce(numbers, axis=0), dtype=np.float64)


def most_frequent_number(values: Floats) -> float:
    """The most frequent of some numbers that are not all missing, the smallest of several."""
    seen, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    return float(seen[counts.argmax()])
