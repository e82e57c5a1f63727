"""Search and draw in one pass: the neighbours of each origin are used while they are at hand and never stored."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.kernels.library import DrawArguments, address, addresses, pointers
from avatar_gitops.engine.kernels.tree import Asked, Floats, Places, Tree
from avatar_gitops.engine.threads import in_parallel

_LINE: Final = 64  # bytes of a cache line: a donor of one line costs one fetch
_SHORT: Final = 1 << 16
_AVATARS: Final = 2_048  # made in one call
_ROWS: Final = 1 << 14  # packed in one call


def draw_rows(
    tree: Tree,
    asked: Asked,
    numbers: Sequence[Floats],
    codes: Sequence[Places],
    law: tuple[int, bool, int],
    donors: npt.NDArray[Any],
) -> tuple[Floats, Places]:
    """Numbers (queries x numbers) and codes (queries x codes) of one avatar for each query, column by column in memory.

    `numbers` and `codes` are contiguous columns of all rows and `donors` the row at each point of the tree; `law` is
    the number of neighbours, whether the draw is from the local normal law, and the key of the random stream.
    """
    k, gaussian, key = law
    library = tree.library
    short = all(int(column.max(initial=0)) < _SHORT and int(column.min(initial=0)) >= 0 for column in codes)
    width = 2 if short else 4
    stride = -(-(8 * len(numbers) + width * len(codes)) // 8) * 8
    packed, made = _lines(tree.points * stride), _lines(asked.count * stride)
    source = address(packed)
    words = (ctypes.c_uint64 * 2)(key & (2**64 - 1), key >> 64)
    arguments = DrawArguments(len(numbers), len(codes), width, stride, source, address(made), words, k, int(gaussian))
    row = np.ascontiguousarray(donors[tree.row], dtype=np.int32)
    from_columns = pointers(numbers), pointers(codes)

    def pack(first: int, last: int) -> None:
        given = addresses((row, *from_columns))
        library.pack_donors(ctypes.byref(arguments), *given, source, first, last)

    in_parallel(pack, tree.points, _ROWS)
    search = library.search("tree_draw")

    def draw(first: int, last: int) -> None:
        queries = ctypes.byref(asked.arguments)
        if search(ctypes.byref(asked.tree), queries, ctypes.byref(arguments), first, last):
            raise MemoryError

    in_parallel(draw, asked.count, _AVATARS)
    del packed
    new_numbers = np.empty((asked.count, len(numbers)), order="F")
    new_codes = np.empty((asked.count, len(codes)), dtype=np.int32, order="F")
    to_columns = pointers(new_numbers.T), pointers(new_codes.T)

    def unpack(first: int, last: int) -> None:
        library.unpack_avatars(ctypes.byref(arguments), *addresses(to_columns), first, last)

    in_parallel(unpack, asked.count, _ROWS)
    return new_numbers, new_codes


def _lines(size: int) -> npt.NDArray[np.uint8]:
    """Memory that starts at a cache line."""
    memory = np.empty(size + _LINE, dtype=np.uint8)
    start = -address(memory) % _LINE
    return memory[start : start + size]
