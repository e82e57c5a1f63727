"""Categories as coordinates: deterministic, few, and near where they keep the same company."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import AvatarParams, PrivacyParams, SignalParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.reduction import DIMENSIONS, fit_reduction
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import measure_signal

REDUCED = Space(use_categorical_reduction=True)


def towns(rows: int = 600, per_region: int = 15) -> pa.Table:
    """Towns lie in regions, regions have products; a town says its region, but only through company."""
    random = np.random.default_rng(3)
    region = random.integers(0, 3, rows)
    town = region * per_region + random.integers(0, per_region, rows)
    return pa.table(
        {
            "town": [f"t{i}" for i in town],
            "product": [f"p{i}" for i in region * 2 + random.integers(0, 2, rows)],
            "age": random.integers(18, 90, rows),
        }
    )


def test_information_of_tokens_is_what_it_is_by_hand() -> None:
    """Two columns that always agree, half and half: log 2 for a token with itself and its companion, else nothing."""
    codes = np.array([[0, 0], [0, 0], [1, 1], [1, 1]], dtype=np.int32)
    found = fit_reduction(codes, (2, 2), np.ones(2))
    assert found is not None
    vectors = np.vstack([table[:-1] for table in found.tokens])
    company = np.log(2) * np.array([[1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1]])
    np.testing.assert_allclose(vectors @ vectors.T, company, atol=1e-12)
    np.testing.assert_allclose(found.shares, 0.5)


def test_modalities_with_the_same_company_are_near() -> None:
    table = towns()
    encoded = [table[name].combine_chunks().dictionary_encode() for name in ("town", "product")]
    codes = np.column_stack([column.indices.to_numpy() for column in encoded]).astype(np.int32)
    sizes = [len(column.dictionary) for column in encoded]
    found = fit_reduction(codes, sizes, np.ones(2))
    assert found is not None
    vectors = found.tokens[0][:-1]
    region = np.array([int(str(name)[1:]) // 15 for name in encoded[0].dictionary.to_pylist()])
    distances = np.sqrt(((vectors[:, None] - vectors) ** 2).sum(axis=2))
    same = (region[:, None] == region) & ~np.eye(len(region), dtype=bool)
    assert distances[same].mean() < 0.9 * distances[region[:, None] != region].mean()


def test_the_space_has_at_most_twenty_coordinates_for_all_categories() -> None:
    made = avatarize(towns(), [], AvatarParams(10, REDUCED), 1)
    plain = avatarize(towns(), [], AvatarParams(10), 1)
    assert made.facts.dimensions == DIMENSIONS + 1
    assert plain.facts.dimensions == 45 + 6 + 1
    assert {fact.name: fact.dimensions for fact in made.facts.columns} == {"town": 0, "product": 0, "age": 1}
    for axis in range(made.facts.ncp):
        assert sum(shares[axis] for shares in made.facts.contributions.values()) == pytest.approx(100)


def test_modalities_are_drawn_and_never_invented() -> None:
    table = towns()
    made = avatarize(table, [], AvatarParams(10, REDUCED), 1)
    for name in ("town", "product"):
        assert set(made.unshuffled[name].to_pylist()) <= set(table[name].to_pylist())


def test_metrics_see_rows_in_the_same_space() -> None:
    table = towns()
    made = avatarize(table, [], AvatarParams(10, REDUCED), 1)
    pair = pair_up(table, made.unshuffled, [], REDUCED, 1)
    np.testing.assert_array_equal(pair.original_points[:, 0], made.original_projection["Dim. 1"].to_numpy())
    np.testing.assert_array_equal(pair.avatar_points[:, 0], made.avatar_projection["Dim. 1"].to_numpy())
    params = PrivacyParams(REDUCED, ("town", "age"), "product")
    values = measure_privacy(table, made.unshuffled, [], params, 1).values
    assert 0 <= (values["knowledge_protection_rate"] or 0) <= 100
    assert measure_signal(table, made.unshuffled, [], SignalParams(REDUCED), 1).values["hellinger_mean"] is not None


def test_a_heavier_category_counts_for_more() -> None:
    table = towns()
    shares = []
    for weight in (0.2, 5.0):
        space = Space(use_categorical_reduction=True, column_weights={"product": weight})
        facts = avatarize(table, [], AvatarParams(10, space), 1).facts
        shares.append(facts.contributions["product"][0])
    assert shares[0] < shares[1]


def test_without_categories_nothing_is_reduced() -> None:
    table = pa.table({"x": np.arange(30.0), "y": np.arange(30.0) ** 2})
    assert fit_reduction(np.empty((30, 0), dtype=np.int32), (), np.empty(0)) is None
    assert avatarize(table, [], AvatarParams(5, REDUCED), 1).unshuffled.equals(
        avatarize(table, [], AvatarParams(5), 1).unshuffled
    )


def test_thousands_of_modalities_become_a_few_coordinates() -> None:
    random = np.random.default_rng(1)
    rows = 12_000
    labels = random.integers(0, 10_000, rows)
    table = pa.table(
        {"label": [f"l{i}" for i in labels], "half": (labels < 5_000).astype(str), "x": random.normal(size=rows)}
    )
    made = avatarize(table, [], AvatarParams(5, REDUCED), 1)
    assert made.facts.dimensions <= DIMENSIONS + 1
    assert set(made.unshuffled["label"].to_pylist()) <= set(table["label"].to_pylist())
