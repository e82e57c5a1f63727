"""Distributions of one column on both sides: bars of shares, missing values in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.figures.cells import hidden_note, parts_for
from avatar_gitops.engine.figures.model import FEWEST, SIDES, Figure, PlotKind, document, short, side_colour

_BARS: Final = 20
_MODALITIES: Final = 30
_EXACT: Final = 2.0**53  # above it not every whole number is a float
_SIZE: Final = {"width": 480, "height": 280}


def distribution_of_numbers(name: str, originals: pa.ChunkedArray, avatars: pa.ChunkedArray) -> Figure | None:
    """Shares per bin; bins reach as far as the avatars do, the outer ones hold what lies beyond.

    Dates are drawn on a time axis. None when either side has no value.
    """
    dates = pa.types.is_timestamp(originals.type) or pa.types.is_date(originals.type)
    ours, theirs = _numbers(avatars, dates=dates), _numbers(originals, dates=dates)
    if len(ours) == 0 or len(theirs) == 0:
        return None
    edges = _edges(ours, parts_for(len(theirs), 1, _BARS), whole=not dates and pa.types.is_integer(originals.type))
    counts = [np.histogram(np.clip(side, edges[0], edges[-1]), bins=edges)[0] for side in (theirs, ours)]
    shares = [100.0 * count / count.sum() for count in counts]
    drawn = [counts[0] >= FEWEST, counts[1] > 0]
    values = [
        {"from": low, "to": high, "of": of, "share": share}
        for of, some, share in zip(SIDES, drawn, shares, strict=True)
        for low, high, share in zip(
            _written(edges[:-1][some], dates=dates),
            _written(edges[1:][some], dates=dates),
            short(share[some]),
            strict=True,
        )
    ]
    axis = {"type": "temporal" if dates else "quantitative", "title": name, "scale": {"zero": False}}
    spec = document(
        f"Distribution of {name}",
        _missing(originals, avatars),
        hidden_note(float(shares[0][~drawn[0]].sum()), "bars"),
        **_SIZE,
        data={"values": values},
        mark={"type": "bar", "opacity": 0.55},
        encoding={
            "x": {"field": "from", **axis} if dates else {"field": "from", "bin": {"binned": True}, **axis},
            "x2": {"field": "to"},
            "y": {"field": "share", "type": "quantitative", "title": "% of values", "stack": None},
            "color": side_colour(),
        },
    )
    return Figure(PlotKind.DISTRIBUTION, spec, name)


def distribution_of_categories(
    name: str, codes: tuple[Codes, Codes], names: Sequence[str], missing: str
) -> Figure | None:
    """Shares of modalities, the most frequent first; those of too few originals are one bar without a name.

    `codes` are those of originals and avatars, -1 where missing. None when either side has no value.
    """
    counts = [np.bincount(side[side >= 0], minlength=len(names))[: len(names)] for side in codes]
    if not counts[0].sum() or not counts[1].sum():
        return None
    order = [int(code) for code in np.argsort(-counts[0], kind="stable") if counts[0][code] >= FEWEST][:_MODALITIES]
    rest = np.ones(len(names), dtype=bool)
    rest[order] = False
    other = f"{int(rest.sum())} others"
    values = []
    for of, count in zip(SIDES, counts, strict=True):
        shares = 100.0 * count / count.sum()
        values += [{"name": names[code], "of": of, "share": round(float(shares[code]), 3)} for code in order]
        if of == SIDES[1] or int(count[rest].sum()) >= FEWEST:
            values.append({"name": other, "of": of, "share": round(float(shares[rest].sum()), 3)})
    shown = [names[code] for code in order] + ([other] if rest.any() else [])
    spec = document(
        f"Distribution of {name}",
        missing,
        width=480,
        height={"step": 26},
        data={"values": [value for value in values if value["name"] in shown]},
        mark="bar",
        encoding={
            "y": {"field": "name", "type": "nominal", "sort": shown, "title": name},
            "yOffset": {"field": "of", "sort": list(SIDES)},
            "x": {"field": "share", "type": "quantitative", "title": "% of values"},
            "color": side_colour(),
        },
    )
    return Figure(PlotKind.DISTRIBUTION, spec, name)


def _written(edges: Floats, *, dates: bool) -> list[float | None]:
    """Edges for a document: milliseconds are kept whole."""
    return [float(edge) for edge in edges] if dates else short(edges)


def missing_note(shares: tuple[float, float]) -> str:
    """A note on missing values; `shares` in percent of the rows of originals and avatars."""
    return f"Missing: originals {shares[0]:.1f} %, avatars {shares[1]:.1f} %." if max(shares) > 0 else ""


def _missing(originals: pa.ChunkedArray, avatars: pa.ChunkedArray) -> str:
    one, other = (100.0 * side.null_count / max(1, len(side)) for side in (originals, avatars))
    return missing_note((one, other))


def _edges(avatars: Floats, parts: int, *, whole: bool) -> Floats:
    low, high = float(avatars.min()), float(avatars.max())
    if whole and high - low < parts and max(abs(low), abs(high)) < _EXACT:
        return np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.0)
    if low == high:
        margin = max(0.5, float(np.spacing(abs(low))))
        return np.array([low - margin, low + margin])
    return np.linspace(low, high, parts + 1)


def _numbers(values: pa.ChunkedArray, *, dates: bool) -> Floats:
    known = values.drop_null()
    if dates:
        known = known.cast(pa.timestamp("ms", known.type.tz if pa.types.is_timestamp(known.type) else None), safe=False)
        known = known.cast(pa.int64())
    elif pa.types.is_time32(known.type):
        known = known.cast(pa.int32())
    elif pa.types.is_time64(known.type) or pa.types.is_duration(known.type):
        known = known.cast(pa.int64())
    numbers = np.asarray(pc.cast(known, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return numbers[np.isfinite(numbers)]
