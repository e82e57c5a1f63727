"""Whether groups of people are protected as well as all: the worst group of the declared columns.

Risk is uneven, and a rate over everybody hides small groups (Kulynych et al., Disparate vulnerability to membership
inference attacks, PoPETs 2022). A group is everybody with one modality of a column, or without a value there. No
modality is named, and groups of fewer than `FEWEST` people are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from avatar_gitops.engine.columns import Codes
from avatar_gitops.engine.frame import Frame, Layout
from avatar_gitops.engine.intervals import Interval, wilson
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.errors import EngineError

FEWEST: Final = 30
HIDDEN: Final = "hidden_rate_worst_group"

Flags = npt.NDArray[np.bool_]


@dataclass(slots=True, frozen=True)
class Grouping:
    """Categorical columns whose modalities are groups: their names and places among the categories."""

    names: tuple[str, ...]
    places: tuple[int, ...]

    def members(self, codes: Codes) -> list[tuple[str, int, int]]:
        """Each group that has any rows: the name and place of its column, and the code of its modality."""
        return [
            (name, place, int(code))
            for name, place in zip(self.names, self.places, strict=True)
            for code in np.unique(codes[:, place])
        ]


EVERYBODY: Final = Grouping((), ())


def find_grouping(layout: Layout, names: Sequence[str]) -> Grouping:
    """The columns of that name; raises EngineError when one is not a modelled category."""
    categories = [column.name for column in layout.categories]
    for name in names:
        if name not in categories:
            raise EngineError(
                f"The privacy metrics compare groups of {name!r}, which is not a modelled categorical column.",
                hint="Name columns of categories that are neither dropped, nor keys, nor empty.",
            )
    return Grouping(tuple(names), tuple(categories.index(name) for name in names))


def z_of_each(groups: int) -> float:
    """How many standard errors wide each of so many intervals is, to hold all of them at 95 % (Bonferroni)."""
    return float(norm.ppf(1 - 0.025 / groups))


def hidden_worst(people: Frame, grouping: Grouping, hidden: Flags, ledger: Ledger) -> None:
    """The least hidden rate of a group, with an interval for as many groups as there are."""
    if not grouping.names:
        return
    found = grouping.members(people.codes)
    groups = [(name, people.codes[:, place] == code) for name, place, code in found]
    judged = [(float(hidden[rows].mean()), int(rows.sum()), name) for name, rows in groups if rows.sum() >= FEWEST]
    if not judged:
        ledger.absent(HIDDEN, f"No group has {FEWEST} people.")
        return
    share, size, name = min(judged)
    low, high = wilson(share * size, size, z_of_each(len(judged)))
    ledger.add(HIDDEN, 100.0 * share, size, (100.0 * low, 100.0 * high))
    ledger.notes[HIDDEN] = said(name, len(judged), len(found))


def said(name: str, judged: int, groups: int) -> str:
    """Which column the worst group is from, and how many groups were compared."""
    left = groups - judged
    few = f" {left} with fewer than {FEWEST} people {'is' if left == 1 else 'are'} left out." if left else ""
    return f"Worst of {judged} groups: one of {name}.{few}"


def widened(value: float, interval: Interval, groups: int) -> Interval:
    """A 95 % interval of one group as one for so many, by the widths of the normal law."""
    factor = z_of_each(groups) / z_of_each(1)
    low, high = interval
    return value - factor * (value - low), value + factor * (high - value)
