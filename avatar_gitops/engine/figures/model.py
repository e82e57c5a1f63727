"""What a figure is: its kind, the table or column it shows, and a Vega-Lite document (https://vega.github.io)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from avatar_gitops.engine.columns import Floats

FEWEST: Final = 10  # originals behind one mark
MOST_POINTS: Final = 10_000  # marks of one figure
ORIGINALS: Final = "#696969"
AVATARS: Final = "#3bd6b0"
SIDES: Final = ("originals", "avatars")
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"

_DIGITS: Final = 5

Spec = dict[str, Any]


class PlotKind(StrEnum):
    """Kinds of figures, by the platform's names."""

    PROJECTION_2D = "2d_projection"
    PROJECTION_3D = "3d_projection"
    CORRELATION = "correlation"
    CORRELATION_DIFFERENCE = "correlation_difference"
    CONTRIBUTION = "contribution"
    DISTRIBUTION = "distribution"
    AGGREGATE_STATS = "aggregate_stats"
    RAW_SERIES = "raw_series"
    NORMALIZED_SERIES = "normalized_series"
    CLASS_PROJECTION_2D = "class_projection_2d"
    METRICS_SUMMARY = "metrics_summary"


@dataclass(slots=True, frozen=True)
class Figure:
    """One figure. `subject` is the column it shows, empty for a figure of the whole table."""

    kind: PlotKind
    spec: Mapping[str, Any]
    subject: str = ""


def document(title: str, *notes: str, **parts: Any) -> Spec:
    """A Vega-Lite document with a title and notes under it; empty notes are left out."""
    heading: Spec = {"text": title, "anchor": "start"}
    said = [note for note in notes if note]
    if said:
        heading["subtitle"] = said
    return {"$schema": SCHEMA, "title": heading, "config": {"view": {"stroke": None}}, **parts}


def side_colour(**more: Any) -> Spec:
    """The colour channel that tells originals from avatars."""
    return {
        "field": "of",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(SIDES), "range": [ORIGINALS, AVATARS]},
        **more,
    }


def side_dashes() -> Spec:
    """The same by strokes: originals are dashed."""
    return {
        "field": "of",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(SIDES), "range": [[6, 4], [1, 0]]},
    }


def short(values: Floats) -> list[float | None]:
    """Numbers with five significant digits, as figures need them; what is not finite is left out."""
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(values == 0, 0, np.floor(np.log10(np.abs(values))))
    scale = 10.0 ** (_DIGITS - 1 - np.nan_to_num(power, posinf=0, neginf=0))
    rounded = np.round(values * scale) / scale
    return [float(value) if np.isfinite(value) else None for value in rounded]


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Spec:
    """The parts of a document that shows a table of words: one column of names, then one of values for each title."""
    cells = [
        {"row": at, "column": title, "text": text}
        for at, row in enumerate(rows)
        for title, text in zip(columns, row, strict=True)
    ]
    return {
        "data": {"values": cells},
        "width": {"step": 150},
        "height": {"step": 22},
        "mark": {"type": "text", "align": "center", "limit": 145},
        "encoding": {
            "x": {
                "field": "column",
                "type": "nominal",
                "sort": list(columns),
                "title": None,
                "axis": {"orient": "top", "labelAngle": 0, "domain": False, "ticks": False, "labelLimit": 145},
            },
            "y": {"field": "row", "type": "ordinal", "axis": None},
            "text": {"field": "text", "type": "nominal"},
        },
    }
