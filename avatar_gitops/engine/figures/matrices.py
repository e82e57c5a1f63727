"""Figures of columns together: correlations and their difference, contributions to axes, means and deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.correlations import correlations, moments
from avatar_gitops.engine.figures.model import FEWEST, SIDES, Figure, PlotKind, Spec, document, short, text_table

_COLUMNS: Final = 30
_STATS: Final = 10
_SHOWN_CONTRIBUTION: Final = 5.0
_CELL: Final = 18


def correlation_figures(names: Sequence[str], originals: Floats, avatars: Floats) -> list[Figure]:
    """Pearson correlations of both sides (rows x columns) and their difference; none when fewer than two vary."""
    if len(names) < 2 or len(originals) < FEWEST:
        return []
    names, originals, avatars = names[:_COLUMNS], originals[:, :_COLUMNS], avatars[:, :_COLUMNS]
    both = [_correlations(side) for side in (originals, avatars)]
    if not np.isfinite(both[0][~np.eye(len(names), dtype=bool)]).any():
        return []
    panels = [_heat(side, names, matrix, "correlation") for side, matrix in zip(SIDES, both, strict=True)]
    difference = _heat("avatars minus originals", names, both[1] - both[0], "difference")
    return [
        Figure(PlotKind.CORRELATION, document("Correlations (Pearson)", hconcat=panels)),
        Figure(
            PlotKind.CORRELATION_DIFFERENCE,
            document("Difference of correlations (Pearson)", **{k: v for k, v in difference.items() if k != "title"}),
        ),
    ]


def contribution_figure(contributions: Mapping[str, Sequence[float]]) -> Figure | None:
    """Share of each column in the inertia of axes 1 and 2, in percent; columns above 5 % on either, at least three."""
    if not contributions:
        return None
    ordered = sorted(contributions, key=lambda name: (-max(contributions[name][:2]), name))
    chosen = [n for at, n in enumerate(ordered) if at < 3 or max(contributions[n][:2]) > _SHOWN_CONTRIBUTION]
    values = [
        {"column": name, "axis": f"axis {axis + 1}", "share": round(share, 2)}
        for name in chosen[:_COLUMNS]
        for axis, share in enumerate(contributions[name][:2])
    ]
    spec = document(
        "Contribution of columns to axes 1 and 2",
        f"Columns with more than {_SHOWN_CONTRIBUTION:g} % of the inertia of an axis.",
        width=420,
        height={"step": 26},
        data={"values": values},
        mark="bar",
        encoding={
            "y": {"field": "column", "type": "nominal", "sort": chosen, "title": None},
            "yOffset": {"field": "axis"},
            "x": {"field": "share", "type": "quantitative", "title": "% of the axis"},
            "color": {"field": "axis", "type": "nominal", "title": None},
        },
    )
    return Figure(PlotKind.CONTRIBUTION, spec)


def aggregate_figure(names: Sequence[str], originals: Floats, avatars: Floats) -> Figure | None:
    """Mean and standard deviation of the first ten numeric columns (rows x columns on each side)."""
    rows = []
    for at, name in enumerate(names[:_STATS]):
        sides = [side[:, at][~np.isnan(side[:, at])] for side in (originals, avatars)]
        if len(sides[0]) >= FEWEST and len(sides[1]):
            figures = [value for side in sides for value in (float(side.mean()), float(side.std()))]
            rows.append([name, *(f"{value:.5g}" for value in figures)])
    if not rows:
        return None
    titles = ["column", *(f"{what}, {side}" for side in SIDES for what in ("mean", "deviation"))]
    return Figure(PlotKind.AGGREGATE_STATS, document("Mean and standard deviation", **text_table(titles, rows)))


def metrics_figure(values: Mapping[str, float], targets: Mapping[str, str]) -> Figure:
    """Privacy metrics with their targets, as a table of words."""
    rows = [[name, f"{value:.4g}", targets.get(name, "")] for name, value in values.items()]
    spec = document("Privacy metrics", **text_table(["metric", "value", "target"], rows))
    return Figure(PlotKind.METRICS_SUMMARY, spec)


def _correlations(numbers: Floats) -> Floats:
    sums, flat = moments(numbers, np.zeros(len(numbers), dtype=np.int64), 1)
    return correlations(sums[0], flat)


def _heat(title: str, names: Sequence[str], matrix: Floats, what: str) -> Spec:
    cells = [
        {"row": row, "column": column, what: value}
        for row, line in zip(names, matrix, strict=True)
        for column, value in zip(names, short(line), strict=True)
    ]
    limit = 1.0 if what == "correlation" else max(0.1, float(np.nanmax(np.abs(matrix))))
    axis = {"type": "nominal", "sort": list(names), "title": None}
    return {
        "title": title,
        "width": {"step": _CELL},
        "height": {"step": _CELL},
        "data": {"values": cells},
        "mark": "rect",
        "encoding": {
            "x": {"field": "column", **axis},
            "y": {"field": "row", **axis},
            "color": {
                "field": what,
                "type": "quantitative",
                "title": what,
                "scale": {"scheme": "blueorange", "domain": [-limit, limit]},
            },
            "tooltip": [{"field": "row"}, {"field": "column"}, {"field": what, "type": "quantitative"}],
        },
    }
