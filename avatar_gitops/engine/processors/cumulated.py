"""Inter-record cumulated differences: the values of one person as the first one and the steps from one to the next.

Both processors keep the column (it holds the steps) and add the first value of the person. Source: section 1.21 of the
method notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.processors.bounds import Bounds
from avatar_gitops.engine.processors.fitted import Ids, Source
from avatar_gitops.engine.processors.gauges import (
    Gauge,
    Numbers,
    free_name,
    gauge_together,
    put,
    read_floats,
    read_whole,
)
from avatar_gitops.engine.processors.params import BoundedCumulatedDifference, CumulatedDifference
from avatar_gitops.engine.processors.records import Records, sort_records


@dataclass(slots=True, frozen=True)
class FittedCumulated:
    """Values sorted within a person, as the smallest one and steps that are never negative.

    Exact for whole numbers and datetimes, and for decimals up to the ones that the column uses.
    """

    params: CumulatedDifference
    values: Gauge
    first: str

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {self.params.target_variable: self.params.target_variable, self.first: self.params.target_variable}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Steps in place of the values, and the first value."""
        values = self.values.read(table[self.params.target_variable])[0]
        records = _sorted(self.params, table, [values], source)
        steps = to_arrow(values - records.before(values, values))
        first = self.values.write(records.heads_of(values))
        return put(table, {self.params.target_variable: steps, self.first: first})

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Values from first values and steps, in the order of the originals of the person."""
        modelled = avatars[self.params.target_variable]
        steps: Numbers = np.maximum(read_whole(modelled) if self.values.whole else read_floats(modelled), 0)
        reached: Numbers = np.empty_like(steps)

        def advance(before: Numbers, rows: Ids) -> Numbers:
            after = self.values.settle(before + steps[rows])
            reached[rows] = after
            return after

        originals = self.values.read(source.rows[self.params.target_variable])[0]
        records = _sorted(self.params, source.rows, [originals], source)
        records.run(self.values.read(avatars[self.first])[0], advance)
        return put(avatars.drop_columns([self.first]), {self.params.target_variable: self.values.write(reached)})


@dataclass(slots=True, frozen=True)
class FittedBoundedCumulated:
    """Steps as shares of the way to the smallest or largest value of the column; results never leave these bounds.

    Records follow each other as the rows of the table do.
    """

    params: BoundedCumulatedDifference
    values: Gauge
    first: str
    bounds: Bounds

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {self.params.target_variable: self.params.target_variable, self.first: self.params.target_variable}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Shares in place of the values, and the first value."""
        values = self.values.read(table[self.params.target_variable])[0]
        records = _sorted(self.params, table, [], source)
        shares = to_arrow(self.bounds.shares(records.before(values, values), values))
        first = self.values.write(records.heads_of(values))
        return put(table, {self.params.target_variable: shares, self.first: first})

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Values, each reached from the one before, in the order of the originals of the person."""
        shares = read_floats(avatars[self.params.target_variable])
        reached = np.zeros(avatars.num_rows, dtype=np.int64 if self.values.whole else np.float64)

        def advance(before: Numbers, rows: Ids) -> Numbers:
            reached[rows] = self.bounds.settle(self.bounds.reach(before, shares[rows]), self.values)
            return reached[rows]

        records = _sorted(self.params, source.rows, [], source)
        records.run(self.bounds.clip(self.values.read(avatars[self.first])[0]), advance)
        values = self.values.write(reached)
        return put(avatars.drop_columns([self.first]), {self.params.target_variable: values})


def fit_cumulated(params: CumulatedDifference, table: pa.Table) -> FittedCumulated:
    """Raises EngineError for missing values, or when the column holds neither numbers nor datetimes."""
    return FittedCumulated(params, _values(params, table), free_name(table, f"{params.target_variable}__first"))


def fit_bounded_cumulated(params: BoundedCumulatedDifference, table: pa.Table) -> FittedBoundedCumulated:
    """Raises EngineError for missing values, or when the column holds neither numbers nor datetimes."""
    values = _values(params, table)
    bounds = Bounds.of(values.read(table[params.target_variable])[0])
    return FittedBoundedCumulated(params, values, free_name(table, f"{params.target_variable}__first"), bounds)


def _sorted(
    params: CumulatedDifference | BoundedCumulatedDifference,
    table: pa.Table,
    keys: list[Numbers],
    source: Source | None,
) -> Records:
    ids = (table if source is None else source.rows)[params.id_variable]
    return sort_records(params.id_variable, ids, keys, None if source is None else source.origins)


def _values(params: CumulatedDifference | BoundedCumulatedDifference, table: pa.Table) -> Gauge:
    (values,) = gauge_together(table, (params.target_variable,))
    return values
