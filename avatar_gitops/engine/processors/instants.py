"""Datetimes as seconds since 1970-01-01T00:00 UTC, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.processors.fitted import Source
from avatar_gitops.engine.processors.gauges import Gauge, gauge, is_datetime, put, read_floats, shown


@dataclass(slots=True, frozen=True)
class FittedInstants:
    """Missing stays missing; exact to the microsecond until the year 2242, in steps of the column's own resolution.

    Source: section 1.21 of the method notes.
    """

    gauges: Mapping[str, Gauge]

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {name: name for name in self.gauges}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Seconds in place of datetimes."""
        columns = {}
        for name, fitted in self.gauges.items():
            ticks, missing = fitted.read(table[name])
            columns[name] = shown(np.where(missing, np.nan, ticks / fitted.ticks))
        return put(table, columns)

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Datetimes in place of seconds."""
        columns = {}
        for name, fitted in self.gauges.items():
            seconds = read_floats(avatars[name])
            missing = np.isnan(seconds)
            whole = np.floor(np.where(missing, 0.0, seconds))
            rest = np.rint(np.where(missing, 0.0, seconds - whole) * fitted.ticks)
            ticks = whole.astype(np.int64) * fitted.ticks + rest.astype(np.int64)
            columns[name] = fitted.write(ticks, missing)
        return put(avatars, columns)


def fit_instants(table: pa.Table, free: Collection[str]) -> FittedInstants:
    """Take every datetime column that may be changed and has values."""
    found = {
        name: gauge(name, table[name]) for name in table.column_names if name in free and is_datetime(table[name].type)
    }
    return FittedInstants({name: fitted for name, fitted in found.items() if fitted is not None})
