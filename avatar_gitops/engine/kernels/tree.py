"""A tree of bounding boxes over points, built and asked by the compiled kernels (see tree.h).

Answers are exact and do not depend on the shape of the tree, the instruction set or the number of threads.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.kernels.library import (
    LANES,
    MOST_AXES,
    MOST_ROWS,
    Library,
    QueryArguments,
    TreeArguments,
    address,
    addresses,
    kernels,
)
from avatar_gitops.engine.threads import in_parallel

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]

_QUERIES: Final = 2_048  # answered in one call
_TOP: Final = 4  # halvings that are made with several threads
_FARTHEST: Final = 1e17  # squares of larger coordinates, summed over all axes, do not fit into single precision


@dataclass(slots=True, frozen=True)
class Tree:
    """`row[position]` is the point (a row of what was given) at a tree position, `position[row]` the way back."""

    library: Library
    points: int
    axes: int
    row: Places
    position: Places
    leaf_of_block: Places
    leaf_block: Places
    level_node: Rows
    boxes: npt.NDArray[np.float32]
    lanes: npt.NDArray[np.float32]
    exact: Floats

    def arguments(self) -> TreeArguments:
        """The tree as the kernels want it."""
        return TreeArguments(
            self.points,
            self.axes,
            len(self.level_node),
            len(self.leaf_block) - 1,
            0,
            *addresses((self.leaf_block, self.level_node, self.boxes, self.lanes, self.exact, self.row)),
        )

    def leaves_of(self, rows: npt.NDArray[Any]) -> Places:
        """The leaf of each of some rows."""
        found: Places = self.leaf_of_block[self.position[rows] // LANES]
        return found


@dataclass(slots=True, frozen=True)
class Asked:
    """Queries in the order in which they are answered, with the arrays they stand in."""

    tree: TreeArguments
    arguments: QueryArguments
    count: int
    arrays: tuple[npt.NDArray[Any], ...]


def compilable(points: Floats) -> bool:
    """Whether the compiled tree takes these points."""
    if kernels() is None or not 0 < points.shape[1] <= MOST_AXES or not 0 < len(points) <= MOST_ROWS:
        return False
    return bool(points.max() <= _FARTHEST and points.min() >= -_FARTHEST)  # not so with NaN


def build_tree(points: Floats) -> Tree:
    """A tree over points (rows x axes); of equally near rows the one that stands first comes first."""
    library = kernels()
    assert library is not None
    count, axes = points.shape
    points = np.ascontiguousarray(points)
    blocks = -(-count // LANES)
    halvings = max(0, (blocks - 1).bit_length() - 1)
    bounds = _halve(blocks, halvings)
    levels = max(1, -(-halvings // 4))
    nodes = [1, *(2 ** (halvings - 4 * (levels - level)) for level in range(1, levels))]
    tree = Tree(
        library,
        count,
        axes,
        _shape(library, points, bounds),
        np.empty(count, dtype=np.int32),
        np.repeat(np.arange(len(bounds) - 1, dtype=np.int32), np.diff(bounds)),
        bounds.astype(np.int32),
        np.cumsum([0, *nodes[:-1]]).astype(np.int64),
        np.full((sum(nodes), 2, axes, LANES), np.finfo(np.float32).max, dtype=np.float32),
        np.empty((blocks, axes, LANES), dtype=np.float32),
        np.empty((count, axes)),
    )
    tree.boxes[:, 1] *= -1
    tree.position[tree.row] = np.arange(count, dtype=np.int32)
    arguments = tree.arguments()

    def fill(first: int, last: int) -> None:
        library.tree_fill(ctypes.byref(arguments), address(tree.row), address(points), first, last)

    in_parallel(fill, len(bounds) - 1, 512)
    for level in range(levels - 1, 0, -1):
        start, upper = int(tree.level_node[level]), int(tree.level_node[level - 1])
        below = tree.boxes[start : start + nodes[level]]
        for side, reduce in ((0, np.min), (1, np.max)):
            box = reduce(below[:, side], axis=2)  # nodes x axes
            for child in range(LANES):
                some = box[child::LANES]
                tree.boxes[upper : upper + len(some), side, :, child] = some
    return tree


def ask(tree: Tree, queries: Floats, leaf: Places | None = None, exclude: Places | None = None) -> Asked:
    """Prepare queries (rows x axes): each starts at a leaf and may exclude one tree position (-1: none)."""
    library, count = tree.library, len(queries)
    queries = np.ascontiguousarray(queries)
    arguments = tree.arguments()
    if leaf is None:
        leaf = np.empty(count, dtype=np.int32)
        locate, where = library.search("tree_locate"), address(leaf)

        def find(first: int, last: int) -> None:
            locate(ctypes.byref(arguments), address(queries), first, last, where)

        in_parallel(find, count, _QUERIES)
    leaf = np.ascontiguousarray(leaf, dtype=np.int32)
    exclude = np.full(count, -1, dtype=np.int32) if exclude is None else np.ascontiguousarray(exclude, dtype=np.int32)
    order = np.empty(count, dtype=np.int32)
    leaves = len(tree.leaf_block) - 1
    start = np.empty(leaves + 1, dtype=np.int64)
    library.sort_by_group(count, address(leaf), leaves, address(start), address(order))
    arrays = (queries, order, leaf, exclude)
    return Asked(arguments, QueryArguments(*addresses(arrays)), count, arrays)


def nearest_positions(tree: Tree, asked: Asked, k: int) -> tuple[Floats, Places]:
    """Squared distances and tree positions (queries x k) of the `k` nearest points, nearest first."""
    squared = np.empty((asked.count, k))
    position = np.empty((asked.count, k), dtype=np.int32)
    search = tree.library.search("tree_nearest")
    targets = addresses((squared, position))

    def answer(first: int, last: int) -> None:
        if search(ctypes.byref(asked.tree), ctypes.byref(asked.arguments), k, first, last, *targets):
            raise MemoryError

    in_parallel(answer, asked.count, _QUERIES)
    return squared, position


def count_near(
    tree: Tree, asked: Asked, low: Floats, high: Floats, counts: Rows, first: Rows
) -> tuple[Rows, Rows, Rows]:
    """For each query: rows nearer than `low`, rows from `low` to `high`, and the first of these (or a huge number).

    `counts` rows stand at each point of the tree, `first` is the first of them.
    """
    before = np.zeros(tree.points + 1, dtype=np.int64)
    np.cumsum(counts[tree.row], out=before[1:])
    firsts = np.ascontiguousarray(first[tree.row])
    results = tuple(np.empty(asked.count, dtype=np.int64) for _ in range(3))
    search = tree.library.search("tree_count")
    low, high = np.ascontiguousarray(low), np.ascontiguousarray(high)
    given = addresses((before, firsts, low, high))
    targets = addresses(results)

    def answer(begin: int, end: int) -> None:
        search(ctypes.byref(asked.tree), ctypes.byref(asked.arguments), *given, begin, end, *targets)

    in_parallel(answer, asked.count, _QUERIES)
    closer, within, earliest = results
    return closer, within, earliest


def number_equal(points: Floats) -> tuple[Rows, Rows, Rows]:
    """Group of each row among equal rows, in order of appearance; first row and size of each group."""
    library = kernels()
    assert library is not None
    count, axes = points.shape
    points = np.ascontiguousarray(points)
    slots = 1 << max(4, (2 * count - 1).bit_length())
    table = np.full(slots, -1, dtype=np.int32)
    group, first, size = (np.empty(count, dtype=np.int64) for _ in range(3))
    groups = library.find_equal(
        count, axes, address(points), address(table), slots, address(group), address(first), address(size)
    )
    return group, first[:groups].copy(), size[:groups].copy()


def _halve(blocks: int, halvings: int) -> Rows:
    """First block of each leaf, and the end."""
    bounds = np.array([0, blocks], dtype=np.int64)
    for _ in range(halvings):
        middle = bounds[:-1] + (bounds[1:] - bounds[:-1]) // 2
        bounds = np.sort(np.concatenate([bounds, middle]))
    return bounds


def _shape(library: Library, points: Floats, bounds: Rows) -> Places:
    """Points in tree order: the first halvings level by level, then each part by itself."""
    count, axes = points.shape
    row = np.arange(count, dtype=np.int32)
    columns = np.ascontiguousarray(points.T, dtype=np.float32)
    leaves = len(bounds) - 1
    halvings = leaves.bit_length() - 1
    top = min(_TOP, halvings)
    for depth in [*range(top), top]:
        span = leaves >> depth
        deep = halvings - top if depth == top else 1

        def split(first: int, last: int, span: int = span, deep: int = deep) -> None:
            for part in range(first, last):
                ends = int(bounds[part * span]), int(bounds[(part + 1) * span])
                library.tree_split(address(row), address(columns), count, axes, *ends, deep)

        in_parallel(split, 1 << depth, 1)
    return row
