"""What an avatarization did, told without any value of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import UNFIT
from avatar_gitops.engine.params import AvatarParams, ColumnFact, ColumnSpec, Facts, Generation, Replacement
from avatar_gitops.engine.pseudonyms.kinds import HashPseudonym
from avatar_gitops.engine.space import FittedSpace

_RARE: Final = 3


def rows_bucket(rows: int) -> str:
    """A number of rows as people may see it."""
    if rows < 100:
        return "<100"
    low = 10 ** (len(str(rows)) - 1)
    names = {100: "100", 1_000: "1k", 10_000: "10k", 100_000: "100k", 1_000_000: "1M", 10_000_000: "10M"}
    return f"{names[low]}-{names[low * 10]}" if low * 10 in names else ">10M"


@dataclass(slots=True, frozen=True)
class Tally:
    """What warnings count in the originals: `rarest` is the number of rows of the rarest modality of each category.

    `sparse` are columns whose values are mostly missing, `lone` excluded columns with a value that one row alone has.
    """

    rows: int
    names: tuple[str, ...]
    rarest: tuple[int, ...]
    sparse: tuple[str, ...]
    lone: tuple[str, ...]


def tally(table: pa.Table, space: FittedSpace) -> Tally:
    """Count in a table on whose rows a space was fitted."""
    layout, codes = space.layout, space.completed.codes
    return Tally(
        table.num_rows,
        tuple(table.column_names),
        tuple(int(np.bincount(codes[:, i]).min()) for i in range(len(layout.categories))),
        tuple(name for name in layout.names if table[name].null_count > table.num_rows / 2),
        tuple(name for name in layout.aside if _has_lone_value(table[name])),
    )


def gather_facts(
    counted: Tally, space: FittedSpace, params: AvatarParams, origins: npt.NDArray[np.int64] | None = None
) -> Facts:
    """Roles, dimensions, inertia, warnings and what is sensitive of one avatarization.

    `origins` names the original of each avatar, every one once when it is absent.
    """
    layout = space.layout
    incomplete = {layout.names[i] for i in space.indicators}
    types = {column.name: column.type for column in layout.numbers}
    types |= {column.name: column.type for column in layout.categories}
    widths = dict.fromkeys((column.name for column in layout.numbers), 1)
    reduced = space.reduction is not None
    widths |= {column.name: 0 if reduced else len(column.modalities) for column in layout.categories}
    roles = {column.name: "empty" for column in layout.empty} | dict.fromkeys(layout.dropped, "dropped")
    roles |= {key.name: _role(key) for key in layout.keys} | dict.fromkeys(layout.aside, "excluded")
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
            for name in counted.names
        ),
        projection.dimensions,
        projection.ncp,
        tuple(float(share) for share in projection.explained),
        contributions(space),
        (*_warnings(counted, space, params), *_warnings_of_augmentation(params, origins)),
        tuple(_sensitive(counted, space, params)),
    )


def _role(key: ColumnSpec) -> str:
    if key.pseudonym is not None:
        return "pseudonymized"
    return "primary_key" if key.primary_key else "identifier"


def contributions(space: FittedSpace) -> dict[str, tuple[float, ...]]:
    """Share of each column in the inertia of each axis, in percent; a missing indicator counts for its column.

    The coordinates of reduced categories are shared out by what each column brings to their variance.
    """
    names, found = space.layout.names, space.projection.contributions
    if space.reduction is not None:
        m = len(space.layout.numbers)
        ends = m + space.reduction.dimensions
        found = np.vstack([found[:m], space.reduction.shares @ found[m:ends], found[ends:]])
    shares = found[: len(names)].copy()
    np.add.at(shares, space.indicators, found[len(names) :])
    return {name: tuple(float(share) for share in row) for name, row in zip(names, shares, strict=True)}


def _warnings(counted: Tally, space: FittedSpace, params: AvatarParams) -> list[str]:
    found = []
    if params.k == 2:
        found.append("k is 2: each avatar is made of two people only.")
    if counted.rows < 10 * params.k:
        found.append("The table has fewer than 10 rows for each neighbour: avatars lose structure.")
    if space.projection.dimensions > counted.rows / 2:
        found.append("There are more dimensions than half the rows: group modalities or drop columns.")
    found.extend(
        f"Column {column.name!r} has modalities of fewer than 3 rows: where one appears, somebody has it. Group them."
        for column, rarest in zip(space.layout.categories, counted.rarest, strict=True)
        if rarest < _RARE
    )
    found.extend(f"More than half the values of column {name!r} are missing." for name in counted.sparse)
    found.extend(
        f"Column {key.name!r} is replaced by plain SHA-256 digests: who can guess its values can find them again."
        for key in space.layout.keys
        if isinstance(key.pseudonym, HashPseudonym) and key.pseudonym.key is None
    )
    return found


def _warnings_of_augmentation(params: AvatarParams, origins: npt.NDArray[np.int64] | None) -> list[str]:
    """Copies of one person average to a point that does not depend on chance, which tells who took part."""
    if origins is None or params.generation is not Generation.BARYCENTRE or int(np.bincount(origins).max()) < 2:
        return []
    return [
        "Some people have two avatars or more: their mean comes close to the people themselves. Take the local_gaussian"
        " generation, or check the barycentered metrics."
    ]


def _sensitive(counted: Tally, space: FittedSpace, params: AvatarParams) -> list[str]:
    """Why the deliverable holds real values that belong to people."""
    found = []
    exclusion, aside = params.space.exclude, space.layout.aside
    if aside and exclusion is not None and exclusion.replacement is Replacement.ROW_ORDER:
        found.append("row_order: excluded columns keep the real values of the person that each avatar was made from.")
    found.extend(
        f"Column {name!r} is excluded and has values that one row alone has: they reappear as they are."
        for name in counted.lone
    )
    if params.augmentation is not None and not params.augmentation.anonymize_originals:
        found.append("The real rows are kept beside the avatars.")
    return found


def _has_lone_value(values: pa.ChunkedArray) -> bool:
    try:
        return bool(pc.any(pc.equal(pc.value_counts(values.drop_null()).field("counts"), 1)).as_py())
    except UNFIT:  # lists and the like: nearly always unique
        return True
