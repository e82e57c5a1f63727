"""Augmentation: how many avatars each original gets.

Every original gets one avatar (or, when originals are kept, stays itself once), and the rest of the wanted rows is
dealt as evenly as possible: within a class each original gets the whole part of its share, and who gets one more is
drawn without replacement. Totals are therefore exact for a factor, and for classes up to the redrawing of the class
itself: an avatar's class is drawn like any other column.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.columns import CategoryColumn, Codes
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.params import Augmentation, Balancing, ColumnType
from avatar_gitops.errors import EngineError

Rows = npt.NDArray[np.int64]


def plan_origins(layout: Layout, frame: Frame, augmentation: Augmentation, random: np.random.Generator) -> Rows:
    """The original of each avatar: first every row once, in order, then the further ones in ascending order.

    Raises EngineError when the factor is below 1, the target is not a modelled category, or a class is unknown.
    """
    n = frame.rows
    more = np.zeros(n, dtype=np.int64)
    if isinstance(augmentation.strategy, float | int):
        _check_factor(float(augmentation.strategy))
        _deal(more, np.arange(n), round(float(augmentation.strategy) * n) - n, random)
    else:
        column, codes = _target(layout, frame, augmentation.target)
        counts = np.bincount(codes[codes >= 0], minlength=len(column.modalities))
        for code, size in enumerate(_wanted(column, counts, augmentation.strategy)):
            _deal(more, np.flatnonzero(codes == code), int(size) - int(counts[code]), random)
    return np.concatenate([np.arange(n), np.repeat(np.arange(n), more)])


def target_classes(layout: Layout, frame: Frame, augmentation: Augmentation) -> Codes | None:
    """The class of each row in the target of the augmentation, -1 where it is missing; None without such a category."""
    names = [column.name for column in layout.categories]
    return frame.codes[:, names.index(augmentation.target)] if augmentation.target in names else None


def copy_numbers(origins: Rows) -> Rows:
    """Which avatar of its original each avatar is, from 0."""
    order = np.argsort(origins, kind="stable")
    counts = np.bincount(origins)
    numbers = np.empty(len(origins), dtype=np.int64)
    numbers[order] = np.arange(len(origins)) - np.repeat(np.cumsum(counts) - counts, counts)
    return numbers


def _deal(more: Rows, rows: Rows, wanted: int, random: np.random.Generator) -> None:
    """Add that many further avatars, as evenly as possible, to the given rows."""
    if wanted > 0 and len(rows):
        more[rows] += wanted // len(rows)
        more[random.permutation(rows)[: wanted % len(rows)]] += 1


def _wanted(column: CategoryColumn, counts: Rows, strategy: Balancing | Mapping[str, float]) -> Rows:
    """Size of each class afterwards."""
    if isinstance(strategy, Balancing):
        raised = counts < counts.max()
        if strategy is Balancing.MINORITY:
            raised &= counts == counts.min()
        return np.where(raised, counts.max(), counts)
    names = [_spelled(name, column) for name in pa.array(column.modalities).cast(pa.string()).to_pylist()]
    wanted = counts.copy()
    for name, factor in strategy.items():
        _check_factor(factor)
        if _spelled(name, column) not in names:
            raise EngineError(
                f"The augmentation names a class that column {column.name!r} does not have.",
                hint="Name the classes as they are written in the data.",
            )
        code = names.index(_spelled(name, column))
        wanted[code] = round(float(factor) * int(counts[code]))
    return wanted


def _spelled(name: str, column: CategoryColumn) -> str:
    return name.lower() if column.type is ColumnType.BOOL else name


def _check_factor(factor: float) -> None:
    if not (np.isfinite(factor) and factor >= 1):
        raise EngineError(
            "An augmentation factor is below 1, but every original gets at least one avatar.",
            hint="Give factors of at least 1.",
        )


def _target(layout: Layout, frame: Frame, name: str | None) -> tuple[CategoryColumn, Codes]:
    if name is None:
        raise EngineError(
            "The augmentation raises classes but names no target column.",
            hint="Name the column that holds the classes.",
        )
    for index, column in enumerate(layout.categories):
        if column.name == name:
            return column, frame.codes[:, index]
    raise EngineError(
        f"The target {name!r} of the augmentation is not a modelled category.",
        hint="Name a column that is not dropped, excluded, pseudonymized or a key, and declare its type as category.",
    )
