"""Power scales of skewed numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import AvatarParams, Generation, Space
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.transforms import Transforms, fit_transforms, skewness

SCALED = Space(transform_skewed=True)


def incomes(rows: int = 500) -> pa.Table:
    random = np.random.default_rng(5)
    amount = np.exp(random.normal(8, 1.2, rows))
    return pa.table(
        {
            "income": np.round(amount, 2),
            "balance": np.round(random.gamma(0.5, 1_000, rows) - 200, 2),
            "age": np.clip(np.round(random.normal(45, 12, rows)), 18, 90).astype(np.int64),
            "visits": random.geometric(0.2, rows) - 1,
            "seen": pa.array((random.exponential(1e6, rows)).astype(np.int64)).cast(pa.timestamp("s")),
        }
    )


def fitted(table: pa.Table) -> tuple[Transforms, list[str]]:
    layout = fit_layout(table, [])
    found = fit_transforms(layout, encode(layout, table))
    return found, [layout.numbers[scale.column].name for scale in found.scales]


def test_skewed_numbers_are_scaled_and_dates_are_not() -> None:
    assert fitted(incomes())[1] == ["income", "balance", "visits"]


def test_powers_are_the_most_likely_ones() -> None:
    """As scipy finds them for the same values."""
    table = incomes()
    found, _ = fitted(table)
    income, balance, visits = (table[name].to_numpy() for name in ("income", "balance", "visits"))
    assert [scale.positive for scale in found.scales] == [True, False, False]
    assert found.scales[0].power == pytest.approx(stats.boxcox_normmax(income, method="mle"), abs=2e-3)
    assert found.scales[1].power == pytest.approx(stats.yeojohnson_normmax(balance), abs=2e-3)
    assert found.scales[2].power == pytest.approx(stats.yeojohnson_normmax(visits.astype(float)), abs=2e-3)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=60),
    st.floats(-3, 3),
    st.integers(0, 1_000),
)
def test_the_way_back_is_exact_enough_to_print(values: list[float], power: float, seed: int) -> None:
    numbers = np.sign(values) * np.abs(values) ** np.exp(power / 3)
    numbers = np.round(np.concatenate([numbers, np.random.default_rng(seed).exponential(size=30) ** 4 * 100]), 3)
    table = pa.table({"x": numbers})
    layout = fit_layout(table, [])
    frame = encode(layout, table)
    found = fit_transforms(layout, frame)
    back = found.invert(found.apply(frame)).numbers[:, 0]
    largest = np.abs(numbers).max()
    np.testing.assert_allclose(back, frame.numbers[:, 0], rtol=1e-6, atol=1e-7 * max(1.0, largest))


def test_skewness_is_the_third_standardised_moment() -> None:
    values = np.random.default_rng(0).exponential(size=1_000)
    assert skewness(values) == pytest.approx(stats.skew(values))
    assert skewness(values * 1e200) == pytest.approx(stats.skew(values))
    assert skewness(np.full(5, 3.0)) == skewness(np.array([1.0, 9.0])) == 0


@pytest.mark.parametrize("generation", Generation)
def test_avatars_stay_in_the_range_of_their_originals(generation: Generation) -> None:
    table = incomes()
    made = avatarize(table, [], AvatarParams(10, SCALED, generation), 1)
    assert made.unshuffled.schema.equals(table.schema)
    for name in table.column_names:
        assert min(table[name].to_pylist()) <= min(made.unshuffled[name].to_pylist())
        assert max(made.unshuffled[name].to_pylist()) <= max(table[name].to_pylist())


def test_large_values_decide_less_about_who_is_near() -> None:
    table = incomes()
    plain, scaled = (pair_up(table, table, [], space, 1).original_points for space in (Space(), SCALED))
    kurtosis = [float(stats.kurtosis(np.sqrt((points**2).sum(axis=1)))) for points in (plain, scaled)]
    assert kurtosis[1] < kurtosis[0]


def test_tables_without_skewed_numbers_are_left_alone() -> None:
    table = incomes().select(["age", "seen"])
    plain, scaled = (avatarize(table, [], AvatarParams(10, space), 1).unshuffled for space in (Space(), SCALED))
    assert plain.equals(scaled)


def test_numbers_that_no_original_could_be_are_measured_as_the_least() -> None:
    table = incomes()
    strangers = table.set_column(0, "income", pa.array(np.full(table.num_rows, -5.0)))
    points = pair_up(table, strangers, [], SCALED, 1).avatar_points
    assert np.isfinite(points).all()


def test_missing_values_stay_missing_on_a_scale() -> None:
    table = incomes()
    mask = np.random.default_rng(0).random(table.num_rows) < 0.3
    table = table.set_column(0, "income", pa.array(table["income"].to_numpy(), mask=mask))
    made = avatarize(table, [], AvatarParams(10, SCALED), 1)
    assert made.unshuffled["income"].null_count / table.num_rows == pytest.approx(mask.mean(), abs=0.1)
