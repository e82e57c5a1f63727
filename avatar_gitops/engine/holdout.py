"""Rows that the avatars were not made from, in the space of the originals: what every attack is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame, encode
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.space import FittedSpace
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

FEWEST: Final = 20


@dataclass(slots=True, frozen=True)
class Placed:
    """Rows in a space fitted on originals: as they are, without holes, missing indicators, and their coordinates."""

    frame: Frame
    completed: Frame
    indicators: Codes
    points: Floats

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.frame.rows

    def take(self, rows: npt.NDArray[np.int64]) -> Placed:
        """Some rows, in the given order."""
        return Placed(self.frame.take(rows), self.completed.take(rows), self.indicators[rows], self.points[rows])


@dataclass(slots=True, frozen=True)
class Sides:
    """The three parties of an attack: people who were used, people who were not, and the avatars."""

    space: FittedSpace
    members: Placed
    others: Placed
    avatars: Placed


def sides(pair: Pair, holdout: pa.Table) -> Sides:
    """Put a control table beside a pair; raises EngineError when it does not have the columns of the originals."""
    space = pair.space
    return Sides(
        space,
        Placed(pair.original, space.completed, space.indicator_codes(pair.original), space.points),
        place(space, holdout),
        Placed(pair.avatar, pair.avatar_completed, space.indicator_codes(pair.avatar), pair.avatar_points),
    )


def place(space: FittedSpace, holdout: pa.Table) -> Placed:
    """A control table in the space; raises EngineError when a modelled column is absent or rows are too few."""
    absent = [name for name in space.layout.names if name not in holdout.column_names]
    if absent:
        raise EngineError(
            f"The holdout does not have the column {absent[0]!r} of the originals.",
            hint="The holdout is a table of the same columns, with rows that were not anonymized.",
        )
    if holdout.num_rows < FEWEST:
        raise EngineError(
            f"The holdout has fewer than {FEWEST} rows, too few to compare with.",
            hint="Give more rows of the same population that were not anonymized, or no holdout.",
        )
    frame = encode(space.layout, holdout)
    return Placed(frame, space.complete(frame), space.indicator_codes(frame), space.project(frame))


def split(rows: int, share: float, seed: int, label: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows to anonymize and rows to keep apart, both in table order; `share` (0 to 1, exclusive) is kept apart.

    The split depends on seed, label and number of rows only, so that the metrics find the rows that a run left out.
    """
    if not 0 < share < 1:
        raise EngineError("The share of rows kept apart must lie between 0 and 1.")
    apart = max(1, round(share * rows))
    order = stream(seed, label, "holdout").permutation(rows)
    return np.sort(order[apart:]), np.sort(order[:apart])


def sample(rows: int, most: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """At most that many row numbers, at random and in order."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(random.permutation(rows)[:most])
