"""Donor audit, census of what is rare, association, coverage, propensity and utility: examples by hand and extremes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.associations import (
    category_coverage,
    correlation_ratio,
    cramers_v,
    pearson,
    range_coverage,
)
from avatar_gitops.engine.donors import dominance, nearest_donors
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import PrivacyParams, SignalParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.propensity import pmse_ratio
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.engine.utility import predict_target
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic


def paired(original: pa.Table, avatars: pa.Table) -> Pair:
    return pair_up(original, avatars, [], Space(), 1)


def test_the_nearest_donors_are_never_the_own_person() -> None:
    originals = np.array([[0.0], [1.0], [4.0], [4.0], [4.0], [4.0]])
    avatars = np.array([[0.1], [3.0], [4.0], [4.0], [1.0], [0.0]])
    nearest, second = nearest_donors(originals, avatars, np.arange(6))
    assert nearest == pytest.approx([0.9, 1.0, 0.0, 0.0, 0.0, 0.0])
    assert second == pytest.approx([3.9, 1.0, 0.0, 0.0, 1.0, 1.0])


def test_dominance_is_the_share_of_the_nearer_donor() -> None:
    found = dominance(np.array([0.0, 1.0, 1.0, 0.0]), np.array([2.0, 1.0, 9.5, 0.0]))
    assert found == pytest.approx([1.0, 0.5, 9.5 / 10.5, 0.5])


def test_an_avatar_that_copies_somebody_else_is_dominated() -> None:
    table = synthetic(200)
    turned = table.take(pa.array(np.roll(np.arange(200), 1)))
    found = measure_privacy(table, turned, [], PrivacyParams(), 1)
    assert (found.values["dominated_avatars_rate"] or 0) > 90
    assert found.values["donor_distance"] == pytest.approx(0, abs=1e-9)


def test_a_census_by_hand() -> None:
    original = pa.table({"x": [1, 2, 2, 3, 3, 3, 9, 2], "c": ["a"] * 5 + ["b", "b", "rare"]})
    avatars = pa.table({"x": [1, 2, 2, 3, 3, 3, 3, 3], "c": ["a"] * 6 + ["rare", "rare"]})
    found = measure_privacy(original, avatars, [], PrivacyParams(known_variables=("x", "c")), 1).values
    assert found["rare_modalities_rate"] == pytest.approx(200 / 3)
    assert found["rare_modalities_released_rate"] == pytest.approx(50)
    assert found["extremes_released_rate"] == pytest.approx(50)  # 1 comes back, 9 does not
    # before: (1,a) 1, (2,a) 2, (3,a) 2, (3,b) 1, (9,b) 1, (2,rare) 1; after: (1,a) 1, (2,a) 2, (3,a) 3, (3,rare) 2
    assert found["unique_combinations_rate"] == pytest.approx(50)
    assert found["replicated_uniques_rate"] == pytest.approx(12.5)
    assert found["k_map"] == 1


def test_quasi_identifiers_must_be_named_to_be_counted() -> None:
    found = measure_privacy(synthetic(100), synthetic(100, seed=8), [], PrivacyParams(), 1)
    assert found.values["k_map"] is None
    assert found.notes["k_map"] == "No known variables are given."


def test_associations_by_hand() -> None:
    x = np.array([1.0, 2.0, 3.0, np.nan])
    assert pearson(x, np.array([2.0, 4.0, 6.0, 1.0])) == pytest.approx(1)
    assert np.isnan(pearson(x, np.array([5.0, 5.0, 5.0, 1.0])))
    # group means 1 and 4 around 2.5: between 9, whole 9 + 2 · 2 · 0.25 = 10
    numbers, codes = np.array([0.5, 1.5, 3.5, 4.5]), np.array([0, 0, 1, 1], dtype=np.int32)
    assert correlation_ratio(numbers, codes, 2) == pytest.approx(np.sqrt(9 / 10))


def test_an_association_of_categories_is_corrected_for_bias() -> None:
    one = np.repeat(np.arange(2, dtype=np.int32), 10)
    assert cramers_v(one, one, (2, 2)) == pytest.approx(1)
    # 6 4 / 4 6: phi² = 0.04 below its expectation 1/19
    two = np.array([0] * 6 + [1] * 4 + [0] * 4 + [1] * 6, dtype=np.int32)
    assert cramers_v(one, two, (2, 2)) == 0
    # 8 2 / 2 8: phi² = 0.36, corrected 0.36 - 1/19 over 2 - 1/19 - 1
    three = np.array([0] * 8 + [1] * 2 + [0] * 2 + [1] * 8, dtype=np.int32)
    assert cramers_v(one, three, (2, 2)) == pytest.approx(np.sqrt((0.36 - 1 / 19) / (1 - 1 / 19)))


def test_coverage_by_hand() -> None:
    found = paired(pa.table({"x": [0, 10, 5], "c": ["a", "b", "a"]}), pa.table({"x": [4, 9, 12], "c": ["a", "a", "a"]}))
    assert range_coverage(found) == pytest.approx(0.6)
    assert category_coverage(found) == pytest.approx(0.5)


def test_a_propensity_score_tells_other_laws_only() -> None:
    original = synthetic(1500, seed=1)
    same, other = synthetic(1500, seed=2), synthetic(1500, seed=2)
    other = other.set_column(0, "age", pa.array(np.asarray(other["age"]) + 4))
    likeness, difference = (pmse_ratio(paired(original, table), 1) for table in (same, other))
    assert likeness is not None
    assert difference is not None
    assert 0.1 < likeness < 3
    assert difference > 5


@pytest.mark.parametrize("target", ["weight", "group"])
def test_a_model_learns_as_much_from_equal_avatars_and_nothing_from_shuffled_ones(target: str) -> None:
    table = synthetic(400)
    mixed = table.set_column(
        table.column_names.index(target),
        target,
        table[target].take(pa.array(np.random.default_rng(0).permutation(400))),
    )
    equal, lost = (predict_target(paired(table, avatars), target, 1) for avatars in (table, mixed))
    assert equal is not None
    assert lost is not None
    assert equal.loss == 0
    assert equal.originals > 50
    assert lost.originals == equal.originals
    assert lost.loss > 15
    assert lost.interval[0] <= lost.loss <= lost.interval[1]


def test_a_target_must_be_a_modelled_column() -> None:
    table = synthetic(100)
    with pytest.raises(EngineError, match="target 'weigth'"):
        measure_signal(table, table, [], SignalParams(target="weigth"), 1)
