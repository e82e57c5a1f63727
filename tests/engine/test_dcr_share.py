"""DCR share: the mean over all draws of as many people, both extremes, and an interval that holds chance."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.dcr_share import Share, dcr_share
from avatar_gitops.engine.full_space import count_nearer, fit_scales, nearest_distances, scaled
from avatar_gitops.engine.holdout import Sides, sides
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import PrivacyParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from tests.engine.conftest import synthetic


def parties(used: pa.Table, unused: pa.Table, avatars: pa.Table) -> Sides:
    return sides(pair_up(used, avatars, [], Space(), 1), unused)


def distances(found: Sides, rows: str) -> np.ndarray:
    """From each avatar to each of the people, in all dimensions."""
    scales = fit_scales(found.space, found.members)
    avatars, people = scaled(scales, found.avatars), scaled(scales, getattr(found, rows))
    return np.array(
        [nearest_distances(scales, people.take(slice(j, j + 1)), avatars) for j in range(getattr(found, rows).rows)]
    ).T


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1_000), st.integers(20, 22))
def test_the_share_is_the_mean_over_all_ways_to_draw_as_many_people(seed: int, others: int) -> None:
    random = np.random.default_rng(seed)

    def people(rows: int) -> pa.Table:  # few different ones, so that ties and copies are common
        kind = np.array(["a", "b", "c"])[random.integers(0, 3, rows)]
        return pa.table({"number": random.integers(0, 4, rows).astype(float), "kind": kind})

    found = parties(used := people(others + 2), people(others), people(used.num_rows))
    far, near = distances(found, "others").min(axis=1), distances(found, "members")
    shares = []
    for drawn in combinations(range(others + 2), others):
        best = near[:, drawn].min(axis=1)
        shares.append(((best < far - 1e-9) + 0.5 * (abs(best - far) <= 1e-9)).mean())
    assert dcr_share(found, 1).percent == pytest.approx(100 * np.mean(shares))


@given(st.integers(0, 1_000), st.floats(0, 6))
@example(seed=543, radius=1e-110)  # no distance is less than one that is as good as none
@settings(max_examples=20, deadline=None)
def test_people_within_a_radius_are_counted_one_by_one(seed: int, radius: float) -> None:
    found = parties(synthetic(40, seed=seed), synthetic(20, seed=seed + 1), synthetic(40, seed=seed + 2))
    scales = fit_scales(found.space, found.members)
    near = distances(found, "members")
    radii = np.where(np.arange(40) % 2 == 0, radius, near[:, 7])  # half of them have a person just on the border
    closer, tied = count_nearer(scales, scaled(scales, found.members), scaled(scales, found.avatars), radii)
    assert closer == pytest.approx((near < radii[:, None] - 1e-9).sum(axis=1))
    assert tied == pytest.approx((abs(near - radii[:, None]) <= 1e-9).sum(axis=1))


def test_copies_of_used_people_are_nearer_to_them_and_copies_of_others_are_not() -> None:
    used, unused = synthetic(200, seed=1), synthetic(200, seed=2)
    assert dcr_share(parties(used, unused, used), 1).percent > 95
    assert dcr_share(parties(used, unused, unused), 1).percent < 5


def test_chance_lies_in_the_interval_as_often_as_it_says() -> None:
    held = [_strangers(seed).interval for seed in range(0, 180, 3)]
    inside = sum(low <= 50 <= high for low, high in held)
    assert inside >= 53, "of 60; a 95 % interval holds chance in fewer with a probability of 2 %"


def _strangers(seed: int) -> Share:
    used, unused, avatars = (synthetic(rows, seed=seed + at) for at, rows in enumerate((150, 60, 150)))
    return dcr_share(parties(used, unused, avatars), 1)


def test_no_more_observations_are_claimed_than_there_are_unused_people() -> None:
    found = _strangers(0)
    assert found.independent == 60
    assert found.interval[0] < found.percent < found.interval[1]


def test_quantiles_of_the_nearest_distances_stand_beside_those_of_people_not_used() -> None:
    used, unused = synthetic(200, seed=1), synthetic(200, seed=2)
    found = measure_privacy(used, used, [], PrivacyParams(), 1, unused)
    assert found.values["distance_to_closest_share"] == dcr_share(parties(used, unused, used), 1).percent
    for name in ("distance_to_closest_p5", "closest_distances_ratio_p5"):
        assert (found.values[name] or 0) < found.references[name]
