"""The contract of a fitted processor, and what it may read when avatars come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ids = npt.NDArray[np.int64]


@dataclass(slots=True, frozen=True)
class Source:
    """The originals of avatars, as they were before the processor: row i belongs to avatar row i.

    `origins` is the row of the table from which each was taken; it repeats where a person has several avatars. `seed`,
    `label` and `place` (of the processor in its list) name the random streams.
    """

    rows: pa.Table
    origins: Ids
    seed: int = 0
    label: str = ""
    place: int = 0


class Fitted(Protocol):
    """A processor that knows the originals.

    `made` are the columns that `apply` replaces or adds, each with the column of the user that it stands for.
    `warnings` say what a reader of the results should know, without any value.
    """

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Things to know."""

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """The table as it is modelled; rows keep their places.

        Avatars that are told anew have a `source`: people are those of their originals.
        """

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The avatars as the user knows the columns; rows keep their places."""
