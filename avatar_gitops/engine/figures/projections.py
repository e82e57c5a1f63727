"""Projections: originals as cells of the plane or of the space of the first axes, avatars as points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.figures.cells import Cells, fill, grid_around, hidden_note, parts_for
from avatar_gitops.engine.figures.model import (
    AVATARS,
    FEWEST,
    MOST_POINTS,
    ORIGINALS,
    Figure,
    PlotKind,
    Spec,
    document,
    short,
    side_colour,
)

_PARTS: Final = 40
_PARTS_3D: Final = 12
_CLASSES: Final = 10
_SIZE: Final = {"width": 520, "height": 400}
_ZOOM: Final = [{"name": "view", "select": "interval", "bind": "scales"}]
_DRAWN: Final = f"Originals: share of rows per cell, cells with at least {FEWEST} rows. Avatars: points."


def projection_2d(
    originals: Floats, avatars: Floats, explained: Sequence[float], random: np.random.Generator
) -> Figure | None:
    """Axes 1 and 2 (rows x axes on both sides); None when there is only one axis."""
    if avatars.shape[1] < 2:
        return None
    edges = grid_around(avatars[:, :2], parts_for(len(originals), 2, _PARTS))
    cells = fill(originals[:, :2], edges)
    points = _some(avatars[:, :2], MOST_POINTS - len(cells.share), random)
    plane = _plane(explained)
    layers = [
        {
            "data": {"values": _rectangles(cells)},
            "mark": "rect",
            "encoding": {
                **_corners(plane),
                "color": {
                    "field": "share",
                    "type": "quantitative",
                    "scale": {"range": ["#d9d9d9", "#252525"]},
                    "title": "originals, %",
                },
            },
        },
        {
            "data": {"values": [{"x": x, "y": y} for x, y in zip(*map(short, points.T), strict=True)]},
            "params": _ZOOM,
            "mark": {"type": "circle", "size": 12, "opacity": 0.6, "color": AVATARS},
            "encoding": plane,
        },
    ]
    spec = document("Projection on axes 1 and 2", _DRAWN, hidden_note(cells.hidden), **_SIZE, layer=layers)
    return Figure(PlotKind.PROJECTION_2D, spec)


def projection_3d(
    originals: Floats, avatars: Floats, explained: Sequence[float], random: np.random.Generator
) -> Figure | None:
    """Axes 1 to 3 seen from an angle that two sliders turn; None when there are fewer axes.

    Both sides are cast on the screen by the same rotation (azimuth a, elevation e): u = x cos a + y sin a,
    v = z cos e + (x sin a - y cos a) sin e.
    """
    if avatars.shape[1] < 3:
        return None
    cells = fill(originals[:, :3], grid_around(avatars[:, :3], parts_for(len(originals), 3, _PARTS_3D)))
    points = _some(avatars[:, :3], MOST_POINTS - len(cells.share), random)
    centres = (cells.lower + cells.upper) / 2
    values = [
        {"x": x, "y": y, "z": z, "of": "originals", "share": share}
        for x, y, z, share in zip(*map(short, centres.T), short(cells.share), strict=True)
    ] + [{"x": x, "y": y, "z": z, "of": "avatars"} for x, y, z in zip(*map(short, points.T), strict=True)]
    reach = float(np.abs(avatars[:, :3]).max()) * 1.75 or 1.0
    axis = {"scale": {"domain": short(np.array([-reach, reach]))}, "axis": None, "type": "quantitative"}
    spec = document(
        "Projection on axes 1, 2 and 3",
        _DRAWN,
        hidden_note(cells.hidden),
        f"Inertia: {', '.join(f'axis {at + 1} {100 * share:.1f} %' for at, share in enumerate(explained[:3]))}.",
        **_SIZE,
        params=[_slider("azimuth", 35, 360), _slider("elevation", 25, 90)],
        data={"values": values},
        transform=[
            {"calculate": "azimuth * PI / 180", "as": "a"},
            {"calculate": "elevation * PI / 180", "as": "e"},
            {"calculate": "datum.x * cos(datum.a) + datum.y * sin(datum.a)", "as": "u"},
            {"calculate": "datum.x * sin(datum.a) - datum.y * cos(datum.a)", "as": "depth"},
            {"calculate": "datum.z * cos(datum.e) + datum.depth * sin(datum.e)", "as": "v"},
            {"calculate": "datum.of === 'originals' ? 20 + 30 * sqrt(datum.share) : 12", "as": "size"},
        ],
        mark={"type": "circle", "opacity": 0.55},
        encoding={
            "x": {"field": "u", **axis},
            "y": {"field": "v", **axis},
            "size": {"field": "size", "type": "quantitative", "scale": None},
            "color": side_colour(),
        },
    )
    return Figure(PlotKind.PROJECTION_3D, spec)


def class_projection(
    originals: tuple[Floats, Codes],
    avatars: tuple[Floats, Codes],
    classes: tuple[str, Sequence[str]],
    random: np.random.Generator,
) -> Figure | None:
    """Axes 1 and 2 with a panel for each class of the column that an augmentation balances.

    Each side is points and codes of classes; `classes` is the column and the names behind the codes. Classes of too few
    originals are left out.
    """
    column, names = classes
    sizes = np.bincount(originals[1][originals[1] >= 0], minlength=len(names))[: len(names)]
    chosen = [int(code) for code in np.argsort(-sizes, kind="stable") if sizes[code] >= FEWEST][:_CLASSES]
    if avatars[0].shape[1] < 2 or not chosen:
        return None
    edges = grid_around(avatars[0][:, :2], parts_for(len(originals[0]) // len(chosen), 2, _PARTS))
    each = MOST_POINTS // len(chosen)
    panels = []
    for code in chosen:
        cells = fill(originals[0][originals[1] == code][:, :2], edges)
        inside = avatars[0][avatars[1] == code][:, :2]
        points = _some(inside, each - len(cells.share), random)
        panels.append(_panel(names[code], cells, points))
    spec = document(f"Projection by class of {column}", _DRAWN, columns=2, concat=panels)
    return Figure(PlotKind.CLASS_PROJECTION_2D, spec, column)


def _panel(name: str, cells: Cells, points: Floats) -> Spec:
    plane = _plane(())
    return {
        "title": name,
        "width": 260,
        "height": 200,
        "layer": [
            {
                "data": {"values": _rectangles(cells)},
                "mark": {"type": "rect", "color": ORIGINALS},
                "encoding": {**_corners(plane), "opacity": {"field": "share", "type": "quantitative", "legend": None}},
            },
            {
                "data": {"values": [{"x": x, "y": y} for x, y in zip(*map(short, points.T), strict=True)]},
                "mark": {"type": "circle", "size": 12, "opacity": 0.6, "color": AVATARS},
                "encoding": plane,
            },
        ],
    }


def _plane(explained: Sequence[float]) -> Spec:
    titles = [
        f"axis {at + 1} ({100 * explained[at]:.1f} % of inertia)" if at < len(explained) else f"axis {at + 1}"
        for at in (0, 1)
    ]
    return {
        channel: {"field": channel, "type": "quantitative", "title": title, "scale": {"zero": False}}
        for channel, title in zip("xy", titles, strict=True)
    }


def _corners(plane: Mapping[str, Any]) -> Spec:
    return {**plane, "x2": {"field": "x2"}, "y2": {"field": "y2"}}


def _rectangles(cells: Cells) -> list[Spec]:
    corners = (*map(short, cells.lower.T), *map(short, cells.upper.T), short(cells.share))
    return [{"x": x, "y": y, "x2": x2, "y2": y2, "share": share} for x, y, x2, y2, share in zip(*corners, strict=True)]


def _some(points: Floats, most: int, random: np.random.Generator) -> Floats:
    if len(points) <= most:
        return points
    return points[np.sort(random.choice(len(points), most, replace=False))]


def _slider(name: str, value: int, most: int) -> Spec:
    return {"name": name, "value": value, "bind": {"input": "range", "min": 0, "max": most, "step": 1}}
