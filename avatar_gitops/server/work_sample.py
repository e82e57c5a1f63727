"""Metrics and advice of a large table: of random people, whose neighbours are looked for among all rows.

How far each privacy metric can be read then depends on whom it looks for; `sample_notes` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from avatar_gitops.engine.controlled import MEMBERSHIP, RISKS, SHARE, WORST
from avatar_gitops.engine.large.around import LargeTable
from avatar_gitops.engine.large.limits import needed_memory
from avatar_gitops.engine.large.sample import Lot, draw_lot
from avatar_gitops.engine.large.source import Source, open_source, settle
from avatar_gitops.engine.params import ColumnSpec, declared_types
from avatar_gitops.engine.surroundings import Whole
from avatar_gitops.engine.unlinked import RANKED
from avatar_gitops.server.control import text_columns, with_types_of
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.limits import run_limits

_MEASURED: Final = 3  # times the memory of a run that metrics take for a row
AMONG_ALL: Final = RANKED | {
    "distance_to_closest",
    "distance_to_closest_p5",
    "closest_distances_ratio",
    "closest_distances_ratio_p5",
    "closest_rate",
}
"""People of the sample, looked for among all rows."""

FLATTERED: Final = frozenset({
    "row_direct_match_protection",
    "dominated_avatars_rate",
    "donor_distance",
    *MEMBERSHIP,
    WORST,
    SHARE,
    *RISKS,
})  # fmt: skip
"""Attacks that find less in a sample, and meetings that are rarer in it."""

STRICTER: Final = frozenset({
    "correlation_protection_rate",
    "knowledge_protection_rate",
    "linkability_protection_rate",
})  # fmt: skip
"""People who are found among fewer others."""

OF_RARITY: Final = frozenset({
    "categorical_hidden_rate",
    "column_direct_match_protection",
    "rare_modalities_rate",
    "rare_modalities_released_rate",
    "extremes_released_rate",
    "unique_combinations_rate",
    "replicated_uniques_rate",
    "k_map",
})  # fmt: skip
"""What counts values or combinations that few rows have."""


def sample_notes(size: int, values: Mapping[str, float | None]) -> dict[str, str]:
    """Notes for the metrics that were measured and for which it matters that these are `size` people of many more."""
    some = f"{size:,} random originals and their avatars"
    said = (
        (AMONG_ALL, f"Of {size:,} random people, each looked for among all rows."),
        (FLATTERED, f"Among {some} only, where an attack finds less: this reads safer than it is."),
        (STRICTER, f"Among {some} only, where people hide among fewer: this reads less safe than it is."),
        (OF_RARITY, f"Of {some} only: what is rare there need not be rare in the table."),
    )
    return {name: text for names, text in said for name in sorted(names) if values.get(name) is not None}


def sample_of(source: Source, columns: Sequence[ColumnSpec]) -> tuple[Source, Lot]:
    """The settled file of a large table, and as many of its rows as metrics have memory for, 10,000 at least."""
    most = run_limits().memory
    assert most is not None
    source, rows = settle(source)
    a_row = needed_memory(source, columns, None) / max(1, rows)
    return source, draw_lot(rows, int(most / (_MEASURED * a_row)))


@dataclass(slots=True, frozen=True)
class Sample:
    """Random originals of a large table beside their avatars, and the whole table, which has `of` rows."""

    rows: pa.Table
    avatars: pa.Table
    of: int
    whole: Whole


def read_sampled(table: str, files: tuple[Source, Path], columns: Sequence[ColumnSpec], folder: Path) -> Sample:
    """A sample of a large table, of which `files` are the originals and the avatars; `folder` is for what is needed
    meanwhile.

    Raises:
        JobFault: there are not as many avatars as originals.
    """
    original, avatars = files
    source, lot = sample_of(original, columns)
    rows = lot.read(source)
    made, count = settle(open_source(avatars, text_columns(rows) | declared_types(columns)))
    if count != lot.order.rows:
        raise JobFault(
            f"Table {table!r}: the original and the avatars have different numbers of rows, and the table is too large"
            " to be measured as a whole. Give one avatar for each row, row by row, or allow more memory."
        )

    def pieces() -> Iterator[pa.Table]:
        return (with_types_of(rows, piece) for piece in made.pieces())

    whole = LargeTable(source, pieces, columns, lot.rows(), folder, run_limits())
    return Sample(rows, with_types_of(rows, lot.read(made)), count, whole)
