"""Distances of curves: cell by cell as by hand, with intervals that hold the distance between the whole populations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.resampling import Resampling, resampling, squared_interval
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.distances import WIDTH, Distances, density_distances, pointwise_distances
from avatar_gitops.engine.signal import binned, hellinger

POINTS = 12
MANY = 20_000
TRIES = 40
TIMES = np.linspace(0, 3, POINTS)

Law = Callable[[int, np.random.Generator], tuple[Floats, Floats]]


def curves(people: int, random: np.random.Generator, noise: float = 0.5) -> Floats:
    """People with a level and a swing of their own, one variable (people, 1, points); cut, so that bins are fixed."""
    level, swing = random.normal(size=(2, people, 1, 1))
    found = level + 0.7 * swing * np.sin(TIMES) + noise * random.normal(size=(people, 1, POINTS))
    return np.asarray(found)


def equal_law(people: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Avatars like their originals, with the same law."""
    original = curves(people, random)
    return cut(original), cut(0.8 * original + 0.6 * curves(people, random))


def nearer_the_mean(people: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Avatars that shrink, more and more in time."""
    original = curves(people, random)
    return cut(original), cut(original * np.linspace(0.9, 0.5, POINTS))


def cut(values: Floats) -> Floats:
    return np.clip(values, -1.0, 1.0)


def by_person(values: Floats) -> Curves:
    people, variables, points = values.shape
    rows = np.moveaxis(values, 2, 1).reshape(-1, variables)
    owners, times = np.repeat(np.arange(people), points), np.tile(np.arange(points, dtype=np.float64), people)
    return Curves(owners, times, rows, np.full(people, points))


def draw_of(people: int, seed: int = 1) -> Resampling:
    return resampling(people, WIDTH, np.random.default_rng(seed))


def measured(original: Floats, avatar: Floats, seed: int = 1) -> dict[str, Distances]:
    draw = draw_of(len(original), seed)
    return {
        "pointwise": pointwise_distances(original, avatar, draw),
        "density": density_distances(by_person(original), by_person(avatar), draw),
    }


def test_each_cell_is_at_its_own_distance_however_many_there_are() -> None:
    random = np.random.default_rng(2)
    original, avatar = random.normal(size=(2, 30, 3, 50))
    original[:4, 1, 20] = np.nan
    found = pointwise_distances(original, avatar, draw_of(30))
    cells = [[hellinger(*binned(original[:, v, t], avatar[:, v, t])) for t in range(50)] for v in range(3)]
    assert found.values == pytest.approx(np.array(cells))


@pytest.mark.parametrize("law", [equal_law, nearer_the_mean])
def test_intervals_hold_the_distance_between_populations(law: Law) -> None:
    """The plain value does not: with 40 people most of a distance may be chance."""
    truth = measured(*law(MANY, np.random.default_rng(99)))
    hits = dict.fromkeys(("pointwise mean", "pointwise std", "density mean"), 0)
    for seed in range(TRIES):
        found = measured(*law(40, np.random.default_rng(seed)), seed)
        for name in hits:
            what, how = name.split()
            low, high = getattr(found[what], f"{how}_interval")
            value, wanted = (getattr(side[what].values, how)() for side in (found, truth))
            hits[name] += low <= wanted <= max(high, value)
    assert min(hits.values()) >= 0.9 * TRIES, hits


def test_people_are_resampled_and_not_their_points() -> None:
    """Constant curves say no more with 12 points than with one, and the interval must not narrow."""
    random = np.random.default_rng(4)
    original = np.repeat(random.normal(size=(80, 1, 1)), POINTS, axis=2)
    avatar = np.repeat(random.normal(size=(80, 1, 1)) * 0.4, POINTS, axis=2)
    of_many = measured(original, avatar)["density"]
    of_one = measured(original[:, :, :1], avatar[:, :, :1])["density"]
    assert of_many.mean_interval == pytest.approx(of_one.mean_interval)


def test_intervals_narrow_with_the_people_and_leave_zero() -> None:
    widths = []
    for people in (50, 800):
        low, high = measured(*nearer_the_mean(people, np.random.default_rng(6)))["pointwise"].mean_interval
        widths.append(high - low)
    assert widths[1] < widths[0] / 3
    assert low > 0.1


def test_copies_are_at_no_distance_for_sure() -> None:
    original = curves(20, np.random.default_rng(3))
    for found in measured(original, original).values():
        assert found.mean_interval == found.std_interval == (0.0, 0.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    sides = nearer_the_mean(40, np.random.default_rng(3))
    once, again, other = (measured(*sides, seed)["pointwise"].mean_interval for seed in (1, 1, 2))
    assert once == again != other


def test_resamples_without_series_are_left_out() -> None:
    resampled = np.array([0.3, np.nan, 0.32, 0.34])
    low, high = squared_interval(0.3, resampled, 1.0)
    assert 0.2 < low < high < 0.3  # whoever keeps the value inside widens it
    assert squared_interval(0.3, np.array([np.nan]), 1.0) == (0.0, 1.0)
