"""Excluded columns: set aside before modelling, put back afterwards with real values.

`row_order` puts back the values of the person that the avatar was made from. `coordinate_similarity` copies them from
an original that is near the avatar, all excluded columns from the same one so that they go together, and never from the
avatar's own original or from an exact duplicate of it. Nearest neighbours alone would copy some people many times and
others never, and so change every distribution; therefore avatars and originals are matched one to one with the least
sum of distances (Kuhn, The Hungarian Method, 1955), which keeps the distributions of the excluded columns exactly. The
matching is cubic, so both sides are first halved again and again at medians until the blocks are small: the
result is near the best one, not the best. Where a block has no admissible match (its rows are all duplicates, or there
is one only), the nearest admissible original is taken instead, more than once if need be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.augmentation import copy_numbers
from avatar_gitops.engine.buffers import UNFIT, null_mask, to_arrow, to_numpy
from avatar_gitops.engine.columns import CategoryColumn, Floats, fit_column
from avatar_gitops.engine.distances import gather
from avatar_gitops.engine.frame import is_key, looks_like_identifier
from avatar_gitops.engine.params import ColumnSpec, Exclusion, Replacement
from avatar_gitops.errors import EngineError

BLOCK: Final = 256  # rows of one matching; a constant of the method
_FORBIDDEN: Final = 1e6  # times the largest distance

Rows = npt.NDArray[np.int64]


def set_aside(columns: Sequence[str], specs: Sequence[ColumnSpec], exclusion: Exclusion | None) -> tuple[str, ...]:
    """Columns that an avatarization does not model; raises EngineError for names that cannot be excluded."""
    if exclusion is None:
        return ()
    _check_names(columns, exclusion)
    by_name = {spec.name: spec for spec in specs}
    for name in exclusion.names:
        if name in by_name and is_key(by_name[name]):
            raise EngineError(
                f"Column {name!r} is excluded, but it is also a key or pseudonymized.",
                hint="An excluded column keeps real values. Take it out of the excluded ones.",
            )
    dropped = {spec.name for spec in specs if spec.drop}
    return tuple(name for name in columns if name in exclusion.names and name not in dropped)


def out_of_metrics(table: pa.Table, specs: Sequence[ColumnSpec], exclusion: Exclusion | None) -> tuple[str, ...]:
    """Columns that metrics do not compare: all excluded ones if so wanted, else those that cannot be compared.

    Excluded columns may be of any kind: names and other texts that differ in every row, or lists, which say nothing
    about who is near to whom.
    """
    if exclusion is None:
        return ()
    if not exclusion.in_metrics:
        _check_names(table.column_names, exclusion)
        return tuple(name for name in table.column_names if name in exclusion.names)
    types = {spec.name: spec.type for spec in specs}
    left = []
    for name in set_aside(table.column_names, specs, exclusion):
        try:
            column = fit_column(name, table[name], types.get(name))
        except EngineError:
            left.append(name)
            continue
        if isinstance(column, CategoryColumn) and looks_like_identifier(table[name], len(column.modalities)):
            left.append(name)
    return tuple(left)


def _check_names(columns: Sequence[str], exclusion: Exclusion) -> None:
    for name in exclusion.names:
        if name not in columns:
            raise EngineError(f"The excluded column {name!r} is not a column of the table.")


def put_back(
    table: pa.Table,
    names: Sequence[str],
    replacement: Replacement,
    places: tuple[Floats, Floats, Rows],
    random: np.random.Generator,
) -> dict[str, pa.ChunkedArray]:
    """Excluded columns of the avatars.

    `places` are the coordinates of originals (n x axes) and avatars (N x axes), and the original of each avatar (N).
    """
    points, avatar_points, origins = places
    if not names:
        return {}
    donors = origins
    if replacement is Replacement.COORDINATE_SIMILARITY:
        donors = similar_donors(points, avatar_points, origins, duplicates(table, names, points), random)
    taken = to_arrow(donors)
    return {name: table[name].take(taken) for name in names}


def duplicates(table: pa.Table, names: Sequence[str], points: Floats) -> Rows:
    """Equal numbers for rows that are equal in their coordinates and in all excluded columns."""
    ids = gather(points).group.astype(np.int64)
    for name in names:
        ids = np.unique(ids * (len(ids) + 1) + _codes(table[name]), return_inverse=True)[1].ravel().astype(np.int64)
    return ids


def similar_donors(
    points: Floats, avatar_points: Floats, origins: Rows, same: Rows, random: np.random.Generator
) -> Rows:
    """For each avatar, the original whose excluded values it gets; `same` numbers the originals, equal if duplicates.

    The first avatars of all originals are matched with all originals. Of further avatars, the second, third, ... ones
    are matched with the originals that have so many, so that what an augmentation raises is raised with its own values.
    """
    donors = np.empty(len(origins), dtype=np.int64)
    copy = copy_numbers(origins)
    for number in range(int(copy.max(initial=0)) + 1):
        avatars = np.flatnonzero(copy == number)
        avatars = avatars[random.permutation(len(avatars))]
        candidates = origins[avatars][random.permutation(len(avatars))]
        for some, near in _blocks(points, avatar_points, candidates, avatars):
            donors[some] = _match(points[near], avatar_points[some], same[near], same[origins[some]], near)
    for avatar in np.flatnonzero(donors < 0):
        donors[avatar] = _nearest(points, avatar_points[avatar], same, int(origins[avatar]), random)
    return donors


def _blocks(points: Floats, avatar_points: Floats, originals: Rows, avatars: Rows) -> list[tuple[Rows, Rows]]:
    """Pairs of equally many avatars and originals that lie in the same corner, at most `BLOCK` of each."""
    if len(avatars) <= BLOCK:
        return [(avatars, originals)]
    there, here = points[originals], avatar_points[avatars]
    axis = int((there.max(axis=0) - there.min(axis=0)).argmax())
    originals = originals[np.argsort(there[:, axis], kind="stable")]
    avatars = avatars[np.argsort(here[:, axis], kind="stable")]
    half = len(avatars) // 2
    low = _blocks(points, avatar_points, originals[:half], avatars[:half])
    return low + _blocks(points, avatar_points, originals[half:], avatars[half:])


def _match(originals: Floats, avatars: Floats, same: Rows, own: Rows, numbers: Rows) -> Rows:
    """One original for each avatar, -1 where only a forbidden one was left."""
    from scipy.optimize import linear_sum_assignment

    costs = np.zeros((len(avatars), len(originals)))
    for axis in range(originals.shape[1]):
        costs += (avatars[:, axis, None] - originals[:, axis]) ** 2
    costs = np.sqrt(costs)
    forbidden = own[:, None] == same
    costs[forbidden] = _FORBIDDEN * (1.0 + float(costs.max(initial=0.0)))
    chosen = linear_sum_assignment(costs)[1]
    return np.where(forbidden[np.arange(len(avatars)), chosen], -1, numbers[chosen])


def _nearest(points: Floats, avatar: Floats, same: Rows, own: int, random: np.random.Generator) -> int:
    """The nearest original that is no duplicate of the own one; where all are, any other row."""
    others = np.flatnonzero(same != same[own])
    if len(others) == 0:
        others = np.flatnonzero(np.arange(len(points)) != own)
    distances = ((points[others] - avatar) ** 2).sum(axis=1)
    return int(random.choice(others[distances == distances.min()]))


def _codes(values: pa.ChunkedArray) -> Rows:
    """A number for each row, equal where values are; 0 is missing."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    try:
        encoded = values.combine_chunks().dictionary_encode()
    except UNFIT:
        _, codes = np.unique(np.array([repr(value) for value in values.to_pylist()]), return_inverse=True)
        return np.asarray(codes.ravel() + 1, dtype=np.int64)
    return np.where(null_mask(encoded.indices), 0, to_numpy(encoded.indices).astype(np.int64) + 1)
