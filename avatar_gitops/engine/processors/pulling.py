"""Processors that pull avatars towards the originals: perturbation and expected mean. They cost privacy.

They leave the originals as they are and change avatars only, before anything is measured. Source: section 1.21 of the
method notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow, to_numpy
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.processors.fitted import Ids, Source
from avatar_gitops.engine.processors.gauges import Gauge, gauge, is_datetime, is_number, put
from avatar_gitops.engine.processors.params import ExpectedMean, Perturbation
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

_FEW: Final = 5
_NOTHING: Final[Mapping[str, str]] = {}


@dataclass(slots=True, frozen=True)
class FittedPerturbation:
    """Numbers: original + level * (avatar - original). Categories: the avatar's with the probability `level`.

    Level 1 keeps the avatar, level 0 gives the original back. One random number for each row and column decides at
    every level, so that a lower level only ever takes more rows back.
    """

    params: Perturbation
    gauges: Mapping[str, Gauge | None]

    @property
    def made(self) -> Mapping[str, str]:
        """Nothing is replaced."""
        return _NOTHING

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which columns are pulled, and what follows."""
        return tuple(
            f"Perturbation moves column {name!r} of the avatars towards the originals: privacy is weaker than k says."
            for name, level in self.params.perturbation_level.items()
            if level < 1
        )

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """The table as it is."""
        return table

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The avatars, pulled."""
        changed = {}
        for name, level in self.params.perturbation_level.items():
            if level >= 1:
                continue
            stage = f"perturbation {source.place} of {name}"
            kept = stream(source.seed, source.label, stage).random(avatars.num_rows) < level
            fitted = self.gauges[name]
            if fitted is None:
                changed[name] = _chosen(kept, avatars[name], source.rows[name])
            else:
                changed[name] = _between(fitted, level, kept, (avatars[name], source.rows[name]))
        return put(avatars, changed)


def fit_perturbation(params: Perturbation, table: pa.Table) -> FittedPerturbation:
    """Raises EngineError for a level outside [0, 1]."""
    for name, level in params.perturbation_level.items():
        if not 0 <= level <= 1:
            raise EngineError(
                f"The perturbation level of column {name!r} must be between 0 (the original) and 1 (the avatar)."
            )
    gauges = {
        name: gauge(name, table[name]) if is_number(table[name].type) or is_datetime(table[name].type) else None
        for name in params.perturbation_level
    }
    return FittedPerturbation(params, gauges)


def _chosen(kept: np.ndarray, avatars: pa.ChunkedArray, originals: pa.ChunkedArray) -> pa.Array:
    """Row by row one of two columns, in the type of the avatars."""
    rows = len(kept)
    taken = np.where(kept, np.arange(rows), np.arange(rows) + rows)
    both = pa.chunked_array([*avatars.chunks, *originals.cast(avatars.type).chunks], type=avatars.type)
    if pa.types.is_dictionary(both.type):
        both = both.unify_dictionaries()
    return both.take(to_arrow(taken)).combine_chunks()


def _between(
    fitted: Gauge, level: float, kept: np.ndarray, columns: tuple[pa.ChunkedArray, pa.ChunkedArray]
) -> pa.Array:
    """A number on the way from the original to the avatar; where one of them is missing, one of the two."""
    (there, absent), (here, lacking) = (fitted.read(column) for column in columns)
    way = level * (there - here)
    between = here + (np.rint(way).astype(np.int64) if fitted.whole else way)
    either = absent | lacking
    numbers = np.where(either, np.where(kept, there, here), between)
    return fitted.write(numbers, np.where(either, np.where(kept, absent, lacking), False))


@dataclass(slots=True, frozen=True)
class FittedMean:
    """Avatars of each group shifted so that their mean is that of the originals of the group.

    With `same_std` they are stretched to the standard deviation (n - 1) of the originals too, unless all avatars of the
    group are equal. Groups that the originals do not have stay as they are. Values may leave the originals' range.
    """

    params: ExpectedMean
    gauges: Mapping[str, Gauge | None]
    originals: pa.Table
    few: bool

    @property
    def made(self) -> Mapping[str, str]:
        """Nothing is replaced."""
        return _NOTHING

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which columns are pulled, and what follows."""
        columns = ", ".join(map(repr, self.params.target_variables))
        said = [
            f"Expected mean gives columns {columns} of the avatars the exact means of the originals: privacy is weaker."
        ]
        if self.few:
            said.append(f"Expected mean has groups of fewer than {_FEW} rows: their means tell about single people.")
        return tuple(said)

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """The table as it is."""
        return table

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The avatars, shifted."""
        originals = self.originals
        both = pa.concat_tables(
            [table.select(list(self.params.groupby_variables)) for table in (avatars, originals)],
            promote_options="permissive",
        )
        groups = _groups(both, avatars.num_rows + originals.num_rows)
        own, theirs = groups[: avatars.num_rows], groups[avatars.num_rows :]
        changed = {}
        for name, fitted in self.gauges.items():
            if fitted is not None:
                values, absent = fitted.read(avatars[name])
                moved = _moved(
                    fitted, (values, absent, own), (*fitted.read(originals[name]), theirs), self.params.same_std
                )
                changed[name] = fitted.write(moved, absent)
        return put(avatars, changed)


def fit_mean(params: ExpectedMean, table: pa.Table) -> FittedMean:
    """Raises EngineError for a target that is neither number nor datetime."""
    gauges = {name: gauge(name, table[name]) for name in params.target_variables}
    groups = _groups(table.select(list(params.groupby_variables)), table.num_rows)
    originals = table.select(list(params.modelled))
    return FittedMean(params, gauges, originals, bool(np.bincount(groups).min(initial=table.num_rows) < _FEW))


def _moved(
    fitted: Gauge, own: tuple[Floats, np.ndarray, Ids], theirs: tuple[Floats, np.ndarray, Ids], same_std: bool
) -> Floats:
    """Values of `own` with the mean (and spread) of `theirs`, group by group; each side is values, missing, groups."""
    size = int(max(own[2].max(initial=0), theirs[2].max(initial=0))) + 1
    origin = theirs[0][~theirs[1]][:1].sum()
    mean, spread, count = _moments(own, size, origin)
    wanted, wanted_spread, known = _moments(theirs, size, origin)
    stretch = np.ones(size)
    if same_std:
        stretch = np.divide(wanted_spread, spread, out=stretch, where=(spread > 0) & (known > 1))
    known_groups = (count > 0) & (known > 0)
    distance = (own[0] - origin).astype(np.float64)
    moved = wanted[own[2]] + (distance - mean[own[2]]) * stretch[own[2]]
    settled = np.rint(moved).astype(np.int64) if fitted.whole else moved
    return np.where(known_groups[own[2]], origin + settled, own[0])


def _moments(side: tuple[Floats, np.ndarray, Ids], size: int, origin: float) -> tuple[Floats, Floats, Floats]:
    """Mean and standard deviation (n - 1) of the distance from `origin`, and the number of values, of each group."""
    values, missing, groups = side
    known = ~missing
    distance, of = (values[known] - origin).astype(np.float64), groups[known]
    count = np.bincount(of, minlength=size).astype(np.float64)
    mean = np.bincount(of, weights=distance, minlength=size) / np.maximum(count, 1)
    squares = np.bincount(of, weights=(distance - mean[of]) ** 2, minlength=size)
    return mean, np.sqrt(squares / np.maximum(count - 1, 1)), count


def _groups(table: pa.Table, rows: int) -> Ids:
    """One number for each combination of values; missing values are a group of their own."""
    groups = np.zeros(rows, dtype=np.int64)
    for column in table.columns:
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        codes = plain.combine_chunks().dictionary_encode(null_encoding="encode").indices
        groups = groups * (len(codes) + 1) + to_numpy(codes).astype(np.int64)
        groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    return groups
