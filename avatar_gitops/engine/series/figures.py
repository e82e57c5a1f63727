"""What figures of series may show: bands and means of the originals, curves of some avatars, no original curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.series.alignment import align, grid
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.projection import FittedSeries
from avatar_gitops.engine.streams import stream

QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
MOST_POINTS: Final = 10_000
_MOST_CURVES: Final = 50
_FEWEST: Final = 10


@dataclass(slots=True, frozen=True)
class SeriesPlot:
    """One variable, for the kinds `raw_series` and `normalized_series`.

    `time` (points) is the common grid: in units of the time column, counted from `FittedSeries.layout.time.origin`, for
    raw series; from 0 to 1 for normalised ones. `mean` (points) and `bands` (quantiles, points) are those of the
    originals in units of the variable, or of their standard deviation around their mean for normalised ones; NaN where
    fewer than 10 people have a value, so that no band is the curve of one person. `avatar_mean` (points) and
    `avatar_curves` (curves, points) are of avatars, at most 50 of them and 10 000 points, drawn by the seed.
    """

    variable: str
    time: Floats
    mean: Floats
    bands: Floats
    avatar_mean: Floats
    avatar_curves: Floats


def series_plots(
    fitted: FittedSeries, original: Curves, avatars: Curves, *, normalized: bool, seed: int
) -> tuple[SeriesPlot, ...]:
    """The curves of each variable on the common grid; `original` and `avatars` need not be row-aligned."""
    points = fitted.points
    time = grid(points)
    if not normalized:
        time = fitted.fixed["start"] + time * fitted.fixed["duration"]
    sides = align(original, points), align(avatars, points)
    plots = []
    for i, name in enumerate(fitted.layout.names):
        before, after = (side[:, i][~np.isnan(side[:, i]).any(axis=1)] for side in sides)
        if normalized:
            centre, spread = float(before.mean()), float(before.std()) or 1.0
            before, after = (before - centre) / spread, (after - centre) / spread
        hidden = len(before) < _FEWEST
        none = np.full(points, np.nan)
        plots.append(
            SeriesPlot(
                name,
                time,
                none if hidden else before.mean(axis=0),
                np.tile(none, (len(QUANTILES), 1)) if hidden else _quantiles(before),
                after.mean(axis=0) if len(after) else none,
                _sample(after, stream(seed, fitted.table, f"curves of {name}")),
            )
        )
    return tuple(plots)


def _quantiles(curves: Floats) -> Floats:
    """Quantiles at each point, between neighbours of a quantile, so that none is the value of one person."""
    size = len(curves)
    ordered = np.sort(curves, axis=0)
    bands = []
    for quantile in QUANTILES:
        middle = int(quantile * (size - 1))
        low, high = max(0, middle - 2), min(size, middle + 3)
        bands.append(ordered[low:high].mean(axis=0))
    return np.array(bands)


def _sample(curves: Floats, random: np.random.Generator) -> Floats:
    most = min(_MOST_CURVES, len(curves), max(1, MOST_POINTS // max(1, curves.shape[1])))
    chosen: npt.NDArray[np.int64] = np.sort(random.choice(len(curves), most, replace=False)) if most else np.arange(0)
    return np.asarray(curves[chosen])
