"""Moments of coded columns and coordinates of rows in one pass over the rows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.kernels.library import Library, address, addresses, pointers
from avatar_gitops.engine.kernels.tree import Floats, Places
from avatar_gitops.engine.threads import in_parallel

CHUNK: Final = 1 << 16  # rows whose sums are taken together, in every path
_ROWS: Final = 1 << 13  # projected in one call

Counts = npt.NDArray[np.int64]


def meet(library: Library, codes: Sequence[Places], sizes: Sequence[int], z: Floats) -> tuple[Counts, Floats]:
    """How often two modalities meet (wide x wide, the lower blocks only) and sums of `z` by modality (wide x numbers).

    Sums are added row by row within chunks of `CHUNK` rows and then chunk by chunk.
    """
    rows, m = z.shape
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    wide = int(offsets[-1])
    columns = [np.ascontiguousarray(column) for column in z.T]
    chunks = -(-rows // CHUNK)
    pairs = np.zeros((wide, wide), dtype=np.int64)
    sums = np.zeros((wide, m))
    parts = [sums] * chunks
    lock = threading.Lock()
    given = pointers(codes), pointers(columns)

    def count(first: int, last: int) -> None:
        some, part = np.zeros((wide, wide), dtype=np.int32), np.zeros((wide, m))
        places = address(given[0]), address(offsets), wide, m, address(given[1])
        library.count_moments(len(codes), *places, first, last, address(some), address(part))
        with lock:
            np.add(pairs, some, out=pairs)  # whole numbers: the order of chunks does not matter
        parts[first // CHUNK] = part

    in_parallel(count, rows, CHUNK)
    for part in parts:
        sums += part
    return pairs, sums


def place(
    library: Library,
    numbers: Floats,
    codes: Sequence[Places],
    standard: tuple[Floats, Floats, Floats],
    tables: Sequence[Floats],
) -> Floats:
    """Coordinates (rows x axes): `standard` is mean, scale and axes of the numbers, `tables` what modalities add."""
    rows, m = numbers.shape
    mean, scale, axes = (np.ascontiguousarray(part) for part in standard)
    width = tables[0].shape[1] if tables else axes.shape[1]
    columns = [np.ascontiguousarray(column) for column in numbers.T]
    tables = [np.ascontiguousarray(table) for table in tables]
    last_code = np.array([len(table) - 1 for table in tables], dtype=np.int32)
    points = np.empty((rows, width))
    numeric, coded, added = pointers(columns), pointers(codes), pointers(tables)
    given = (width, m, *addresses((numeric, mean, scale, axes)), len(tables), *addresses((coded, added, last_code)))

    def project(first: int, last: int) -> None:
        library.project_rows(*given, address(points), first, last)

    in_parallel(project, rows, _ROWS)
    return points
