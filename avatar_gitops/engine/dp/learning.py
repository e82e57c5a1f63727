"""Bounds and categories that nobody declared, learned with a part of the budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import pyarrow.compute as pc

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.dp.accountant import Accountant, Counts
from avatar_gitops.engine.dp.domains import CategoryDomain, Domain, NumberDomain, Rows, texts
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.errors import EngineError

_MANTISSAS: Final = (1.0, 2.0, 5.0)
_EXPONENTS: Final = range(-6, 19)
_CELLS: Final = 8
_FEW: Final = 64
"""Whole numbers in so narrow a range need no closer look."""
_CANDIDATES: Final = 200
_FALSE_ALARM: Final = 0.01
"""Chance that any empty cell of a noisy histogram looks occupied."""

_NEXT: Final = 2.0
"""Standard deviations of noise above which a cell beside an occupied one is occupied, too."""


def grid(*, whole: bool) -> Floats:
    """Public edges for numbers of any size: 0, plus and minus 1, 2 and 5 times powers of ten, from 1 if `whole`."""
    positive = np.array([m * 10.0**e for e in _EXPONENTS if e >= 0 or not whole for m in _MANTISSAS])
    return np.concatenate([-positive[::-1], [0.0], positive])


def learn(
    accountant: Accountant[Rows], domains: Sequence[Domain], share: float, percentile: float | None
) -> list[Domain]:
    """Domains with all that is unknown learned for at most `share`, the same part for each column that needs it.

    Bounds hold nearly all numbers, or those between a percentile and its complement. Raises EngineError when the
    budget is too small to see anything, and for a column of text in which no value is frequent.
    """
    unknown = [domain for domain in domains if not domain.known]
    part = share / len(unknown) if unknown else 0.0
    lists = sum(isinstance(domain, CategoryDomain) for domain in unknown)
    learned: list[Domain] = []
    for domain in domains:
        if domain.known:
            learned.append(domain)
        elif isinstance(domain, NumberDomain):
            learned.append(_learn_bounds(accountant, domain, part, percentile))
        else:
            learned.append(_learn_categories(accountant, domain, part, lists))
    return learned


def _learn_categories(accountant: Accountant[Rows], domain: CategoryDomain, share: float, lists: int) -> CategoryDomain:
    delta = accountant.learning_delta / lists * (1 - 1e-9)

    def counted(rows: Rows) -> dict[str, int]:
        found = pc.value_counts(texts(rows.categories[domain.name]))
        return dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True))

    found = accountant.keys(f"categories of {domain.name}", counted, share, delta)
    if not found:
        raise EngineError(
            f"No value of column {domain.name!r} is frequent enough to be learned with this budget.",
            hint="Declare its public categories, or drop the column: free text and identifiers cannot be released.",
        )
    return CategoryDomain(domain.name, domain.type, domain.output, domain.complete, tuple(sorted(found)))


def _learn_bounds(
    accountant: Accountant[Rows], domain: NumberDomain, share: float, percentile: float | None
) -> NumberDomain:
    """Approximate bounds by a noisy histogram on a public grid, then a closer look between them.

    Source: approximate bounds of Google's differential privacy library, Wilson et al. (2020). A histogram is used
    because the exponential mechanism is lost at the ends of a grid that reaches far beyond the data.
    """
    whole = domain.column.type is not ColumnType.FLOAT
    first = _occupied(accountant, domain, f"range of {domain.name}", grid(whole=whole), share / 2)
    if first is None:
        raise EngineError(
            f"The budget is too small to learn the bounds of column {domain.name!r}.",
            hint="Declare its public lower and upper bound, drop the column, or raise epsilon.",
        )
    low, high = first
    if percentile:
        candidates = np.linspace(low, high, _CANDIDATES + 1).tolist()
        alphas = (percentile / 100, 1 - percentile / 100)
        low, high = sorted(
            accountant.quantile(f"bounds of {domain.name}", _known(domain.name), (candidates, alpha), share / 4)
            for alpha in alphas
        )
    elif not (whole and high - low <= _FEW):
        low, high = _closer(accountant, domain, first, share / 4)
    if whole and not percentile:
        high = math.ceil(high) - 1.0  # a cell ends before its upper edge
    low, high = (float(f"{edge:.12g}") for edge in (low, high))  # an edge as people write it
    return domain.bounded(low, high if high > low else low + 1.0)


def _closer(
    accountant: Accountant[Rows], domain: NumberDomain, found: tuple[float, float], share: float
) -> tuple[float, float]:
    """Up to two looks at few cells each, the second if the first helped; what is not spent goes to the model."""
    low, high = found
    for _ in range(2):
        cells = np.linspace(low, high, _CELLS + 1)
        nearer = _occupied(accountant, domain, f"bounds of {domain.name}", cells, share) or (low, high)
        helped = nearer[1] - nearer[0] <= (high - low) / 2
        low, high = nearer
        if not helped:
            break
    return low, high


def _occupied(
    accountant: Accountant[Rows], domain: NumberDomain, stage: str, edges: Floats, share: float
) -> tuple[float, float] | None:
    """Ends of the cells whose noisy count hardly any empty cell would reach by chance, and of fuller ones beside."""

    def histogram(rows: Rows) -> Counts:
        values = _known(domain.name)(rows)
        cells = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
        return np.bincount(cells, minlength=len(edges) - 1)

    counts = accountant.counts(stage, histogram, 1, share)
    noise = accountant.deviation(1, share)
    seen = np.flatnonzero(counts > noise * _tail(accountant.pure, len(counts)))
    if len(seen) == 0:
        return None
    first, last = int(seen[0]), int(seen[-1])
    while first > 0 and counts[first - 1] > _NEXT * noise:
        first -= 1
    while last + 1 < len(counts) and counts[last + 1] > _NEXT * noise:
        last += 1
    return float(edges[first]), float(edges[last + 1])


def _tail(pure: bool, cells: int) -> float:
    """Standard deviations that noise exceeds in one of so many cells with the chance of a false alarm."""
    chance = _FALSE_ALARM / cells
    return math.log(0.5 / chance) / math.sqrt(2) if pure else math.sqrt(2 * math.log(0.5 / chance))


def _known(name: str) -> Callable[[Rows], Floats]:
    """The numbers of a column without missing ones."""
    return lambda rows: rows.numbers[name][~np.isnan(rows.numbers[name])]
