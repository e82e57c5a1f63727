"""Relative difference: a column as its distance from the sum of others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import null_mask, to_arrow
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.processors.fitted import Source
from avatar_gitops.engine.processors.gauges import (
    Gauge,
    Numbers,
    common_type,
    gauge,
    is_datetime,
    put,
    read_floats,
    read_whole,
    refuse_missing,
    shown,
)
from avatar_gitops.engine.processors.params import RelativeDifference
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class FittedRelative:
    """target' = (target - sum of the references) / unit, and back with the references of the avatar.

    A missing target stays missing. In a chain each target is told relative to what the columns hold at its turn, and
    the chain is undone in reverse order. Exact for whole numbers, datetimes to the microsecond, and the decimals that
    the column uses. Source: section 1.21 of the method notes.
    """

    params: RelativeDifference
    target: Gauge | None
    references: tuple[Gauge, ...]

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {} if self.target is None else {self.params.target: self.params.target}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """The difference in place of the target: whole numbers without a unit, else floats."""
        if self.target is None:
            return table
        numbers, missing = self.target.read(table[self.params.target])
        change = numbers - self._sum(table)
        if self._keeps_whole:
            return put(table, {self.params.target: to_arrow(change, missing)})
        told = change / self._unit
        return put(table, {self.params.target: shown(np.where(missing, np.nan, told))})

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The target from the difference and the references of the same avatar."""
        if self.target is None:
            return avatars
        values = avatars[self.params.target].combine_chunks()
        missing = null_mask(values)
        change: Numbers = read_whole(values) if self._keeps_whole else read_floats(values)
        if not self._keeps_whole:
            scaled: Floats = np.where(missing, 0.0, change) * self._unit
            change = np.rint(scaled).astype(np.int64) if self.target.whole else scaled
        return put(avatars, {self.params.target: self.target.write(change + self._sum(avatars), missing)})

    @property
    def _unit(self) -> float:
        unit = self.params.scaling_unit or 1.0
        return unit * self.target.ticks if self.target is not None and self.target.temporal else unit

    @property
    def _keeps_whole(self) -> bool:
        target = self.target
        return target is not None and target.whole and not target.temporal and self.params.scaling_unit in (None, 1)

    def _sum(self, table: pa.Table) -> Numbers:
        named = zip(self.params.references, self.references, strict=True)
        terms = [fitted.read(table[name])[0] for name, fitted in named]
        total: Numbers = np.sum(terms, axis=0)
        return total


def fit_relative(params: RelativeDifference, table: pa.Table) -> FittedRelative:
    """Raises EngineError for missing references, a unit that is not positive, or columns of different kinds."""
    if params.scaling_unit is not None and not (params.scaling_unit > 0 and np.isfinite(params.scaling_unit)):
        raise EngineError(f"The scaling_unit of column {params.target!r} must be a positive number.")
    for name in params.references:
        refuse_missing(name, table[name])
    if is_datetime(table[params.target].type) and len(params.references) > 1:
        raise EngineError(
            f"The datetime column {params.target!r} is told relative to several columns, but dates have no sum.",
            hint="Name one datetime column as the reference.",
        )
    names = (params.target, *params.references)
    if gauge(params.target, table[params.target]) is None:
        return FittedRelative(params, None, ())
    working = common_type(table, names)
    target, *references = (gauge(name, table[name], working) for name in names)
    return FittedRelative(params, target, tuple(fitted for fitted in references if fitted is not None))
