"""The shared library: found, checked and given types once, or not at all.

`AVATAR_GITOPS_KERNELS` may say `portable` (do without), or `plain`, `avx2` or `avx512` (that instruction set instead of
the best one of this machine). What is asked for and cannot run is an error, so that a measurement or a test never
measures something else.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterable
from ctypes import POINTER, Structure, c_int32, c_int64, c_uint64, c_void_p
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.errors import EngineError

ABI: Final = 2  # of tree.h
LANES: Final = 16
MOST_AXES: Final = 128
MOST_ROWS: Final = 2**31 - 64  # positions are 32-bit numbers
SWITCH: Final = "AVATAR_GITOPS_KERNELS"
_FILE: Final = Path(__file__).with_name("libavatar.so")
_VARIANTS: Final = ("plain", "avx2", "avx512")


class TreeArguments(Structure):
    """`Tree` of tree.h."""

    _fields_ = [
        ("points", c_int64),
        ("axes", c_int32),
        ("levels", c_int32),
        ("leaves", c_int32),
        ("pad", c_int32),
        ("leaf_block", c_void_p),
        ("level_node", c_void_p),
        ("boxes", c_void_p),
        ("lanes", c_void_p),
        ("exact", c_void_p),
        ("rank", c_void_p),
    ]


class QueryArguments(Structure):
    """`Queries` of tree.h."""

    _fields_ = [("points", c_void_p), ("order", c_void_p), ("leaf", c_void_p), ("exclude", c_void_p)]


class DrawArguments(Structure):
    """`Draw` of tree.h."""

    _fields_ = [
        ("numbers", c_int32),
        ("codes", c_int32),
        ("code_bytes", c_int32),
        ("stride", c_int32),
        ("donors", c_void_p),
        ("avatars", c_void_p),
        ("key", c_uint64 * 2),
        ("k", c_int32),
        ("gaussian", c_int32),
    ]


@dataclass(slots=True, frozen=True)
class Library:
    """The kernels with their types, and the instruction set they use."""

    variant: str
    functions: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.functions, name)

    def search(self, name: str) -> Any:
        """A kernel of search.c for this machine."""
        return getattr(self.functions, f"{name}_{self.variant}")


def kernels() -> Library | None:
    """The library as the environment wants it; None means the portable path."""
    return _load(os.environ.get(SWITCH, ""))


def address(array: npt.NDArray[Any]) -> int:
    """Where the data of a contiguous array are."""
    return int(array.__array_interface__["data"][0])


def addresses(columns: Iterable[npt.NDArray[Any]]) -> tuple[int, ...]:
    """Where the data of some contiguous arrays are."""
    return tuple(address(column) for column in columns)


def pointers(columns: Iterable[npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    """The same as an array of pointers."""
    return np.array(addresses(columns), dtype=np.uint64)


@functools.cache
def _load(wanted: str) -> Library | None:
    if wanted == "portable":
        return None
    if wanted not in ("", *_VARIANTS):
        raise EngineError(f"{SWITCH} must be portable, {', '.join(_VARIANTS)}, or not set.")
    try:
        functions = ctypes.CDLL(str(_FILE))
        if functions.kernels_abi() != ABI:
            raise OSError
    except (OSError, AttributeError):
        if wanted:
            raise EngineError(
                f"{SWITCH} asks for compiled kernels, but this installation has none that fit.",
                hint="Install again on a machine with a C compiler, or unset the variable.",
            ) from None
        return None
    best = int(functions.kernels_variant())
    if wanted and _VARIANTS.index(wanted) > best:
        raise EngineError(f"{SWITCH} asks for {wanted}, which this processor does not have.")
    library = Library(wanted or _VARIANTS[best], functions)
    _declare(library)
    return library


def _declare(library: Library) -> None:
    """Argument types: without them `ctypes` would cut 64-bit numbers."""
    tree, queries, draw = POINTER(TreeArguments), POINTER(QueryArguments), POINTER(DrawArguments)
    types: dict[str, tuple[Any, list[Any]]] = {
        "tree_split": (None, [c_void_p, c_void_p, c_int64, c_int32, c_int64, c_int64, c_int32]),
        "tree_fill": (None, [tree, c_void_p, c_void_p, c_int64, c_int64]),
        "sort_by_group": (None, [c_int64, c_void_p, c_int64, c_void_p, c_void_p]),
        "find_equal": (c_int64, [c_int64, c_int32, c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_void_p]),
        "pack_donors": (None, [draw, c_void_p, c_void_p, c_void_p, c_void_p, c_int64, c_int64]),
        "unpack_avatars": (None, [draw, c_void_p, c_void_p, c_int64, c_int64]),
        "count_moments": (
            None,
            [c_int32, c_void_p, c_void_p, c_int32, c_int32, c_void_p, c_int64, c_int64, c_void_p, c_void_p],
        ),
        "project_rows": (
            None,
            [c_int32, c_int32, *[c_void_p] * 4, c_int32, *[c_void_p] * 4, c_int64, c_int64],
        ),
    }
    for name, (result, arguments) in types.items():
        function = getattr(library.functions, name)
        function.restype, function.argtypes = result, arguments
    searches: dict[str, tuple[Any, list[Any]]] = {
        "tree_nearest": (c_int32, [tree, queries, c_int32, c_int64, c_int64, c_void_p, c_void_p]),
        "tree_draw": (c_int32, [tree, queries, draw, c_int64, c_int64]),
        "tree_locate": (None, [tree, c_void_p, c_int64, c_int64, c_void_p]),
        "tree_count": (None, [tree, queries, *[c_void_p] * 4, c_int64, c_int64, *[c_void_p] * 3]),
    }
    for name, (result, arguments) in searches.items():
        function = library.search(name)
        function.restype, function.argtypes = result, arguments
