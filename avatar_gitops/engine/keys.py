"""Fresh keys for avatars: no value of a key of the originals reaches the output."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import cast_or_none, null_mask, text, to_arrow, to_numpy
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.streams import stream

Ids = npt.NDArray[np.int64]

_MOST_DIGITS: Final = 76


def fresh_keys(spec: ColumnSpec, values: pa.ChunkedArray, rows: tuple[Ids, Ids], seed: int, label: str) -> pa.Array:
    """Keys of the avatars in their unshuffled order; `values` are the keys of their originals.

    A primary key numbers the rows of the shuffled table from 1 (`rows[0]` is where each avatar stands there). An
    identifier gets one random number for each distinct value, so that rows that belonged together still do; missing
    stays missing. Second and further avatars of a row (`rows[1]` counts them from 0) belong to nobody of the first
    ones. Text keys are the column's name and the number.
    """
    places, copies = rows
    if spec.primary_key:
        return as_keys(spec.name, places + 1, np.zeros(len(places), dtype=bool), values.type, max(1, len(places)))
    encoded = values.cast(values.type.value_type) if pa.types.is_dictionary(values.type) else values
    encoded = encoded.combine_chunks().dictionary_encode()
    missing = null_mask(encoded.indices)
    codes = np.where(missing, 0, to_numpy(encoded.indices).astype(np.int64) * (int(copies.max(initial=0)) + 1) + copies)
    kinds = max(1, len(encoded.dictionary)) * (int(copies.max(initial=0)) + 1)
    numbers = stream(seed, label, f"identifiers of {spec.name}").permutation(kinds) + 1
    drawn = numbers[codes]
    return as_keys(spec.name, drawn, missing, values.type, int(drawn.max(initial=1)))


def numbered_keys(name: str, n: int, kind: pa.DataType) -> pa.Array:
    """Keys 1 to n for rows that belong to nobody; only the type of the column matters."""
    return as_keys(name, np.arange(1, n + 1), np.zeros(n, dtype=bool), kind, max(1, n))


def as_foreign_keys(keys: pa.Array, kind: pa.DataType) -> pa.Array:
    """Keys of another table in a column of that type, as they are where it cannot hold them."""
    fitting = cast_or_none(keys, kind)
    return keys if fitting is None else fitting


def as_keys(name: str, numbers: Ids, missing: npt.NDArray[np.bool_], kind: pa.DataType, largest: int) -> pa.Array:
    """Numbers from 1 to `largest` as keys of a column of that type, or of the nearest one that can hold them."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        # there may be more rows than a narrow type can number from 1
        fits = _as_numbers(to_arrow(np.array([1, largest])), kind) is not None
        keys = to_arrow(numbers, missing)
        return _as_numbers(keys, kind) if fits else keys
    if pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        return to_arrow(numbers, missing)
    width = len(str(largest))
    label, sign = text(name, pa.string()), text("-", pa.string())
    digits = pc.utf8_lpad(to_arrow(numbers, missing).cast(pa.string()), width, "0")
    keys = pc.binary_join_element_wise(label, digits, sign)
    return keys if pa.types.is_dictionary(kind) else as_foreign_keys(keys, kind)


def _as_numbers(keys: pa.Array, kind: pa.DataType) -> pa.Array | None:
    """Whole numbers in a numeric type; None when one of them has no place in it."""
    if not pa.types.is_decimal(kind):
        return cast_or_none(keys, kind)
    wide = cast_or_none(keys, pa.decimal256(_MOST_DIGITS, max(0, kind.scale)))  # Arrow asks for room for any integer
    return None if wide is None else cast_or_none(wide, kind)
