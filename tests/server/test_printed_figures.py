"""Figures as reports print them: every word in the report's language, names of columns as they are, the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.figures.draw import FigureOptions, draw_figures
from avatar_gitops.engine.figures.model import Figure, PlotKind
from avatar_gitops.engine.params import AvatarParams
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.series.draw import draw_series
from avatar_gitops.server import printed_figures
from avatar_gitops.server.printed_figures import in_french, printed
from avatar_gitops.server.work_figures import REPORTED
from tests.engine.test_series_metrics import pair, waves


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    random = np.random.default_rng(5)
    age = random.integers(18, 90, 200)
    table = pa.table({"age": age, "weight": 50 + age / 3 + random.normal(0, 5, 200), "height": random.normal(size=200)})
    drawn = draw_figures(table, avatarize(table, [], AvatarParams(k=10), 3), [], FigureOptions())
    made = pair(waves(), waves() * 0.9)
    series = draw_series(made.projected.fitted, made.projected.curves, made.avatar_curves)
    few = pair(waves()[:9], waves()[:9])
    none = draw_series(few.projected.fitted, few.projected.curves, few.avatar_curves)
    return [figure for figure in (*drawn, *series, *none) if figure.kind in REPORTED]


def said(part: Any) -> Iterator[str]:
    """The titles of panels, axes and legends, wherever they stand."""
    if isinstance(part, Mapping):
        if isinstance(part.get("title"), str):
            yield part["title"]
        yield from (text for name, inner in part.items() if name != "data" for text in said(inner))
    elif isinstance(part, list):
        yield from (text for inner in part for text in said(inner))


def test_every_reported_kind_is_known_in_french(figures: list[Figure]) -> None:
    assert {figure.kind for figure in figures} == set(REPORTED)
    for figure in figures:
        notes = list(figure.spec["title"].get("subtitle", []))
        own = {"beat", "t"} if figure.kind is PlotKind.RAW_SERIES else set()
        for text in (*notes, *(text for text in said(figure.spec) if text not in own)):
            assert in_french(text), (figure.kind, text)


def captured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], str]]:
    seen: list[tuple[dict[str, Any], str]] = []

    def keep(spec: dict[str, Any], locale: str) -> bytes:
        seen.append((spec, locale))
        return b""

    monkeypatch.setattr(printed_figures, "to_png", keep)
    return seen


def test_columns_keep_their_names_whatever_they_are(figures: list[Figure], monkeypatch: pytest.MonkeyPatch) -> None:
    raw = next(figure for figure in figures if figure.kind is PlotKind.RAW_SERIES)
    encoding = {"x": {"field": "u", "title": "originals"}, "y": {"field": "y", "title": "correlation"}}
    seen = captured(monkeypatch)
    printed(raw.kind, {**raw.spec, "layer": [{"data": {"values": []}, "encoding": encoding}]}, "fr")
    [(spec, locale)] = seen
    assert [spec["layer"][0]["encoding"][channel]["title"] for channel in "xy"] == ["originals", "correlation"]
    assert locale == "fr-FR"


def test_a_picture_has_its_notes_and_leaves_its_title_to_the_caption(
    figures: list[Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = captured(monkeypatch)
    for figure in figures:
        printed(figure.kind, figure.spec, "en")
        spec, locale = seen.pop()
        assert spec.get("title", {}).get("text", []) == figure.spec["title"].get("subtitle", [])
        assert locale == "en-US"


def test_numbers_of_notes_have_the_comma_of_the_language() -> None:
    assert in_french("axis 1 (24.5 % of inertia)") == "axe 1 (24,5\u00a0% de l’inertie)"
    assert in_french("nothing that a figure says") is None


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_same_figure_gives_the_same_picture(figures: list[Figure], language: Any) -> None:
    normalized = next(figure for figure in figures if figure.kind is PlotKind.NORMALIZED_SERIES)
    first, second = (printed(normalized.kind, normalized.spec, language) for _ in range(2))
    assert first == second
    assert first.startswith(b"\x89PNG")
