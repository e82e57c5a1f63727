"""Figures: every kind that applies, few marks, and no single original in any of them."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import vl_convert
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.figures.cells import fill, grid_around, parts_for
from avatar_gitops.engine.figures.distributions import distribution_of_categories, distribution_of_numbers
from avatar_gitops.engine.figures.draw import FigureOptions, draw_figures
from avatar_gitops.engine.figures.matrices import correlation_figures
from avatar_gitops.engine.figures.model import FEWEST, MOST_POINTS, Figure, PlotKind
from avatar_gitops.engine.figures.projections import projection_2d, projection_3d
from avatar_gitops.engine.figures.render import to_page, to_png, to_svg
from avatar_gitops.engine.params import AvatarParams, Exclusion, Replacement, Space
from avatar_gitops.engine.run import Avatars, avatarize

ROWS = 400
AXES = (0.4, 0.2, 0.1)


def table(rows: int = ROWS) -> pa.Table:
    random = np.random.default_rng(5)
    age = random.integers(18, 90, rows)
    names = np.array(["blue", "green", "red"])[random.integers(0, 3, rows)].astype(object)
    names[0] = "only-one-person-has-this"
    weight = np.round(50 + age / 3 + random.normal(0, 5, rows), 1)
    weight[1] = 412.7
    return pa.table(
        {
            "age": age,
            "weight": pa.array(weight, mask=random.random(rows) < 0.1),
            "height": np.round(1.5 + weight / 500 + random.normal(0, 0.05, rows), 2),
            "colour": pa.array(names.tolist()),
            "seen": pa.array(1_600_000_000_000 + 86_400_000 * random.integers(0, 900, rows), pa.timestamp("ms")),
        }
    )


@pytest.fixture(scope="module")
def drawn() -> tuple[pa.Table, Avatars, list[Figure]]:
    original = table()
    avatars = avatarize(original, [], AvatarParams(k=10), 3)
    return original, avatars, draw_figures(original, avatars, [], FigureOptions(class_column="colour"))


def values(spec: Any) -> list[dict[str, Any]]:
    """All values of a document, wherever it holds them."""
    if isinstance(spec, dict):
        own = spec["values"] if isinstance(spec.get("values"), list) else []
        return own + [value for part in spec.values() for value in values(part)]
    return [value for part in spec for value in values(part)] if isinstance(spec, list | tuple) else []


def test_every_kind_that_applies_is_drawn_once_and_each_column_has_a_distribution(
    drawn: tuple[pa.Table, Avatars, list[Figure]],
) -> None:
    original, _, figures = drawn
    kinds = [figure.kind for figure in figures]
    assert set(kinds) == set(PlotKind) - {PlotKind.RAW_SERIES, PlotKind.NORMALIZED_SERIES}
    subjects = [figure.subject for figure in figures if figure.kind is PlotKind.DISTRIBUTION]
    assert subjects == original.column_names
    assert len(kinds) == len(set(kinds)) + len(subjects) - 1


def test_figures_are_documents_that_vega_lite_compiles(drawn: tuple[pa.Table, Avatars, list[Figure]]) -> None:
    for figure in drawn[2]:
        assert vl_convert.vegalite_to_vega(dict(figure.spec), vl_version="v5.21")["$schema"]
        assert len(values(figure.spec)) <= MOST_POINTS


def test_a_value_that_one_person_has_is_in_no_figure(drawn: tuple[pa.Table, Avatars, list[Figure]]) -> None:
    text = json.dumps([dict(figure.spec) for figure in drawn[2]])
    assert "only-one-person-has-this" not in text
    assert "412.7" not in text


def test_figures_can_be_fewer_or_all(drawn: tuple[pa.Table, Avatars, list[Figure]]) -> None:
    original, avatars, _ = drawn

    def subjects(most: int) -> list[str]:
        found = draw_figures(original, avatars, [], FigureOptions(distributions=most))
        return [figure.subject for figure in found if figure.kind is PlotKind.DISTRIBUTION]

    assert subjects(0) == []
    assert subjects(2) == ["age", "weight"]
    assert subjects(-1) == original.column_names


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.integers(2, 600), st.integers(0, 2**32))
def test_a_cell_stands_for_enough_rows_and_what_is_not_drawn_is_said(axes: int, rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = np.round(random.normal(size=(rows, axes)), 1)
    edges = grid_around(points[: rows // 2 + 1], parts_for(rows, axes, 12))
    cells = fill(points, edges)
    assert (cells.share * rows / 100 >= FEWEST - 1e-6).all()
    assert cells.share.sum() + cells.hidden == pytest.approx(100)
    assert (cells.lower < cells.upper).all()


def test_isolated_originals_leave_no_mark() -> None:
    originals = np.arange(27.0).reshape(9, 3) * 100
    avatars = originals[::-1] + 1
    for figure in (
        projection_2d(originals, avatars, AXES, np.random.default_rng(1)),
        projection_3d(originals, avatars, AXES, np.random.default_rng(1)),
    ):
        assert figure is not None
        assert len(values(figure.spec)) == len(avatars)
        assert "100.0 % of the originals" in json.dumps(figure.spec)


def test_a_large_table_is_drawn_with_few_marks() -> None:
    points = np.random.default_rng(2).normal(size=(30_000, 3))
    for figure in (
        projection_2d(points, points, AXES, np.random.default_rng(1)),
        projection_3d(points, points, AXES, np.random.default_rng(1)),
    ):
        assert figure is not None
        assert MOST_POINTS / 2 < len(values(figure.spec)) <= MOST_POINTS


def test_bars_are_shares_of_each_side() -> None:
    originals = pa.chunked_array([[1] * 30 + [2] * 10 + [None] * 10])
    avatars = pa.chunked_array([[1] * 20 + [2] * 30])
    figure = distribution_of_numbers("visits", originals, avatars)
    assert figure is not None
    assert [(v["of"], v["from"], v["share"]) for v in values(figure.spec)] == [
        ("originals", 0.5, 75.0),
        ("originals", 1.5, 25.0),
        ("avatars", 0.5, 40.0),
        ("avatars", 1.5, 60.0),
    ]
    assert "Missing: originals 20.0 %, avatars 0.0 %." in json.dumps(figure.spec)


def test_rare_modalities_are_one_bar_without_their_names() -> None:
    codes = np.repeat(np.arange(4, dtype=np.int32), [50, 30, 6, 6])
    figure = distribution_of_categories("city", (codes, codes), ["Lyon", "Nantes", "Paris", "Lille"], "")
    assert figure is not None
    originals = {v["name"]: v["share"] for v in values(figure.spec) if v["of"] == "originals"}
    assert originals == {"Lyon": 54.348, "Nantes": 32.609, "2 others": 13.043}


def test_correlations_need_two_columns_that_vary() -> None:
    numbers = np.column_stack([np.arange(40.0), np.arange(40.0) ** 2])
    kinds = [figure.kind for figure in correlation_figures(["a", "b"], numbers, numbers)]
    assert kinds == [PlotKind.CORRELATION, PlotKind.CORRELATION_DIFFERENCE]
    flat = np.ones((40, 2))
    assert correlation_figures(["a", "b"], flat, flat) == []
    assert correlation_figures(["a"], numbers[:, :1], numbers[:, :1]) == []


def test_pages_need_no_network_and_pictures_are_the_same_each_time() -> None:
    numbers = pa.chunked_array([list(range(100))])
    figure = distribution_of_numbers("</script><b>", numbers, numbers)
    assert figure is not None
    page = to_page(figure.spec, "</title>")
    assert "default-src 'none'" in page
    assert "src=" not in page.partition("<script>")[0]
    assert "<b>" not in page.rpartition("<script>")[2]
    assert "</title></title>" not in page
    assert to_png(figure.spec) == to_png(figure.spec)
    assert to_svg(figure.spec).startswith("<svg")


@pytest.mark.parametrize("values", [[f"n{i}" for i in range(ROWS)], [[i] for i in range(ROWS)]])
def test_excluded_columns_may_be_of_any_kind(values: list[Any]) -> None:
    original = table().append_column("name", pa.array(values))
    exclude = Exclusion(("name", "weight"), Replacement.COORDINATE_SIMILARITY)
    avatars = avatarize(original, [], AvatarParams(k=10, space=Space(exclude=exclude)), 3)
    found = draw_figures(original, avatars, [], FigureOptions(exclude=exclude))
    subjects = [figure.subject for figure in found if figure.kind is PlotKind.DISTRIBUTION]
    assert subjects == table().column_names, "what can be compared is drawn"


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("us"), pa.duration("s"), pa.decimal128(10, 0)])
def test_times_of_day_durations_and_decimals_are_drawn_as_numbers(kind: pa.DataType) -> None:
    bits = pa.int64() if kind in (pa.time64("us"), pa.duration("s")) else pa.int32()
    column = pa.chunked_array([pa.array(range(ROWS), bits).cast(kind)])
    figure = distribution_of_numbers("at", column, column)
    assert figure is not None
    assert figure.spec["encoding"]["x"]["type"] == "quantitative"
    assert sum(value["share"] for value in values(figure.spec)) == pytest.approx(200)


@pytest.mark.parametrize("numbers", [[10**17] * ROWS, [2**62 + i % 3 for i in range(ROWS)], [-(2**63)] * ROWS])
def test_whole_numbers_that_are_no_floats_are_drawn(numbers: list[int]) -> None:
    column = pa.chunked_array([pa.array(numbers, pa.int64())])
    figure = distribution_of_numbers("n", column, column)
    assert figure is not None
    assert sum(value["share"] for value in values(figure.spec)) == pytest.approx(200)


@pytest.mark.parametrize("odd", ["\x1b[31m", "\0", "\x7f\x85", "\ud800", "\uffff"])
def test_a_label_that_no_picture_can_show_is_drawn_with_a_sign_in_its_place(odd: str) -> None:
    """Without that, the library that draws ends the whole process."""
    column = pa.chunked_array([pa.array(range(ROWS), pa.int64())])
    figure = distribution_of_numbers("n", column, column)
    assert figure is not None
    spec = {**figure.spec, "title": {"text": f"a{odd}b"}, "usermeta": {odd: (odd,)}}
    assert to_png(spec).startswith(b"\x89PNG")
    assert re.search("a.+b", to_svg(spec))
    assert "\x1b" not in to_page(spec, "t") and "\\u001b" not in to_page(spec, "t")
