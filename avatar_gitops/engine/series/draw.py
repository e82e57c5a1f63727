"""Figures of series: bands of the originals and curves of some avatars, as measured and normalised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.figures.model import Figure, PlotKind, Spec, document, short, side_colour, side_dashes
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.figures import SeriesPlot, series_plots
from avatar_gitops.engine.series.projection import FittedSeries

_FIXED: Final = 0  # which avatars are drawn says nothing about the run's own seed
_TIMES: Final = 200


def draw_series(fitted: FittedSeries, original: Curves, avatars: Curves) -> Iterator[Figure]:
    """One figure of each kind and variable, at most 10 000 points each; no curve of an original is ever drawn."""
    for kind, normalized in ((PlotKind.RAW_SERIES, False), (PlotKind.NORMALIZED_SERIES, True)):
        for plot in series_plots(fitted, original, avatars, normalized=normalized, seed=_FIXED):
            yield Figure(kind, _spec(fitted, plot, normalized=normalized), plot.variable)


def _spec(fitted: FittedSeries, plot: SeriesPlot, *, normalized: bool) -> Spec:
    at = np.unique(np.linspace(0, len(plot.time) - 1, min(len(plot.time), _TIMES)).astype(np.int64))
    most = max(1, 8_000 // len(at))
    curves = [
        {"u": time, "y": value, "curve": number}
        for number, curve in enumerate(plot.avatar_curves[:most])
        for time, value in zip(_times(fitted, plot, at, normalized), short(curve[at]), strict=True)
    ]
    few = bool(np.isnan(plot.mean).all())
    unit = "standard deviations from the mean" if normalized else plot.variable
    x = {"field": "u", "type": "quantitative", "title": _axis(fitted, normalized)}
    if not normalized and _dated(fitted):
        x = {**x, "type": "temporal"}
    line = {"y": {"field": "y", "type": "quantitative", "title": unit, "scale": {"zero": False}}, "x": x}
    layers: list[Spec] = [
        {
            "data": {"values": curves},
            "mark": {"type": "line", "color": "#3bd6b0", "opacity": 0.25, "strokeWidth": 1},
            "encoding": {**line, "detail": {"field": "curve", "type": "nominal"}},
        }
    ]
    if not few:
        layers += [_band(fitted, plot, at, line, ends, normalized=normalized) for ends in ((0, 4), (1, 3))]
    layers.append(
        {
            "data": {"values": _means(fitted, plot, at, normalized=normalized)},
            "mark": {"type": "line", "strokeWidth": 2.5},
            "encoding": {**line, "color": side_colour(), "strokeDash": side_dashes()},
        }
    )
    return document(
        f"Series of {plot.variable}",
        "Too few people for bands."
        if few
        else "Bands: middle 50 % and 80 % of the originals. Thick: means (dashed: originals).",
        "Thin: some avatars.",
        width=480,
        height=280,
        layer=layers,
    )


def _band(
    fitted: FittedSeries,
    plot: SeriesPlot,
    at: npt.NDArray[np.int64],
    line: Spec,
    ends: tuple[int, int],
    *,
    normalized: bool,
) -> Spec:
    low, high = (short(plot.bands[end][at]) for end in ends)
    values = [
        {"u": time, "y": below, "y2": above}
        for time, below, above in zip(_times(fitted, plot, at, normalized), low, high, strict=True)
    ]
    return {
        "data": {"values": values},
        "mark": {"type": "area", "color": "#696969", "opacity": 0.2},
        "encoding": {**line, "y2": {"field": "y2"}},
    }


def _means(fitted: FittedSeries, plot: SeriesPlot, at: npt.NDArray[np.int64], *, normalized: bool) -> list[Spec]:
    return [
        {"u": time, "y": value, "of": side}
        for side, mean in (("avatars", plot.avatar_mean), ("originals", plot.mean))  # the dashed line above the full
        for time, value in zip(_times(fitted, plot, at, normalized), short(mean[at]), strict=True)
        if value is not None
    ]


def _axis(fitted: FittedSeries, normalized: bool) -> str:
    return "share of each series" if normalized else fitted.layout.time.name


def _dated(fitted: FittedSeries) -> bool:
    return str(fitted.layout.time.type).startswith("datetime")


def _times(fitted: FittedSeries, plot: SeriesPlot, at: npt.NDArray[np.int64], normalized: bool) -> list[Any]:
    """Normalised times; or numbers, or milliseconds since 1970 for dates, of the common grid."""
    if normalized:
        return short(plot.time[at])
    time = fitted.layout.time
    if not _dated(fitted):
        return short(plot.time[at] + time.origin)
    ticks = np.rint(plot.time[at]).astype(np.int64) + time.origin
    return [int(value) // 10**6 for value in _nanoseconds(ticks, str(time.output))]


def _nanoseconds(ticks: npt.NDArray[np.int64], kind: str) -> npt.NDArray[np.int64]:
    for name, factor in (("[ns", 1), ("[us", 10**3), ("[ms", 10**6), ("date64", 10**6), ("[s", 10**9)):
        if name in kind:
            return ticks * factor
    return ticks * (86_400 * 10**9)  # days
