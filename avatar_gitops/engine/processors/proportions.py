"""Columns as shares of a whole, and back so that the parts add up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.processors.fitted import Source
from avatar_gitops.engine.processors.gauges import Gauge, gauge, put, read_floats, refuse_missing, shown
from avatar_gitops.engine.processors.params import Proportions
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class FittedProportions:
    """Shares of the sum of the parts (`sum_to_one`) or of the reference; what was zero stays zero.

    With `sum_to_one` the parts of an avatar are rounded by largest remainders, so that they add up to its reference
    exactly, at `decimal_count` decimals (none for whole numbers). A missing part stays missing; the other parts of its
    row share the reference. Source: section 1.21 of the method notes.
    """

    params: Proportions
    parts: tuple[Gauge | None, ...]
    reference: Gauge

    @property
    def warnings(self) -> tuple[str, ...]:
        """Things to know."""
        return ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        named = zip(self.params.variable_names, self.parts, strict=True)
        return {name: name for name, fitted in named if fitted is not None}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Shares in place of the parts."""
        parts = self._read(table)
        whole = np.nansum(parts, axis=1) if self.params.sum_to_one else self._reference(table)
        divisor = np.where(whole == 0, 1.0, whole)
        shares = np.where(parts == 0, 0.0, parts / divisor[:, None])
        return put(table, {name: shown(shares[:, i]) for i, name in self._columns()})

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Parts of the avatar's own reference."""
        columns = {}
        shares = np.full((avatars.num_rows, len(self.parts)), np.nan)
        for i, name in self._columns():
            shares[:, i] = read_floats(avatars[name])
        reference = self._reference(avatars)
        if self.params.sum_to_one:
            parts = self._shared_out(np.maximum(shares, 0.0), reference)
        else:
            parts = shares * reference[:, None]
        for i, name in self._columns():
            columns[name] = self._write(i, parts[:, i])
        return put(avatars, columns)

    def _write(self, i: int, numbers: Floats) -> pa.Array:
        """A part in its own type; shared parts are rounded already."""
        part = self.parts[i]
        assert part is not None, "only columns with values are written"
        missing = np.isnan(numbers)
        if part.whole:
            return part.write(np.rint(np.where(missing, 0.0, numbers)).astype(np.int64), missing)
        if self.params.sum_to_one:
            return shown(numbers).cast(part.output, safe=False)
        return part.write(numbers, missing)

    def _shared_out(self, shares: Floats, reference: Floats) -> Floats:
        """Largest remainders: whole units go to the parts by their shares, those left over to the largest rests."""
        decimals = 0 if any(part is not None and part.whole for part in self.parts) else self.params.decimal_count
        unit = 10.0**decimals
        total = np.nansum(shares, axis=1, keepdims=True)
        even = np.where(total > 0, np.nan_to_num(shares) / np.where(total > 0, total, 1.0), 0.0)
        units = np.rint(np.abs(reference) * unit)[:, None]
        exact = even * units
        given = np.floor(exact + 1e-9)
        rests = np.where(even > 0, exact - given, -np.inf)
        left = np.where(total > 0, units - given.sum(axis=1, keepdims=True), 0.0)
        ranks = np.argsort(np.argsort(-rests, axis=1, kind="stable"), axis=1, kind="stable")
        given += ranks < left
        return np.where(np.isnan(shares), np.nan, given / unit * np.where(reference < 0, -1.0, 1.0)[:, None])

    def _columns(self) -> list[tuple[int, str]]:
        named = zip(self.params.variable_names, self.parts, strict=True)
        return [(i, name) for i, (name, fitted) in enumerate(named) if fitted is not None]

    def _read(self, table: pa.Table) -> Floats:
        parts = np.full((table.num_rows, len(self.parts)), np.nan)
        for i, name in self._columns():
            fitted = self.parts[i]
            assert fitted is not None, "columns have gauges"
            numbers, missing = fitted.read(table[name])
            parts[:, i] = np.where(missing, np.nan, numbers)
        return parts

    def _reference(self, table: pa.Table) -> Floats:
        return self.reference.read(table[self.params.reference])[0].astype(np.float64)


def fit_proportions(params: Proportions, table: pa.Table) -> FittedProportions:
    """Raises EngineError for a missing reference, datetimes, or (with `sum_to_one`) negative parts."""
    named = (*params.variable_names, params.reference)
    refuse_missing(params.reference, table[params.reference])
    reference = gauge(params.reference, table[params.reference])
    parts = tuple(gauge(name, table[name]) for name in params.variable_names)
    for name, fitted in zip(named, (*parts, reference), strict=True):
        if fitted is not None and fitted.temporal:
            raise EngineError(
                f"Column {name!r} holds datetimes, which have no proportions.", hint="Name numeric columns."
            )
        if fitted is not None and params.sum_to_one and fitted.read(table[name])[0].min(initial=0) < 0:
            raise EngineError(
                f"Column {name!r} has negative numbers, which are no parts of a whole.",
                hint="Set sum_to_one to false, or leave the column out of the proportions.",
            )
    if reference is None:
        raise EngineError("The table has no rows.")
    return FittedProportions(params, parts, reference)
