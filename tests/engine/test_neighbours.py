"""Exact neighbours, the row itself excluded."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from avatar_gitops.engine.neighbours import build_neighbourhood, nearest_others


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(1, 4), st.integers(0, 1000), st.data())
def test_neighbours_are_the_nearest_others(rows: int, axes: int, seed: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, rows - 1))
    random = np.random.default_rng(seed)
    points = random.integers(0, 4, (rows, axes)).astype(float)  # many duplicates and ties
    distances, found = nearest_others(build_neighbourhood(points, random, k), np.arange(rows), k)
    exact = cdist(points, points)
    np.fill_diagonal(exact, np.inf)
    np.testing.assert_allclose(distances, np.sort(exact, axis=1)[:, :k])
    np.testing.assert_allclose(np.take_along_axis(exact, found, axis=1), distances)
    assert all(len(set(row)) == k for row in found.tolist())


def test_a_row_with_many_copies_never_finds_itself() -> None:
    points = np.zeros((500, 2))
    distances, found = nearest_others(build_neighbourhood(points, np.random.default_rng(0), 5), np.arange(500), 5)
    assert (found != np.arange(500)[:, None]).all()
    assert (distances == 0).all()


def test_which_of_equally_near_rows_is_taken_depends_on_chance() -> None:
    points = np.zeros((200, 1))
    taken = [
        nearest_others(build_neighbourhood(points, np.random.default_rng(seed), 3), np.array([0]), 3)[1].tolist()
        for seed in range(5)
    ]
    assert len({tuple(rows[0]) for rows in taken}) > 1


def test_a_table_of_copies_is_indexed_by_as_many_as_can_be_neighbours() -> None:
    points = np.repeat(np.eye(3), 4_000, axis=0)
    hood = build_neighbourhood(points, np.random.default_rng(0), 5)
    assert len(hood.order) == 3 * 6
    distances, found = nearest_others(hood, np.arange(12_000), 5)
    assert (distances == 0).all()
    assert (found // 4_000 == np.arange(12_000)[:, None] // 4_000).all()
