"""Neighbours of sampled people among all rows of a large table, which is read in pieces.

Only who is asked is a sample, not who is found: nearness metrics keep their meaning, with the error of the sample. The
space is that of all rows, where it can be fitted without holding them. A piece projects a row with other rows than the
sample did, which may change its last bit; distances below `_TINY` of the largest coordinate are therefore those of
equal rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.distances import NOBODY, Around, OwnRank, count_around, distances_to, own_rank
from avatar_gitops.engine.exclusion import out_of_metrics
from avatar_gitops.engine.frame import encode
from avatar_gitops.engine.imputation import wanted_imputation
from avatar_gitops.engine.large.fit import count_values, fit_shelves
from avatar_gitops.engine.large.layout import survey
from avatar_gitops.engine.large.scratch import Shelf, frame_kind, lines_of
from avatar_gitops.engine.large.source import Source
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.pair import Pair, pair_in, pair_up
from avatar_gitops.engine.params import ColumnSpec, Limits, Space
from avatar_gitops.engine.search import Index, build_index, nearest, without_surplus
from avatar_gitops.engine.space import FittedSpace, check_comparable
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

Pieces = Callable[[], Iterator[pa.Table]]
_ROWS: Final = 1 << 17  # that are searched at a time
_TINY: Final = 1e-12


@dataclass(slots=True, frozen=True)
class LargeTable:
    """A table of which some rows are measured (`engine.surroundings.Whole`).

    `source` and `avatars` are all originals and all avatars, row by row; `places` are the rows that are measured, and
    `folder` is where the rows stand meanwhile as numbers.
    """

    source: Source
    avatars: Pieces
    columns: Sequence[ColumnSpec]
    places: Rows
    folder: Path
    limits: Limits

    def pair(self, original: pa.Table, avatars: pa.Table, options: Space, seed: int) -> Pair:
        """See `Whole`; what can only be fitted with all rows in memory is fitted on those that are measured."""
        try:
            return pair_in(self._fit(original, options, seed), original, avatars)
        except EngineError:  # raised again by `pair_up` when it is about the tables
            return pair_up(original, avatars, self.columns, options, seed)

    def around(self, pair: Pair) -> AmongAll:
        """See `Whole`."""
        return AmongAll(pair, self.places, self.source.pieces, self.avatars)

    def _fit(self, original: pa.Table, options: Space, seed: int) -> FittedSpace:
        apart = out_of_metrics(original, self.columns, options.exclude)
        known = {spec.name: spec for spec in self.columns} | {name: ColumnSpec(name, drop=True) for name in apart}
        surveyed = survey(self.source, tuple(known.values()))
        layout = surveyed.layout
        check_comparable(layout, surveyed.rows, options)
        few = wanted_imputation(options.imputation).donors(surveyed.rows)
        drawn = stream(seed, "", "imputation donors").permutation(original.num_rows)[:few]
        with TemporaryDirectory(dir=self.folder) as scratch:
            shelf = Shelf(Path(scratch) / "rows.encoded", frame_kind(layout))
            for piece in surveyed.source.pieces():
                shelf.append(lines_of(shelf.kind, encode(layout, piece)))
            donors = encode(layout, original).take(drawn)
            return fit_shelves(layout, [shelf], count_values([shelf], layout), donors, options, self.limits)[0]


class AmongAll:
    """All rows of two files stand around a pair of sampled ones (`engine.surroundings.Surroundings`).

    `places` are the rows of the files, which are the same in both, that the pair was taken from; `originals` and
    `avatars` give the files in pieces, again and again, with the columns of the pair.
    """

    def __init__(self, pair: Pair, places: Rows, originals: Pieces, avatars: Pieces) -> None:
        self._pair, self._places = pair, places
        self._originals, self._avatars = originals, avatars
        self._zero = _TINY * float(np.abs(pair.original_points).max(initial=0.0))

    def rank_own(self) -> tuple[OwnRank, Rows]:
        """See `Surroundings`."""
        own = distances_to(self._pair.original_points, self._pair.avatar_points)
        n = self._pair.rows
        closer, within = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
        first = np.full(n, NOBODY)
        for start, points in self._points(self._avatars):
            found = count_around(points, self._pair.original_points, own)
            closer += found.closer
            within += found.within
            first = np.minimum(first, np.where(found.within > 0, found.first + start, NOBODY))
        return own_rank(Around(closer, within, first), self._places), np.zeros(n, dtype=np.int64)

    def around_avatars(self) -> tuple[Floats, Floats]:
        """See `Surroundings`."""
        return self._around[0]

    def around_originals(self) -> tuple[Floats, Floats]:
        """See `Surroundings`."""
        return self._around[1]

    @cached_property
    def _around(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Both searches among the originals, in one pass over them."""
        n = self._pair.rows
        of_avatars, of_originals = np.full((n, 2), np.inf), np.full((n, 2), np.inf)
        for start, points in self._points(self._originals):
            index = build_index(points[without_surplus(points, 3)])
            of_avatars = _two_nearest(of_avatars, _three_nearest(index, self._pair.avatar_points))
            found = _three_nearest(index, self._pair.original_points)
            here = (start <= self._places) & (self._places < start + len(points))
            found[here, 0] = np.inf  # the row itself, or one that is equal
            of_originals = _two_nearest(of_originals, found)
        return self._split(of_avatars), self._split(of_originals)

    def _split(self, distances: Floats) -> tuple[Floats, Floats]:
        settled = np.where(distances <= self._zero, 0.0, distances)
        return settled[:, 0], settled[:, 1]

    def _points(self, pieces: Pieces) -> Iterator[tuple[int, Floats]]:
        """The first row and the coordinates of `_ROWS` rows and more at a time."""
        space, start = self._pair.space, 0
        waiting: list[Floats] = []
        for piece in pieces():
            waiting.append(space.project(encode(space.layout, piece)))
            if sum(map(len, waiting)) >= _ROWS:
                points = np.concatenate(waiting)
                yield start, points
                start, waiting = start + len(points), []
        if waiting:
            yield start, np.concatenate(waiting)


def _three_nearest(index: Index, queries: Floats) -> Floats:
    """Distances to the three nearest points; infinite where there are fewer."""
    k = min(3, index.size)
    found = np.full((len(queries), 3), np.inf)
    found[:, :k] = np.sqrt(nearest(index, queries, k)[0])
    return found


def _two_nearest(one: Floats, two: Floats) -> Floats:
    """The two smallest of each row of both."""
    return np.sort(np.hstack([one, two]), axis=1)[:, :2]
