"""Singling out: predicates that isolate one avatar, tried on people who were used and on people who were not.

After Giomi et al., PoPETs 2023(2), section 5.1. A univariate predicate is a value that one avatar alone has, or the
smallest or largest number of a column. A multivariate one joins conditions on `COLUMNS` random columns of a random
avatar: at most, or at least, its number (whichever side of the median it lies on), equal to its category. A predicate
succeeds when exactly one person fulfils it. Both groups are cut to the same size, because a predicate isolates less
easily in a larger one (the package fits a correction instead); guesses are predicates with values at random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.holdout import Placed, Sides, sample
from avatar_gitops.engine.risk import Risk, rate, risk
from avatar_gitops.engine.streams import stream

ATTACKS: Final = 2_000
COLUMNS: Final = 4
FEWEST: Final = 20
_ROW_TESTS: Final = 2e8

Bounds = tuple[int, float, float]
"""A column and the closed range in which its values must lie; missing values lie in no range."""
Predicate = tuple[Bounds, ...]


@dataclass(slots=True, frozen=True)
class Values:
    """Columns as numbers, as they are printed, each with its sorted values and their order."""

    columns: tuple[Floats, ...]
    ordered: tuple[Floats, ...]
    orders: tuple[npt.NDArray[np.int64], ...]

    def count(self, predicate: Predicate) -> int:
        """Rows that fulfil all conditions: those of the rarest condition are tried on the others."""
        ranges = []
        for column, low, high in predicate:
            start = int(np.searchsorted(self.ordered[column], low, side="left"))
            ranges.append((start, int(np.searchsorted(self.ordered[column], high, side="right"))))
        rarest = min(range(len(predicate)), key=lambda at: ranges[at][1] - ranges[at][0])
        rows = self.orders[predicate[rarest][0]][slice(*ranges[rarest])]
        for at, (column, low, high) in enumerate(predicate):
            if at != rarest and len(rows):
                values = self.columns[column][rows]
                rows = rows[(values >= low) & (values <= high)]
        return len(rows)


def single_out(sides: Sides, seed: int, *, multivariate: bool) -> Risk | None:
    """The risk that avatars single people out; None when too few predicates isolate an avatar.

    Up to `ATTACKS` predicates; in long tables fewer conjunctions are tried, so that the time stays bounded.
    """
    random = stream(seed, "", f"singling out {'several' if multivariate else 'one'}")
    size = min(sides.members.rows, sides.others.rows)
    people = [_values(sides, side.take(sample(side.rows, size, random))) for side in (sides.members, sides.others)]
    avatars = _values(sides, sides.avatars)
    kinds = len(sides.space.layout.numbers)
    if multivariate:
        predicates = _conjunctions(avatars, kinds, random)
    else:
        predicates = _extremes_and_uniques(avatars, kinds)
        predicates = [predicates[at] for at in sample(len(predicates), ATTACKS, random)]
    if len(predicates) < FEWEST:
        return None
    guesses = [_guess(predicate, avatars, kinds, random) for predicate in predicates]
    isolated = [
        sum(values.count(predicate) == 1 for predicate in tried)
        for values, tried in ((people[0], predicates), (people[1], predicates), (people[0], guesses))
    ]
    main, control, baseline = (rate(successes, len(predicates)) for successes in isolated)
    return risk(main, control, len(predicates), baseline)


def _values(sides: Sides, rows: Placed) -> Values:
    frame = rows.frame
    numbers = [np.round(frame.numbers[:, i], c.decimals) for i, c in enumerate(sides.space.layout.numbers)]
    codes = [np.where(column < 0, np.nan, column.astype(np.float64)) for column in frame.codes.T]
    columns = tuple(np.ascontiguousarray(column) for column in (*numbers, *codes))
    orders = tuple(np.argsort(column, kind="stable") for column in columns)
    known = [int((~np.isnan(column)).sum()) for column in columns]
    ordered = tuple(column[order][:end] for column, order, end in zip(columns, orders, known, strict=True))
    return Values(columns, ordered, orders)


def _extremes_and_uniques(avatars: Values, kinds: int) -> list[Predicate]:
    found: list[Predicate] = []
    for column, ordered in enumerate(avatars.ordered):
        values, counts = np.unique(ordered, return_counts=True)
        found += [((column, float(value), float(value)),) for value in values[counts == 1]]
        if column < kinds and len(values):
            for at, low, high in ((0, -np.inf, values[0]), (-1, values[-1], np.inf)):
                if counts[at] == 1:
                    found.append(((column, float(low), float(high)),))
    return found


def _conjunctions(avatars: Values, kinds: int, random: np.random.Generator) -> list[Predicate]:
    medians = [np.median(ordered) if len(ordered) else np.nan for ordered in avatars.ordered]
    rows, width = len(avatars.columns[0]), len(avatars.columns)
    found: dict[Predicate, None] = {}
    for _ in range(int(np.clip(_ROW_TESTS / rows, ATTACKS, 5 * ATTACKS))):
        row = int(random.integers(rows))
        chosen = np.sort(random.permutation(width)[:COLUMNS])
        predicate = tuple(
            _condition(int(at), float(avatars.columns[at][row]), at < kinds, float(medians[at]))
            for at in chosen
            if not np.isnan(avatars.columns[at][row])
        )
        if predicate and predicate not in found and avatars.count(predicate) == 1:
            found[predicate] = None
            if len(found) == ATTACKS:
                break
    return list(found)


def _condition(column: int, value: float, is_number: bool, median: float) -> Bounds:
    if not is_number:
        return column, value, value
    return (column, value, np.inf) if value > median else (column, -np.inf, value)


def _guess(predicate: Predicate, avatars: Values, kinds: int, random: np.random.Generator) -> Predicate:
    """Conditions on the same columns with values drawn uniformly from the range of the avatars."""

    def condition(bounds: Bounds) -> Bounds:
        column, low, high = bounds
        ordered = avatars.ordered[column]
        if column >= kinds:
            value = float(random.choice(np.unique(ordered)))
            return column, value, value
        value = float(random.uniform(ordered[0], ordered[-1]))
        if low == high:
            return column, value, value
        return (column, value, np.inf) if high == np.inf else (column, -np.inf, value)

    return tuple(map(condition, predicate))
