"""Who lies around the people of a pair: what metrics of nearness ask, whether all rows are in memory or not."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.copies import own_first
from avatar_gitops.engine.distances import OwnRank, nearest_two, rank_own
from avatar_gitops.engine.neighbours import Rows, build_neighbourhood, nearest_others
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.params import Space
from avatar_gitops.engine.streams import stream


class Surroundings(Protocol):
    """The rows around a pair, on the compared axes; distances are exact."""

    def rank_own(self) -> tuple[OwnRank, Rows]:
        """The own avatar of each original among all avatars, and how many further own ones are just as near."""

    def around_avatars(self) -> tuple[Floats, Floats]:
        """Distances of each avatar to the nearest and the second nearest original."""

    def around_originals(self) -> tuple[Floats, Floats]:
        """Distances of each original to the nearest and the second nearest other original; there are three or more."""


class Whole(Protocol):
    """A table that is not in memory, of which some rows are to be measured."""

    def pair(self, original: pa.Table, avatars: pa.Table, options: Space, seed: int) -> Pair:
        """Those rows and their avatars in the space of all rows."""

    def around(self, pair: Pair) -> Surroundings:
        """All rows around them."""


class AmongRows:
    """The rows of the pair are all there are."""

    def __init__(self, pair: Pair, seed: int) -> None:
        self._pair, self._seed = pair, seed

    def rank_own(self) -> tuple[OwnRank, Rows]:
        """See `Surroundings`; of several own avatars the nearest one counts."""
        avatars, ties = own_first(self._pair)
        return rank_own(self._pair.original_points, avatars), ties

    def around_avatars(self) -> tuple[Floats, Floats]:
        """See `Surroundings`."""
        return nearest_two(self._pair.original_points, self._pair.avatar_points)

    def around_originals(self) -> tuple[Floats, Floats]:
        """See `Surroundings`."""
        hood = build_neighbourhood(self._pair.original_points, stream(self._seed, "", "references"), 2)
        distances, _ = nearest_others(hood, np.arange(self._pair.rows), 2)
        return distances[:, 0], distances[:, 1]
