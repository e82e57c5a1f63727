"""Pictures of assessments as SVG text: the risk matrix, metrics against their bounds, privacy against utility.

Only shapes and escaped words; the same picture gives the same bytes. A colour never stands alone: words or shapes say
the same. Every picture has a white ground, so that it is read in a dark viewer too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

INK: Final = "#1f2a37"
GREY: Final = "#6b7280"
TRACK: Final = "#e5e7eb"
GOOD: Final = "#0f766e"
BAD: Final = "#b42318"
FILLS: Final = {"low": "#d9f2e3", "moderate": "#fff3cc", "high": "#ffd9b8", "very_high": "#f8c9c9"}
FONTS: Final = "Helvetica, Arial, 'Libertinus Serif', sans-serif"

CELL: Final = (150, 74)
MARGIN: Final = (150, 40)
MOST_MARKS: Final = 3  # names in one cell of the matrix
ROW: Final = 30
LONGEST: Final = 58


@dataclass(slots=True, frozen=True)
class Place:
    """One cell of the matrix: its tone and word, and what stands in it."""

    tone: str
    word: str
    marks: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Gauge:
    """A value on a scale from 0 to `most`, with the ends of its interval and its bound; `met` None = no bound."""

    label: str
    text: str
    value: float
    most: float
    low: float | None = None
    high: float | None = None
    bound: float | None = None
    met: bool | None = None


@dataclass(slots=True, frozen=True)
class Point:
    """One run in a plot of two metrics; `best` = no other run is better in one metric and as good in the other."""

    label: str
    x: float
    y: float
    best: bool


@dataclass(slots=True, frozen=True)
class Axis:
    """Name of an axis and the words at its ends: the smallest and the largest value."""

    name: str
    ends: tuple[str, str]


@dataclass(slots=True, frozen=True)
class _Pen:
    """How words are written; `turn` is a transformation of SVG."""

    anchor: str = "middle"
    weight: str = "normal"
    size: int = 12
    fill: str = INK
    turn: str = ""


def matrix(rows: Sequence[Sequence[Place]], sides: tuple[Sequence[str], Sequence[str]], corner: str, alt: str) -> str:
    """A grid with one row per severity (the highest first) and one column per likelihood; `sides` names both."""
    (wide, high), (left, top) = CELL, MARGIN
    parts = [_text(left - 10, top - 12, corner, _Pen(anchor="end", size=11, fill=GREY))]
    parts += [_text(left + wide * (at + 0.5), top - 12, name, _Pen(weight="bold")) for at, name in enumerate(sides[1])]
    for down, row in enumerate(rows):
        y = top + down * high
        parts.append(_text(left - 10, y + high / 2 + 4, sides[0][down], _Pen(anchor="end", weight="bold")))
        for across, place in enumerate(row):
            parts += _cell(left + across * wide, y, place)
    return _picture(left + len(rows[0]) * wide + 10, top + len(rows) * high + 10, parts, alt)


def _cell(x: float, y: float, place: Place) -> Iterable[str]:
    wide, high = CELL
    yield f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" fill="{FILLS[place.tone]}" stroke="{GREY}"/>'
    yield _text(x + 8, y + 17, place.word, _Pen(anchor="start", fill=GREY, size=11))
    shown = place.marks[:MOST_MARKS] if len(place.marks) <= MOST_MARKS else place.marks[: MOST_MARKS - 1]
    names = [_cut(mark, 21) for mark in shown]
    if len(place.marks) > len(shown):
        names.append(f"+ {len(place.marks) - len(shown)}")
    for at, name in enumerate(names):
        base = y + 35 + 15 * at
        yield f'<circle cx="{x + 13}" cy="{base - 4}" r="4" fill="{INK}"/>'
        yield _text(x + 22, base, name, _Pen(anchor="start", weight="bold"))


def gauges(rows: Sequence[Gauge], alt: str) -> str:
    """One line per metric: a dot (bound met or none) or a cross (bound missed), its interval, a stroke at the bound."""
    left, track = 330, 300
    parts: list[str] = []
    for at, row in enumerate(rows):
        y = 24 + at * ROW
        parts.append(_text(left - 12, y + 4, _cut(row.label, LONGEST), _Pen(anchor="end", size=11)))
        parts.append(f'<rect x="{left}" y="{y - 3}" width="{track}" height="6" rx="3" fill="{TRACK}"/>')
        parts += _gauge(row, left, track, y)
        parts.append(
            _text(left + track + 14, y + 4, row.text, _Pen(anchor="start", weight="bold", fill=_colour(row.met)))
        )
    return _picture(left + track + 100, 24 + len(rows) * ROW, parts, alt)


def _gauge(row: Gauge, left: float, track: float, y: float) -> Iterable[str]:
    def at(value: float) -> float:
        return round(left + track * min(1.0, max(0.0, value / row.most)), 1)

    colour = _colour(row.met)
    if row.low is not None and row.high is not None:
        start, end = at(row.low), at(row.high)
        yield (
            f'<rect x="{start}" y="{y - 5}" width="{round(end - start, 1)}" height="10" fill="{colour}" opacity="0.3"/>'
        )
    if row.bound is not None:
        x = at(row.bound)
        yield f'<path d="M{x} {y - 10}V{y + 10}" stroke="{INK}" stroke-width="2"/>'
    x = at(row.value)
    if row.met is False:
        cross = f"M{x - 5} {y - 5}L{x + 5} {y + 5}M{x - 5} {y + 5}L{x + 5} {y - 5}"
        yield f'<path d="{cross}" stroke="{colour}" stroke-width="3"/>'
    else:
        yield f'<circle cx="{x}" cy="{y}" r="6" fill="{colour}"/>'


def scatter(points: Sequence[Point], axes: tuple[Axis, Axis], alt: str) -> str:
    """Runs by two metrics, scaled to what is there; the best ones are full and joined by a line."""
    left, top, wide, high = 90, 20, 460, 300
    (x_low, x_high), (y_low, y_high) = (_range(values) for values in zip(*((p.x, p.y) for p in points), strict=True))

    def place(point: Point) -> tuple[float, float]:
        return (
            round(left + 20 + (wide - 40) * (point.x - x_low) / (x_high - x_low), 1),
            round(top + high - 20 - (high - 40) * (point.y - y_low) / (y_high - y_low), 1),
        )

    parts = [f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="{GREY}"/>']
    parts += _axes(axes, left, top, wide, high)
    best = sorted(place(point) for point in points if point.best)
    if len(best) > 1:
        line = " ".join(f"{x},{y}" for x, y in best)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{GOOD}" stroke-dasharray="5 4"/>')
    taken: list[tuple[float, float]] = []
    for point in points:
        x, y = place(point)
        fill = GOOD if point.best else "#ffffff"
        parts.append(f'<circle cx="{x}" cy="{y}" r="6" fill="{fill}" stroke="{GOOD}" stroke-width="2"/>')
        parts.append(_beside(point.label, x, y, left + wide, taken))
    return _picture(left + wide + 20, top + high + 60, parts, alt)


def _beside(label: str, x: float, y: float, end: float, taken: list[tuple[float, float]]) -> str:
    """A label on the side where there is room, lower when another one stands there already."""
    name = _cut(label, 28)
    right = x + 12 + 7 * len(name) < end
    base = y - 9
    while any(abs(base - other) < 13 and abs(x - at) < 7 * len(name) for at, other in taken):
        base += 13
    taken.append((x, base))
    return _text(x + 10 if right else x - 10, base, name, _Pen(anchor="start" if right else "end", size=11))


def _axes(axes: tuple[Axis, Axis], left: float, top: float, wide: float, high: float) -> Iterable[str]:
    across, up = axes
    under = top + high + 18
    yield _text(left + 20, under, across.ends[0], _Pen(size=11, fill=GREY))
    yield _text(left + wide - 20, under, across.ends[1], _Pen(size=11, fill=GREY))
    yield _text(left + wide / 2, under + 22, across.name)
    yield _text(left - 8, top + high - 16, up.ends[0], _Pen(anchor="end", size=11, fill=GREY))
    yield _text(left - 8, top + 24, up.ends[1], _Pen(anchor="end", size=11, fill=GREY))
    x, y = left - 62, top + high / 2
    yield _text(x, y, up.name, _Pen(turn=f"rotate(-90 {x} {y})"))


def _range(values: Iterable[float]) -> tuple[float, float]:
    found = tuple(values)
    low, high = min(found), max(found)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _colour(met: bool | None) -> str:
    return INK if met is None else GOOD if met else BAD


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, words: str, pen: _Pen = _Pen()) -> str:
    turn = f' transform="{pen.turn}"' if pen.turn else ""
    return (
        f'<text x="{round(x, 1)}" y="{round(y, 1)}" text-anchor="{pen.anchor}" font-size="{pen.size}"'
        f' font-weight="{pen.weight}" fill="{pen.fill}"{turn}>{escape(_clean(words))}</text>'
    )


def _clean(words: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(char for char in words if char.isprintable() or char in "\u00a0\u202f")


def _picture(width: float, height: float, parts: Iterable[str], alt: str) -> str:
    size = f'width="{round(width)}" height="{round(height)}" viewBox="0 0 {round(width)} {round(height)}"'
    body, alt = "\n".join(parts), _clean(alt)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label={quoteattr(alt)}'
        f' font-family="{FONTS}">\n<title>{escape(alt)}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f"{body}\n</svg>\n"
    )
