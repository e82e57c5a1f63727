"""NumPy arrays and Arrow arrays share their memory here, without pyarrow's search for pandas.

`pa.array`, `pa.scalar`, `Array.to_numpy` and `pc.fill_null` with a Python value import pandas wherever it is installed,
which takes longer than avatars of 100,000 rows. These functions read and write the buffers instead.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Mask = npt.NDArray[np.bool_]
Values = TypeVar("Values", pa.Array, pa.ChunkedArray)

UNFIT: Final = (pa.ArrowInvalid, pa.ArrowNotImplementedError)
"""What Arrow raises when values, or their type, have no place in what is asked for; a lack of memory is none of it."""

_TYPES: Final[dict[str, pa.DataType]] = {
    "int8": pa.int8(),
    "int16": pa.int16(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint8": pa.uint8(),
    "uint16": pa.uint16(),
    "uint32": pa.uint32(),
    "uint64": pa.uint64(),
    "float32": pa.float32(),
    "float64": pa.float64(),
}


def cast_or_none(values: Values, kind: pa.DataType) -> Values | None:
    """The values as another type; None when one of them, or their own type, has no place in it."""
    try:
        return values.cast(kind)
    except UNFIT:
        return None


def to_arrow(values: npt.NDArray[Any], missing: Mask | None = None) -> pa.Array:
    """An Arrow array over a one-dimensional array of numbers, without a copy where it is contiguous.

    `missing` says which values are null. The array must not be changed afterwards.
    """
    values = np.ascontiguousarray(values)
    kind = _TYPES[values.dtype.name]
    if missing is None or not missing.any():
        return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
    valid = np.packbits(~missing, bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(values)]
    return pa.Array.from_buffers(kind, len(values), buffers, int(missing.sum()))


def to_numpy(values: pa.Array) -> npt.NDArray[Any]:
    """A read-only view of an Arrow array of numbers; what stands at nulls is not defined (see `null_mask`)."""
    data = values.buffers()[1]
    kind = np.dtype(_numpy_name(values.type))
    if data is None:
        return np.zeros(len(values), dtype=kind)
    return np.frombuffer(data, dtype=kind, count=values.offset + len(values))[values.offset :]


def null_mask(values: pa.Array) -> Mask:
    """Where an Arrow array is null."""
    if values.null_count == 0:
        return np.zeros(len(values), dtype=bool)
    if pa.types.is_null(values.type):
        return np.ones(len(values), dtype=bool)
    valid = values.buffers()[0]
    assert valid is not None
    end = values.offset + len(values)
    bits = np.unpackbits(np.frombuffer(valid, dtype=np.uint8), count=end, bitorder="little")
    return np.equal(bits[values.offset :], 0)


def null(kind: pa.DataType) -> pa.Scalar:
    """The null of a type."""
    return pa.nulls(1, kind)[0]


def number(value: float, kind: pa.DataType) -> pa.Scalar:
    """A number as a scalar of a numeric type."""
    return to_arrow(np.array([value], dtype=_numpy_name(kind)))[0]


def text(value: str, kind: pa.DataType) -> pa.Scalar:
    """A text as a scalar of a text type."""
    data = value.encode()
    width = np.int64 if pa.types.is_large_string(kind) else np.int32
    offsets = pa.py_buffer(np.array([0, len(data)], dtype=width))
    return pa.Array.from_buffers(kind, 1, [None, offsets, pa.py_buffer(data)])[0]


def _numpy_name(kind: pa.DataType) -> str:
    name = str(kind)
    return {"double": "float64", "float": "float32", "halffloat": "float16"}.get(name, name)
