"""What an avatarization did, told without any value of the data."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.params import AvatarParams, ColumnFact, Facts
from avatar_gitops.engine.space import FittedSpace

_RARE: Final = 3


def rows_bucket(rows: int) -> str:
    """A number of rows as people may see it."""
    if rows < 100:
        return "<100"
    low = 10 ** (len(str(rows)) - 1)
    names = {100: "100", 1_000: "1k", 10_000: "10k", 100_000: "100k", 1_000_000: "1M", 10_000_000: "10M"}
    return f"{names[low]}-{names[low * 10]}" if low * 10 in names else ">10M"


def gather_facts(table: pa.Table, space: FittedSpace, params: AvatarParams) -> Facts:
    """Roles, dimensions, inertia and warnings of one avatarization."""
    layout = space.layout
    incomplete = {layout.names[i] for i in space.indicators}
    types = {column.name: column.type for column in layout.numbers}
    types |= {column.name: column.type for column in layout.categories}
    widths = dict.fromkeys((column.name for column in layout.numbers), 1)
    widths |= {column.name: len(column.modalities) for column in layout.categories}
    roles = {column.name: "empty" for column in layout.empty} | dict.fromkeys(layout.dropped, "dropped")
    roles |= {key.name: "primary_key" if key.primary_key else "identifier" for key in layout.keys}
    projection = space.projection
    return Facts(
        tuple(
            ColumnFact(
                name,
                roles.get(name, "modelled"),
                types.get(name),
                widths.get(name, 0) + 2 * (name in incomplete),
                name in incomplete,
            )
            for name in table.column_names
        ),
        projection.dimensions,
        projection.ncp,
        tuple(float(share) for share in projection.explained),
        contributions(space),
        tuple(_warnings(table, space, params)),
    )


def contributions(space: FittedSpace) -> dict[str, tuple[float, ...]]:
    """Share of each column in the inertia of each axis, in percent; a missing indicator counts for its column."""
    names = space.layout.names
    shares = space.projection.contributions[: len(names)].copy()
    np.add.at(shares, space.indicators, space.projection.contributions[len(names) :])
    return {name: tuple(float(share) for share in row) for name, row in zip(names, shares, strict=True)}


def _warnings(table: pa.Table, space: FittedSpace, params: AvatarParams) -> list[str]:
    found = []
    if params.k == 2:
        found.append("k is 2: each avatar is made of two people only.")
    if table.num_rows < 10 * params.k:
        found.append("The table has fewer than 10 rows for each neighbour: avatars lose structure.")
    if space.projection.dimensions > table.num_rows / 2:
        found.append("There are more dimensions than half the rows: group modalities or drop columns.")
    found.extend(
        f"Column {column.name!r} has modalities of fewer than 3 rows: where one appears, somebody has it. Group them."
        for i, column in enumerate(space.layout.categories)
        if np.bincount(space.completed.codes[:, i]).min() < _RARE
    )
    found.extend(
        f"More than half the values of column {name!r} are missing."
        for name in space.layout.names
        if table[name].null_count > table.num_rows / 2
    )
    return found
