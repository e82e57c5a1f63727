"""Attacks on people who were used, with people who were not as control: formulas by hand, laws, and both extremes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.controlled import MEMBERSHIP, RISKS, SHARE, shadow
from avatar_gitops.engine.full_space import fit_scales, nearest_distances, scaled
from avatar_gitops.engine.holdout import Sides, sides, split
from avatar_gitops.engine.linking import inference_risk, linkability_risks
from avatar_gitops.engine.membership import area, attack_membership, log_density, rate_at
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import AvatarParams, Metrics, PrivacyParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.risk import Rate, rate, risk
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.singling_out import Values, single_out
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic


def halves(rows: int = 300) -> tuple[pa.Table, pa.Table]:
    table = synthetic(2 * rows, missing=0.05)
    return table.slice(0, rows), table.slice(rows)


def parties(avatars: pa.Table | None = None) -> Sides:
    used, unused = halves()
    return sides(pair_up(used, used if avatars is None else avatars, [], Space(), 1), unused)


def measured(params: PrivacyParams | None = None, *, holdout: bool = True) -> Metrics:
    used, unused = halves()
    return measure_privacy(used, used, [], params or PrivacyParams(), 1, unused if holdout else None)


def test_success_rates_are_those_of_the_published_formula() -> None:
    found = rate(50, 500)
    assert found.value == pytest.approx(0.1031, abs=1e-4)
    assert found.error == pytest.approx(0.0264, abs=1e-4)


def test_a_risk_is_the_gain_over_the_control() -> None:
    found = risk(Rate(0.4, 0.03), Rate(0.2, 0.02), 100, Rate(0.1, 0.01))
    assert found.percent == pytest.approx(25.0)
    # sqrt((0.03 / 0.8)² + (0.6 · 0.02 / 0.64)²)
    assert found.interval[1] - found.percent == pytest.approx(100 * 0.0419262746)
    assert not found.weak
    assert risk(Rate(0.1, 0.03), Rate(0.2, 0.02), 100, Rate(0.1, 0.01)).percent == 0
    assert risk(Rate(0.1, 0.03), Rate(0.2, 0.02), 100, Rate(0.1, 0.01)).weak


def test_areas_and_rates_by_hand() -> None:
    members, others = np.array([3.0, 2.0, 2.0, 0.0]), np.array([2.0, 1.0])
    # pairs won: 3 beats both, each 2 ties with one and beats one, 0 loses both
    assert area(members, others) == pytest.approx((2 + 1.5 + 1.5 + 0) / 8)
    # 3 is above 2, which half of the others has: of those with 2, a fiftieth is called
    assert rate_at(members, others, 0.01) == pytest.approx(25 + 50 / 50)
    assert rate_at(members, others, 0.5) == pytest.approx(75)
    assert rate_at(members, np.array([3.0, 3.0]), 0.1) == pytest.approx(2.5)


@given(
    arrays.arrays(np.float64, 12, elements=st.integers(0, 5)), arrays.arrays(np.float64, 9, elements=st.integers(0, 5))
)
def test_an_area_is_the_share_of_pairs_won(members: Floats, others: Floats) -> None:
    won = (members[:, None] > others) + 0.5 * (members[:, None] == others)
    assert area(members, others) == pytest.approx(won.mean())
    assert area(members, others) + area(others, members) == pytest.approx(1)


def test_a_kernel_density_is_the_mean_of_its_kernels() -> None:
    random = np.random.default_rng(1)
    sample, points = random.normal(size=(30, 2)), random.normal(size=(7, 2))
    covariance = np.cov(sample.T) * 30 ** (-2 / 6)
    inverse = np.linalg.inv(covariance)
    difference = points[:, None] - sample
    kernels = np.exp(-0.5 * np.einsum("qsi,ij,qsj->qs", difference, inverse, difference))
    expected = np.log(kernels.mean(axis=1)) - 0.5 * np.log(np.linalg.det(covariance))
    assert log_density(sample, points) == pytest.approx(expected, abs=1e-6)


def test_distances_are_those_of_scaled_columns() -> None:
    found = parties()
    scales = fit_scales(found.space, found.members)
    rows, asked = scaled(scales, found.members), scaled(scales, found.others)
    mean, deviation = (getattr(found.space.completed.numbers, of)(axis=0) for of in ("mean", "std"))

    def dense(placed_numbers: Floats, codes: np.ndarray) -> Floats:
        parts = [(placed_numbers - mean) / deviation]
        for column in range(codes.shape[1]):
            everyone = np.hstack([found.members.completed.codes, found.members.indicators])[:, column]
            kinds = np.unique(everyone)
            share = np.array([(everyone == kind).mean() for kind in kinds])
            parts.append((codes[:, column, None] == kinds) / np.sqrt(share))
        return np.hstack(parts)

    sheets = [
        dense(side.completed.numbers, np.hstack([side.completed.codes, side.indicators]))
        for side in (found.members, found.others)
    ]
    all_pairs = np.sqrt(((sheets[1][:, None] - sheets[0]) ** 2).sum(axis=2))
    assert nearest_distances(scales, rows, asked) == pytest.approx(all_pairs.min(axis=1), abs=1e-5)
    own = np.arange(found.members.rows)
    alone = np.sqrt(((sheets[0][:, None] - sheets[0]) ** 2).sum(axis=2))
    np.fill_diagonal(alone, np.inf)
    assert nearest_distances(scales, rows, rows, own) == pytest.approx(alone.min(axis=1), abs=1e-5)


def test_released_originals_give_everything_away() -> None:
    found = measured(PrivacyParams(known_variables=("age", "group", "site"), target="weight"))
    assert (found.values["membership_auc"] or 0) > 0.9
    assert (found.values["membership_tpr_at_1_fpr"] or 0) > 50
    assert (found.values["linkability_risk"] or 0) > 10
    assert found.targets["membership_auc"] == "<= 0.55"


def test_people_of_the_same_law_give_nobody_away() -> None:
    stranger = synthetic(300, seed=99, missing=0.05)
    found = attack_membership(parties(stranger), 1)
    for success in (found.distance, found.density):
        assert success is not None
        assert success.auc_interval[0] < 0.5
        assert success.auc < 0.55
    one, five = linkability_risks(parties(stranger), (), 1)
    assert one.interval[0] == 0
    assert five.interval[0] == 0
    guessed = inference_risk(parties(stranger), (), "group", 1)
    assert guessed is not None
    assert guessed.interval[0] == 0
    several = single_out(parties(stranger), 1, multivariate=True)
    assert several is not None
    assert several.interval[0] == 0


def test_every_figure_stands_inside_its_interval_and_is_drawn_from_the_seed_alone() -> None:
    params = PrivacyParams(known_variables=("age",), target="group")
    found = measured(params)
    for name in (*MEMBERSHIP, SHARE, *RISKS):
        value = found.values[name]
        if value is not None:
            low, high = found.intervals[name]
            assert low <= value <= high, name
    assert found == measured(params)


def test_without_a_control_nothing_is_claimed() -> None:
    found = measured(holdout=False)
    assert {found.values[name] for name in (*MEMBERSHIP, SHARE, *RISKS)} == {None}
    assert all("Not measured" in found.notes[name] for name in (*MEMBERSHIP, SHARE, *RISKS))


def test_a_shadow_run_is_attacked_where_no_holdout_is_given() -> None:
    found = measured(PrivacyParams(shadow=AvatarParams(5)), holdout=False)
    assert found.values["membership_auc"] is not None
    assert found.notes["membership_auc"].startswith("Shadow run")
    parts = shadow(halves()[0], [], Space(), AvatarParams(5), 1)
    assert (parts.members.rows, parts.others.rows, parts.avatars.rows) == (240, 60, 240)


def test_a_small_table_has_no_shadow() -> None:
    small = synthetic(60)
    found = measure_privacy(small, small, [], PrivacyParams(shadow=AvatarParams(5)), 1)
    assert found.values["membership_auc"] is None
    assert "at least 100 rows" in found.notes["membership_auc"]


def test_a_holdout_that_does_not_fit_is_refused() -> None:
    used, unused = halves()
    with pytest.raises(EngineError, match="does not have the column 'weight'"):
        measure_privacy(used, used, [], PrivacyParams(), 1, unused.drop_columns(["weight"]))
    with pytest.raises(EngineError, match="fewer than 20 rows"):
        measure_privacy(used, used, [], PrivacyParams(), 1, unused.slice(0, 19))


@given(st.integers(2, 500), st.floats(0.01, 0.9), st.integers(0, 5))
def test_a_split_is_of_everybody_once(rows: int, share: float, seed: int) -> None:
    used, apart = split(rows, share, seed, "t")
    assert sorted([*used, *apart]) == list(range(rows))
    assert len(apart) == max(1, round(share * rows))
    assert np.array_equal(used, split(rows, share, seed, "t")[0])


@settings(max_examples=50)
@given(st.data())
def test_a_predicate_is_counted_as_row_by_row(data: st.DataObject) -> None:
    element = st.one_of(st.integers(0, 4).map(float), st.just(float("nan")))
    columns = tuple(data.draw(arrays.arrays(np.float64, 15, elements=element)) for _ in range(3))
    orders = tuple(np.argsort(column, kind="stable") for column in columns)
    ends = [int((~np.isnan(column)).sum()) for column in columns]
    ordered = tuple(c[o][:end] for c, o, end in zip(columns, orders, ends, strict=True))
    bounds = [sorted(data.draw(st.tuples(st.integers(-1, 5), st.integers(-1, 5)))) for _ in columns]
    predicate = tuple((at, float(low), float(high)) for at, (low, high) in enumerate(bounds))
    wanted = np.all([(c >= low) & (c <= high) for c, (low, high) in zip(columns, bounds, strict=True)], axis=0)
    assert Values(columns, ordered, orders).count(predicate) == wanted.sum()


def test_a_sole_value_that_comes_back_singles_out() -> None:
    used, unused = halves()
    odd = pa.array([*range(1000, 1300)])
    used, unused = (t.set_column(0, "age", v) for t, v in ((used, odd), (unused, pa.array([*range(2000, 2300)]))))
    found = single_out(sides(pair_up(used, used, [], Space(), 1), unused), 1, multivariate=False)
    assert found is not None
    assert found.percent > 40


@pytest.mark.parametrize(
    ("column", "known", "groups"),
    [
        (pa.array([1.5] + [None] * 99), ("r",), ()),
        (pa.array(["v"] + [None] * 99), (), ("r",)),
        (pa.array([f"q{i}" for i in range(99)] + ["q0"]), (), ()),
    ],
    ids=["target known once", "group of one row", "text with one copy"],
)
def test_a_shadow_run_on_a_part_that_lacks_something_is_told(
    column: pa.Array, known: tuple[str, ...], groups: tuple[str, ...]
) -> None:
    random = np.random.default_rng(0)
    original = pa.table({"x": random.normal(size=100), "y": random.normal(size=100), "r": column})
    avatars = avatarize(original, (), AvatarParams(3), 1).unshuffled
    params = PrivacyParams(known_variables=known, target=known[0] if known else None, groups=groups)
    params = replace(params, shadow=AvatarParams(3))
    notes = [measure_privacy(original, avatars, (), params, seed).notes["membership_auc"] for seed in range(12)]
    assert any(note.startswith("Not measured: a random 80 % of the rows is too little") for note in notes)


def test_a_shadow_run_with_too_few_rows_for_its_neighbours_is_told() -> None:
    random = np.random.default_rng(0)
    original = pa.table({"x": random.normal(size=100), "y": random.normal(size=100)})
    avatars = avatarize(original, (), AvatarParams(90), 1).unshuffled
    found = measure_privacy(original, avatars, (), PrivacyParams(shadow=AvatarParams(90)), 1)
    assert found.values["membership_auc"] is None
    assert "k is 90" in found.notes["membership_auc"]
