"""Keys to rows: which row of a parent each row of a child belongs to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import UNFIT, cast_or_none
from avatar_gitops.engine.links.model import Ids, Link
from avatar_gitops.errors import EngineError

Ties = Mapping[Link, Ids]
"""For each link, the row of the parent that each row of the child belongs to; -1 where the foreign key is empty."""


def tie(link: Link, parent: pa.Table, child: pa.Table) -> Ids:
    """Rows of the parent by the foreign keys of the child.

    Raises EngineError when keys are missing or appear twice, or when a foreign key names no row (an orphan).
    """
    try:
        keys, wanted = _comparable(parent[link.key], child[link.foreign_key])
    except UNFIT:
        raise EngineError(
            f"Tables {link.parent!r} and {link.child!r}: the values of {link.key!r} and {link.foreign_key!r} cannot be"
            " compared.",
            hint="Link tables by columns of numbers, dates or text.",
        ) from None
    if keys.null_count:
        raise EngineError(
            f"Table {link.parent!r}: its key {link.key!r} is empty in some rows.",
            hint="Give each row a key of its own.",
        )
    if len(pc.unique(keys)) < len(keys):
        raise EngineError(
            f"Table {link.parent!r}: some values of its key {link.key!r} appear more than once.",
            hint="Remove the rows that appear twice, or link by a column whose values are unique.",
        )
    found = pc.index_in(wanted, value_set=keys)
    if found.null_count > wanted.null_count:
        raise EngineError(
            f"Table {link.child!r}: some values of {link.foreign_key!r} are no key of table {link.parent!r}.",
            hint="Add the missing parents, remove those rows, or leave their key empty.",
        )
    return np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def climb(path: tuple[Link, ...], ties: Ties) -> Ids:
    """The row of the ancestor at the end of a path for each row of the table at its start; -1 for none."""
    rows = ties[path[0]]
    for link in path[1:]:
        further = np.append(ties[link], -1)  # -1 finds the last one
        rows = further[rows]
    return rows


def _comparable(keys: pa.ChunkedArray, wanted: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Both columns in one type, empty text and NaN as missing."""
    sides = [_plain(keys), _plain(wanted)]
    if sides[0].type != sides[1].type:
        sides = [side.cast(pa.string()) for side in sides]
    return sides[0], sides[1]


def _plain(values: pa.ChunkedArray) -> pa.Array:
    array = values.combine_chunks()
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
        known = array.drop_null()
        if pc.all(pc.equal(pc.floor(known), known)).as_py() is not False:
            array = _whole(array)  # whole numbers beside missing ones, as data frames keep them
    elif pa.types.is_integer(array.type) or pa.types.is_null(array.type):
        array = _whole(array)
    elif not pa.types.is_temporal(array.type):
        array = array.cast(pa.string())
        array = pc.if_else(pc.equal(array, ""), pa.scalar(None, pa.string()), array)
    return array


def _whole(array: pa.Array) -> pa.Array:
    """Whole numbers; as text where one of them has more than 64 bits with its sign."""
    fitting = cast_or_none(array, pa.int64())
    return array.cast(pa.string()) if fitting is None else fitting
