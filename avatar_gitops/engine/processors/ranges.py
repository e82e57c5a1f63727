"""Inter-record range differences: intervals of one person as what comes between them and how long they are.

Both processors keep the columns of the start and the end (one holds the difference to the record before, the other the
length) and add the first start of the person. Source: section 1.21 of the method notes.
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
    gauge,
    gauge_together,
    put,
    read_floats,
    read_whole,
    refuse_missing,
)
from avatar_gitops.engine.processors.params import BoundedRangeDifference, RangeDifference
from avatar_gitops.engine.processors.records import Records, sort_records


@dataclass(slots=True, frozen=True)
class FittedRange:
    """range = end - start; difference = start - end of the record before (0 for the first), sorted by start.

    Exact for whole numbers and datetimes, and for decimals up to the ones that the column uses. Lengths (and gaps) that
    were never negative are not negative in avatars either.
    """

    params: RangeDifference
    start: Gauge
    end: Gauge
    first: str
    lengths_positive: bool
    gaps_positive: bool

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        start, end = self.params.target_start_variable, self.params.target_end_variable
        return {start: start, end: end, self.first: start}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """First start, difference and range in place of start and end."""
        start, end = self._read(table)
        records = _sorted(self.params, table, [start], source)
        gaps = start - records.before(start, end)
        return put(
            table,
            {
                self.params.target_start_variable: to_arrow(gaps),
                self.params.target_end_variable: to_arrow(end - start),
                self.first: self.start.write(records.heads_of(start)),
            },
        )

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Start and end from first start, differences and ranges, person by person of the originals."""
        records = _sorted(self.params, source.rows, [self._read(source.rows)[0]], source)
        gaps = _numbers(avatars[self.params.target_start_variable], self.start)
        lengths = _numbers(avatars[self.params.target_end_variable], self.end)
        gaps = np.maximum(gaps, 0) if self.gaps_positive else gaps
        lengths = np.maximum(lengths, 0) if self.lengths_positive else lengths
        starts, ends = np.empty_like(gaps), np.empty_like(gaps)

        def advance(before: Numbers, rows: Ids) -> Numbers:
            starts[rows] = self.start.settle(before + gaps[rows])
            ends[rows] = self.end.settle(starts[rows] + lengths[rows])
            return ends[rows]

        records.run(self.start.read(avatars[self.first])[0], advance)
        columns = {
            self.params.target_start_variable: self.start.write(starts),
            self.params.target_end_variable: self.end.write(ends),
        }
        return put(avatars.drop_columns([self.first]), columns)

    def _read(self, table: pa.Table) -> tuple[Numbers, Numbers]:
        start = self.start.read(table[self.params.target_start_variable])[0]
        return start, self.end.read(table[self.params.target_end_variable])[0]


def fit_range(params: RangeDifference, table: pa.Table) -> FittedRange:
    """Raises EngineError for missing values, or for columns of different kinds."""
    names = (params.target_start_variable, params.target_end_variable)
    start, end = gauge_together(table, names)
    fitted = FittedRange(params, start, end, free_name(table, f"{names[0]}__first"), True, True)
    modelled = fitted.apply(table)
    gaps, lengths = (_numbers(modelled[name], start) for name in names)
    return FittedRange(params, start, end, fitted.first, bool((lengths >= 0).all()), bool((gaps >= 0).all()))


@dataclass(slots=True, frozen=True)
class FittedBoundedRange:
    """Differences and ranges as shares of the way to the bound in their direction; results never leave the bounds.

    The bounds are the smallest and the largest value of both columns.
    """

    params: BoundedRangeDifference
    start: Gauge
    end: Gauge
    first: str
    bounds: Bounds

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        start, end = self.params.target_start_variable, self.params.target_end_variable
        return {start: start, end: end, self.first: start}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """First start and shares in place of start and end."""
        start, end = self._read(table)
        records = self._records(table, source)
        return put(
            table,
            {
                self.params.target_start_variable: to_arrow(self.bounds.shares(records.before(start, end), start)),
                self.params.target_end_variable: to_arrow(self.bounds.shares(start, end)),
                self.first: self.start.write(records.heads_of(start)),
            },
        )

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Start and end, each reached from the number before it, person by person of the originals."""
        steps, lengths = (read_floats(avatars[name]) for name in self.params.modelled)
        starts = np.zeros(avatars.num_rows, dtype=np.int64 if self.start.whole else np.float64)
        ends = np.zeros_like(starts)

        def advance(before: Numbers, rows: Ids) -> Numbers:
            starts[rows] = self.bounds.settle(self.bounds.reach(before, steps[rows]), self.start)
            ends[rows] = self.bounds.settle(self.bounds.reach(starts[rows], lengths[rows]), self.end)
            return ends[rows]

        first = self.bounds.clip(self.start.read(avatars[self.first])[0])
        self._records(source.rows, source).run(first, advance)
        columns = {
            self.params.target_start_variable: self.start.write(starts),
            self.params.target_end_variable: self.end.write(ends),
        }
        return put(avatars.drop_columns([self.first]), columns)

    def _read(self, table: pa.Table) -> tuple[Numbers, Numbers]:
        start = self.start.read(table[self.params.target_start_variable])[0]
        return start, self.end.read(table[self.params.target_end_variable])[0]

    def _records(self, table: pa.Table, source: Source | None) -> Records:
        by = self.params.sort_by_variable
        if by is None:
            return _sorted(self.params, table, [], source)
        rows = table if source is None else source.rows
        refuse_missing(by, rows[by])
        reader = gauge(by, rows[by])
        return _sorted(self.params, table, [] if reader is None else [reader.read(rows[by])[0]], source)


def fit_bounded_range(params: BoundedRangeDifference, table: pa.Table) -> FittedBoundedRange:
    """Raises EngineError for missing values, or for columns of different kinds."""
    names = (params.target_start_variable, params.target_end_variable)
    start, end = gauge_together(table, names)
    values = [fitted.read(table[name])[0] for fitted, name in ((start, names[0]), (end, names[1]))]
    bounds = Bounds.of(np.concatenate(values))
    return FittedBoundedRange(params, start, end, free_name(table, f"{names[0]}__first"), bounds)


def _sorted(
    params: RangeDifference | BoundedRangeDifference, table: pa.Table, keys: list[Numbers], source: Source | None
) -> Records:
    ids = (table if source is None else source.rows)[params.id_variable]
    return sort_records(params.id_variable, ids, keys, None if source is None else source.origins)


def _numbers(values: pa.ChunkedArray, like: Gauge) -> Numbers:
    """Differences as they are modelled: int64 of whole numbers, float64 of others."""
    return read_whole(values) if like.whole else read_floats(values)
