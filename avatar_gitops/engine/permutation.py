"""A permutation of any number of rows that is computed where it is needed and never stored.

A Feistel network over a square domain a little larger than the rows, walked on until it comes back among them (Black
and Rogaway, Ciphers with Arbitrary Finite Domains, CT-RSA 2002). Its rounds mix with the finalizer of MurmurHash3 and
keys from the random stream of a run, so that whoever does not know the seed sees an order that tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
_Words = npt.NDArray[np.uint64]

_ROUNDS: Final = 8
_FIRST: Final = np.uint64(0xFF51AFD7ED558CCD)
_SECOND: Final = np.uint64(0xC4CEB9FE1A85EC53)
_SHIFT: Final = np.uint64(33)


@dataclass(slots=True, frozen=True)
class Permutation:
    """Where each of `rows` rows goes; every place is taken once."""

    rows: int
    keys: tuple[int, ...]

    def places(self, rows: Rows) -> Rows:
        """The places of some rows."""
        half = max(1, -(-max(1, self.rows - 1).bit_length() // 2))
        placed = self._once(rows.astype(np.uint64), half)
        outside = np.flatnonzero(placed >= self.rows)
        while len(outside):
            placed[outside] = self._once(placed[outside], half)
            outside = outside[placed[outside] >= self.rows]
        return placed.astype(np.int64)

    def groups(self, rows: Rows, groups: int) -> Rows:
        """The group of some rows, when all are dealt into groups whose sizes differ by at most one."""
        return np.asarray(self.places(rows) % groups)

    def _once(self, values: _Words, half: int) -> _Words:
        mask, bits = np.uint64((1 << half) - 1), np.uint64(half)
        left, right = values >> bits, values & mask
        for key in self.keys:
            left, right = right, left ^ (_mixed(right ^ np.uint64(key)) & mask)
        return np.asarray(left << bits | right)


def draw_permutation(rows: int, random: np.random.Generator) -> Permutation:
    """A permutation by the keys of a random stream."""
    keys = random.integers(0, 2**64, _ROUNDS, dtype=np.uint64)
    return Permutation(rows, tuple(int(key) for key in keys))


def _mixed(words: _Words) -> _Words:
    words = (words ^ words >> _SHIFT) * _FIRST
    words = (words ^ words >> _SHIFT) * _SECOND
    return words ^ words >> _SHIFT
