"""Geolocation normalisation: longitudes as positions among the places of their latitude where anything is.

Avatars then fall where originals are found: lakes and the land beyond a border stay empty. Source: section 1.21 of the
method notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.processors.fitted import Ids, Source
from avatar_gitops.engine.processors.gauges import Gauge, gauge, put, read_floats, refuse_missing
from avatar_gitops.engine.processors.params import GeolocationNormalization
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class FittedGeolocation:
    """Bands of latitude, each with the longitude bins that are not empty, in order.

    `bands` are the latitudes of the bands that have points; `edges[b]` is an array (bins, 2) of the west and east ends
    of the bins of band b, which cover equal slices of [0, 1].
    """

    params: GeolocationNormalization
    latitude: Gauge
    longitude: Gauge
    bands: Floats
    edges: tuple[Floats, ...]

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {self.params.longitude_variable: self.params.longitude_variable}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Positions in [0, 1] in place of the longitudes."""
        longitudes = self.longitude.read(table[self.params.longitude_variable])[0].astype(np.float64)
        positions = np.zeros(len(longitudes))
        for band, rows in self._rows(table):
            edges = self.edges[band]
            found = np.clip(np.searchsorted(edges[:, 0], longitudes[rows], side="right") - 1, 0, len(edges) - 1)
            west, east = edges[found, 0], edges[found, 1]
            inside = np.clip(_divide(longitudes[rows] - west, east - west), 0.0, 1.0)
            positions[rows] = (found + inside) / len(edges)
        return put(table, {self.params.longitude_variable: to_arrow(positions)})

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """Longitudes from the positions, in the band of the avatar's own latitude."""
        positions = read_floats(avatars[self.params.longitude_variable])
        longitudes = np.zeros(len(positions))
        for band, rows in self._rows(avatars):
            edges = self.edges[band]
            scaled = np.clip(positions[rows], 0.0, 1.0) * len(edges)
            found = np.minimum(np.floor(scaled + 1e-12), len(edges) - 1).astype(np.int64)
            west, east = edges[found, 0], edges[found, 1]
            longitudes[rows] = west + np.clip(scaled - found, 0.0, 1.0) * (east - west)
        return put(avatars, {self.params.longitude_variable: self.longitude.write(longitudes)})

    def _rows(self, table: pa.Table) -> list[tuple[int, Ids]]:
        """The rows of each band, that is whose latitude is nearest to it."""
        latitudes = self.latitude.read(table[self.params.latitude_variable])[0].astype(np.float64)
        return _rows_by_band(latitudes, self.bands)


def fit_geolocation(params: GeolocationNormalization, table: pa.Table) -> FittedGeolocation:
    """Raises EngineError for missing coordinates, or columns that are no numbers."""
    names = (params.latitude_variable, params.longitude_variable)
    if params.n_reference_lat < 2 or params.n_bins < 1:
        raise EngineError("Geolocation normalisation needs at least 2 reference latitudes and 1 bin.")
    gauges = []
    for name in names:
        refuse_missing(name, table[name])
        fitted = gauge(name, table[name])
        if fitted is None or fitted.temporal:
            raise EngineError(f"Column {name!r} holds no coordinates.", hint="Name a numeric column.")
        gauges.append(fitted)
    latitudes, longitudes = (
        fitted.read(table[name])[0].astype(np.float64) for name, fitted in zip(names, gauges, strict=True)
    )
    lines = np.linspace(latitudes.min(), latitudes.max(), params.n_reference_lat)
    used = np.unique(_nearest(latitudes, lines))
    bands = np.unique(lines[used])
    edges = [_bins(longitudes[rows], params.n_bins) for _, rows in _rows_by_band(latitudes, bands)]
    return FittedGeolocation(params, gauges[0], gauges[1], bands, tuple(edges))


def _nearest(latitudes: Floats, lines: Floats) -> Ids:
    """The nearest of ascending lines, the southern one where two are as near."""
    return np.searchsorted((lines[1:] + lines[:-1]) / 2, latitudes, side="left").astype(np.int64)


def _rows_by_band(latitudes: Floats, bands: Floats) -> list[tuple[int, Ids]]:
    nearest = _nearest(latitudes, bands)
    order = np.argsort(nearest, kind="stable")
    cuts = np.searchsorted(nearest[order], np.arange(len(bands) + 1))
    return [(band, order[cuts[band] : cuts[band + 1]]) for band in range(len(bands))]


def _bins(longitudes: Floats, bins: int) -> Floats:
    """West and east ends of the bins that hold a point, of `bins` equal ones between the outermost points."""
    ends = np.linspace(longitudes.min(), longitudes.max(), bins + 1)
    if ends[0] == ends[-1]:
        return np.array([[ends[0], ends[0]]])
    found = np.clip(np.searchsorted(ends, longitudes, side="right") - 1, 0, bins - 1)
    used = np.unique(found)
    return np.column_stack([ends[used], ends[used + 1]])


def _divide(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros(len(above)), where=below != 0)
