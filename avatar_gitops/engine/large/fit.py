"""A space fitted on rows that are never all in memory: what `engine.space.fit_space` fits, in passes over the rows.

Exact are shares of modalities, means, deviations and cross-products (summed piece by piece), the least and the largest
number. What needs the order of a column (medians, modes and power scales) looks at one column of all rows at a time,
which takes `COLUMN_BYTES` a row. The donors of `fast_knn` are random rows, as in memory. Nothing is a sample that is
none in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import MISSING, Codes, Floats
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.imputation import (
    Imputer,
    Wanted,
    fill,
    most_frequent_number,
    wanted_imputation,
)
from avatar_gitops.engine.large.scratch import Lines, Shelf, frame_kind, frame_of, lines_of
from avatar_gitops.engine.params import ImputationMethod, Limits, Space
from avatar_gitops.engine.projection import (
    DENSE_DIMENSIONS,
    Projection,
    cross_product,
    moments,
    solve,
    standardise,
)
from avatar_gitops.engine.reduction import Pairs, Reduction, count_pairs, reduce_counts, starts_of
from avatar_gitops.engine.space import DEFAULT_NCP, FittedSpace, variables, weights_of
from avatar_gitops.engine.transforms import Transforms, fit_scale
from avatar_gitops.errors import EngineError

COLUMN_BYTES: Final = 48  # a column of all rows, sorted, with what a power scale is learnt from
FLAGS: Final = "flags"  # missing indicators of completed rows
_PENDING: Final = 64  # pieces whose pairs of tokens are merged together


@dataclass(slots=True, frozen=True)
class Counted:
    """What one pass over the encoded rows counts: missing values and rows of each modality, in layout order."""

    rows: int
    missing: np.ndarray
    held: tuple[np.ndarray, ...]


def count_values(shelves: Sequence[Shelf], layout: Layout) -> Counted:
    """Missing values of each column, and rows of each modality."""
    missing = np.zeros(len(layout.names), dtype=np.int64)
    held = [np.zeros(size, dtype=np.int64) for size in layout.sizes]
    rows = 0
    for frame in _frames(shelves):
        rows += frame.rows
        missing += frame.missing.sum(axis=0)
        _count(held, frame.codes)
    return Counted(rows, missing, tuple(held))


def fit_shelves(
    layout: Layout, shelves: Sequence[Shelf], counted: Counted, donors: Frame, options: Space, limits: Limits
) -> tuple[FittedSpace, list[Shelf], tuple[int, ...]]:
    """The space of all rows, the rows completed (`FLAGS` are their missing indicators), rows of the rarest modalities.

    `donors` are the rows that nearest values are taken from. The space itself holds no rows. Raises EngineError when
    something is asked for that needs all rows at once.
    """
    weights = weights_of(layout, options.column_weights)
    wanted = wanted_imputation(options.imputation)
    indicators = np.flatnonzero(counted.missing)
    _check_order(layout, options, wanted, counted, limits)
    transforms = _fit_transforms(layout, shelves) if options.transform_skewed else Transforms()
    imputer = _fit_imputer(layout, shelves, counted, transforms, (wanted, transforms.apply(donors)))
    completed = _complete(layout, shelves, transforms, imputer, indicators)
    m = len(layout.numbers)
    held = count_values(completed, layout).held
    reduction = None
    if options.use_categorical_reduction and layout.sizes:
        reduction = reduce_counts(_pairs(completed, layout), counted.rows, layout.sizes, weights[m:])
    own = weights if reduction is None else np.concatenate([weights[:m], np.ones(reduction.dimensions)])
    levels = (*(layout.sizes if reduction is None else ()), *[2] * len(indicators))
    ncp = options.ncp or DEFAULT_NCP
    projection = _fit_projection(
        lambda: _variables(completed, reduction), levels, np.concatenate([own, weights[indicators]]), ncp
    )
    none = Frame(np.empty((0, m)), np.empty((0, len(layout.sizes)), dtype=np.int32))
    points = np.empty((0, projection.ncp))
    space = FittedSpace(layout, imputer, indicators, projection, weights, ncp, none, points, transforms, reduction)
    return space, completed, tuple(int(counts.min()) for counts in held)


def _frames(shelves: Sequence[Shelf]) -> Iterator[Frame]:
    for shelf in shelves:
        yield from map(frame_of, shelf.pieces())


def _variables(shelves: Sequence[Shelf], reduction: Reduction | None) -> Iterator[tuple[Floats, Codes]]:
    for shelf in shelves:
        for lines in shelf.pieces():
            yield variables(reduction, frame_of(lines), lines[FLAGS].astype(np.int32))


def _count(held: list[np.ndarray], codes: Codes) -> None:
    """Add the rows of each modality."""
    for at, column in enumerate(codes.T):
        held[at] += np.bincount(column[column != MISSING], minlength=len(held[at]))


def _check_order(layout: Layout, options: Space, wanted: Wanted, counted: Counted, limits: Limits) -> None:
    incomplete = counted.missing.any()
    if wanted.method is ImputationMethod.KNN and incomplete:
        raise EngineError(
            "The imputation knn compares rows with all others, and the table does not fit into the memory of a run.",
            hint="Take fast_knn, mean, median or mode.",
        )
    ordered = wanted.method in (ImputationMethod.MEDIAN, ImputationMethod.MODE) and incomplete
    if limits.memory is None or not layout.numbers or not (ordered or options.transform_skewed):
        return
    if COLUMN_BYTES * counted.rows > limits.memory:
        raise EngineError(
            "The imputations median and mode, and transform_skewed, need a column of all rows in memory, for which the"
            f" table has too many rows ({limits.memory >> 20} MiB are allowed).",
            hint="Take mean or fast_knn and leave transform_skewed out, give fewer rows, or allow more memory.",
        )


def _fit_transforms(layout: Layout, shelves: Sequence[Shelf]) -> Transforms:
    scales = (fit_scale(at, column, _sorted_column(shelves, at)) for at, column in enumerate(layout.numbers))
    return Transforms(tuple(scale for scale in scales if scale is not None))


def _sorted_column(shelves: Sequence[Shelf], at: int) -> Floats:
    """The known codes of a column of all rows, in ascending order."""
    column = np.concatenate([lines["numbers"][:, at] for shelf in shelves for lines in shelf.pieces()])
    column.sort()
    return column[: len(column) - int(np.isnan(column).sum())]


def _fit_imputer(
    layout: Layout, shelves: Sequence[Shelf], counted: Counted, transforms: Transforms, chosen: tuple[Wanted, Frame]
) -> Imputer:
    wanted, donors = chosen
    m = len(layout.numbers)
    known = counted.rows - counted.missing[:m]

    def scaled() -> Iterator[Floats]:
        return (transforms.apply(frame).numbers for frame in _frames(shelves))

    incomplete = bool(counted.missing.any())  # else there is nothing to fill, and no pass over the rows is needed
    mean = sum((np.nansum(part, axis=0) for part in scaled()), np.zeros(m)) / known if incomplete else np.zeros(m)
    nearest = wanted.nearest and incomplete
    constants, deviation = mean, np.ones(m)
    if nearest and m:
        deviation = np.sqrt(sum((np.nansum((part - mean) ** 2, axis=0) for part in scaled()), np.zeros(m)) / known)
    if wanted.method in (ImputationMethod.MEDIAN, ImputationMethod.MODE) and incomplete:
        columns = (transforms.apply_to(at, _sorted_column(shelves, at)) for at in range(m))
        reduce: Callable[[Floats], float] = (
            most_frequent_number if wanted.method is ImputationMethod.MODE else _median_of_sorted
        )
        constants = np.array([reduce(column) for column in columns])
    modes = np.array([counts.argmax() for counts in counted.held], dtype=np.int32)
    centre = mean if nearest else np.zeros(m)
    scale = np.where(deviation > 0, deviation, 1.0)
    return Imputer(constants, modes, wanted.k, centre, scale, layout.sizes, donors if nearest else None)


def _median_of_sorted(values: Floats) -> float:
    return float(values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2


def _complete(
    layout: Layout, shelves: Sequence[Shelf], transforms: Transforms, imputer: Imputer, indicators: np.ndarray
) -> list[Shelf]:
    """The same rows on their power scales and without missing values; the rows as they were are deleted."""
    kind = frame_kind(layout, **{FLAGS: ("i1", len(indicators))})
    completed = []
    for shelf in shelves:
        completed.append(Shelf(shelf.path.with_suffix(".completed"), kind))
        for lines in shelf.pieces():
            frame = frame_of(lines)
            filled = fill(imputer, transforms.apply(frame))
            completed[-1].append(lines_of(kind, filled, **{FLAGS: frame.missing[:, indicators]}))
        shelf.remove()
    return completed


def _pairs(shelves: Sequence[Shelf], layout: Layout) -> Pairs:
    """How often tokens stand together, over all rows."""
    starts = starts_of(layout.sizes)
    pending: list[Pairs] = []
    for frame in _frames(shelves):
        pending.append(count_pairs(frame.codes, starts))
        if len(pending) >= _PENDING:
            pending = [_merged(pending, int(starts[-1]))]
    return _merged(pending, int(starts[-1]))


def _merged(parts: Sequence[Pairs], width: int) -> Pairs:
    first, second, together = (np.concatenate(side) for side in zip(*parts, strict=True))
    keys, place = np.unique(first * width + second, return_inverse=True)
    counts = np.zeros(len(keys), dtype=np.int64)
    np.add.at(counts, place, together)
    return keys // width, keys % width, counts


def _fit_projection(
    rows: Callable[[], Iterator[tuple[Floats, Codes]]], sizes: tuple[int, ...], weights: Floats, ncp: int
) -> Projection:
    """Axes from two passes over the rows: means and shares first, then the cross-product."""
    wide = len(weights) - len(sizes) + sum(sizes)
    if wide > DENSE_DIMENSIONS:
        raise EngineError(
            f"The table has {wide} dimensions, more than the {DENSE_DIMENSIONS:,} that can be compared without holding"
            " all its rows, which do not fit into the memory of a run.",
            hint="Set use_categorical_reduction, group rare modalities, drop columns, or allow more memory.",
        )
    m = len(weights) - len(sizes)
    n, total = 0, np.zeros(m)
    counts = [np.zeros(size, dtype=np.int64) for size in sizes]
    for numbers, codes in rows():
        n += len(numbers)
        total += numbers.sum(axis=0)
        _count(counts, codes)
    mean = total / n
    crossed, met = np.zeros((m, m)), np.zeros((sum(sizes), sum(sizes)), dtype=np.int64)
    sums = np.zeros((sum(sizes), m))
    for numbers, codes in rows():
        centred = numbers - mean
        crossed += centred.T @ centred
        more_met, more_sums = moments(centred, codes, sizes)
        met += more_met
        sums += more_sums
    standard = standardise(mean, np.sqrt(np.diag(crossed) / n), counts, weights)
    crossed *= np.outer(standard.scale, standard.scale) / n
    inertia = float(np.trace(crossed)) + standard.inertia_of_categories
    return solve(standard, inertia, cross_product(standard, crossed, met, sums * standard.scale), ncp)


def completed_rows(lines: Lines) -> tuple[Frame, Codes]:
    """Completed rows and their missing indicators."""
    return frame_of(lines), np.asfortranarray(lines[FLAGS], dtype=np.int32)
