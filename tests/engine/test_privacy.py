"""Privacy metrics: definitions against plain re-computation, identity, independence, ties, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from avatar_gitops.engine import distances as module
from avatar_gitops.engine.distances import nearest_two, rank_own, ratio
from avatar_gitops.engine.intervals import median_interval, wilson
from avatar_gitops.engine.kernels.library import SWITCH
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, ColumnType, Metrics, PrivacyParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import read_table
from avatar_gitops.engine.targets import meta_privacy, targets
from avatar_gitops.errors import EngineError

FULL = PrivacyParams(known_variables=("age", "site"), target="group")
KEYS = {
    "hidden_rate",
    "local_cloaking",
    "categorical_hidden_rate",
    "column_direct_match_protection",
    "row_direct_match_protection",
    "distance_to_closest",
    "closest_distances_ratio",
    "closest_rate",
    "correlation_protection_rate",
    "knowledge_protection_rate",
    "linkability_protection_rate",
    "inference_continuous",
    "inference_categorical",
    "inference_accuracy_ratio",
}


def value(metrics: Metrics, name: str) -> float:
    found = metrics.values[name]
    assert found is not None
    return found


def permuted(table: pa.Table, seed: int = 0) -> pa.Table:
    """Each column shuffled on its own: nothing links a row to its original."""
    random = np.random.default_rng(seed)
    return pa.table({n: table[n].take(pa.array(random.permutation(table.num_rows))) for n in table.column_names})


def test_both_generations_of_keys_are_there(table: pa.Table) -> None:
    metrics = measure_privacy(table, avatarize(table, [], AvatarParams(5), 1).unshuffled, [], FULL, 1)
    assert metrics.values.keys() >= KEYS
    assert metrics.values["correlation_protection_rate"] == metrics.values["knowledge_protection_rate"]
    assert metrics.values["inference_continuous"] is None
    assert metrics.meta is not None
    assert 0 < metrics.meta <= 100
    for name, (low, high) in metrics.intervals.items():
        assert low - 1e-9 <= value(metrics, name) <= high + 1e-9, name
    assert set(metrics.notes) >= {name for name, found in metrics.values.items() if found is None}
    assert metrics.population.keys() == {name for name, found in metrics.values.items() if found is not None}


def test_measuring_twice_gives_the_same_numbers(table: pa.Table) -> None:
    avatars = avatarize(table, [], AvatarParams(5), 1).unshuffled
    assert measure_privacy(table, avatars, [], FULL, 1) == measure_privacy(table, avatars, [], FULL, 1)


def test_originals_as_their_own_avatars_are_wide_open(table: pa.Table) -> None:
    metrics = measure_privacy(table, table, [], FULL, 1)
    for name in ("hidden_rate_strict", "local_cloaking", "distance_to_closest", "row_direct_match_protection"):
        assert metrics.values[name] == 0.0
    assert value(metrics, "closest_rate") < 20
    assert value(metrics, "inference_accuracy_ratio") < 100


def test_ties_hide_only_in_the_compatible_reading() -> None:
    """Rows 1 and 2 are equal: each is as near to the other's avatar as to its own; the first wins the tie."""
    same = pa.table({"x": [0.0, 5.0, 5.0, 9.0]})
    metrics = measure_privacy(same, same, [], PrivacyParams(), 1)
    assert metrics.values["hidden_rate"] == 25.0
    assert metrics.values["hidden_rate_strict"] == 0.0
    assert metrics.values["local_cloaking_mean"] == 0.5
    assert metrics.values["local_cloaking_zero_share"] == 50.0


def test_columns_shuffled_on_their_own_are_safe(table: pa.Table) -> None:
    metrics = measure_privacy(table, permuted(table), [], FULL, 1)
    assert value(metrics, "hidden_rate") > 98.0
    assert value(metrics, "knowledge_protection_rate") > 97.0
    assert value(metrics, "linkability_protection_rate") > 97.0
    assert value(metrics, "closest_rate") > 90.0


Points = npt.NDArray[np.float64]


def brute_rank(originals: Points, avatars: Points) -> list[tuple[int, int, bool]]:
    exact = np.round(cdist(originals, avatars), 9)
    ranks = []
    for i, row in enumerate(exact):
        ties = np.flatnonzero(row == row[i])
        ranks.append((int((row < row[i]).sum()), len(ties) - 1, bool(ties.min() < i)))
    return ranks


@pytest.mark.parametrize("way", ["kernels", "all pairs", "tree"])
@settings(deadline=None)
@given(rows=st.integers(2, 40), seed=st.integers(0, 500), whole=st.booleans())
def test_ranks_are_exact(way: str, rows: int, seed: int, whole: bool) -> None:
    random = np.random.default_rng(seed)
    originals, avatars = random.normal(size=(2, rows, 2)) * 2
    if whole:
        originals, avatars = np.round(originals), np.round(avatars)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "" if way == "kernels" else "portable")
        if way == "tree":
            patch.setattr(module, "_BRUTE_POINTS", 0)
            patch.setattr(module, "_BRUTE_CELLS", 0)
        found = rank_own(originals, avatars)
    expected = brute_rank(originals, avatars)
    assert found.closer.tolist() == [rank[0] for rank in expected]
    assert found.tied.tolist() == [rank[1] for rank in expected]
    hidden = (found.closer > 0) | found.earlier
    assert hidden.tolist() == [rank[0] > 0 or rank[2] for rank in expected]


def test_distances_and_ratios_are_exact() -> None:
    random = np.random.default_rng(0)
    points, queries = random.normal(size=(50, 3)), random.normal(size=(30, 3))
    nearest, second = nearest_two(points, queries)
    exact = np.sort(cdist(queries, points), axis=1)
    np.testing.assert_allclose(np.stack([nearest, second]), exact[:, :2].T)
    assert ratio(np.array([0.0, 0.0, 1.0]), np.array([0.0, 2.0, 4.0])).tolist() == [1.0, 0.0, 0.25]


@pytest.mark.parametrize(("rows", "expected"), [(50, 96.0), (130, 98.46)])
def test_column_direct_match_protection_has_the_published_value(rows: int, expected: float) -> None:
    """An untouched column of two values beside numbers that never match (real outputs: 96.0 and 98.46)."""
    original = pa.table({"sex": ["f", "m"] * (rows // 2), "x": np.arange(rows) * 2.0})
    avatars = pa.table({"sex": ["f", "m"] * (rows // 2), "x": np.arange(rows) * 2.0 + 1})
    metrics = measure_privacy(original, avatars, [], PrivacyParams(), 1)
    assert value(metrics, "column_direct_match_protection") == pytest.approx(expected, abs=0.005)
    assert metrics.notes["column_direct_match_protection"] == "Worst column: sex."


def test_row_direct_match_counts_originals_found_anywhere() -> None:
    original = pa.table({"x": [1, 2, 3, 4], "g": ["a", "a", "b", None]})
    avatars = pa.table({"x": [4, 1, 9, 8], "g": [None, "a", "b", "b"]})
    metrics = measure_privacy(original, avatars, [], PrivacyParams(), 1)
    assert metrics.values["row_direct_match_protection"] == 50.0


def test_categorical_hidden_rate_judges_unique_originals_only() -> None:
    original = pa.table({"g": ["a", "b", "c", "d", "d"], "x": [1.0, 2.0, 3.0, 4.0, 5.0]})
    avatars = pa.table({"g": ["a", "c", "d", "d", "d"], "x": [1.0, 2.0, 3.0, 4.0, 5.0]})
    metrics = measure_privacy(original, avatars, [], PrivacyParams(), 1)
    assert value(metrics, "categorical_hidden_rate") == pytest.approx(200 / 3)
    assert metrics.population["categorical_hidden_rate"] == 3
    assert "fewer than 30" in metrics.notes["categorical_hidden_rate"]


def test_known_variables_that_say_nothing_protect_by_chance() -> None:
    """Everybody is alike on the known column: the attacker picks one of n."""
    original = pa.table({"g": ["a"] * 20, "x": np.arange(20.0)})
    metrics = measure_privacy(original, original, [], PrivacyParams(known_variables=("g",)), 1)
    assert value(metrics, "knowledge_protection_rate") == pytest.approx(95.0)
    known = measure_privacy(original, original, [], PrivacyParams(known_variables=("x",)), 1)
    assert value(known, "knowledge_protection_rate") == 0.0


def test_inference_of_a_number_has_a_relative_error(table: pa.Table) -> None:
    params = PrivacyParams(known_variables=("age", "group"), target="weight")
    metrics = measure_privacy(table, table, [], params, 1)
    assert 0 < value(metrics, "inference_continuous") < 15
    assert metrics.values["inference_categorical"] is None
    far = measure_privacy(table, permuted(table), [], params, 1)
    assert value(far, "inference_continuous") > value(metrics, "inference_continuous")
    assert value(far, "inference_accuracy_ratio") > 110


def test_a_target_without_values_is_told() -> None:
    table = pa.table({"x": np.arange(30.0), "y": pa.array([1.0, *[None] * 29])})
    metrics = measure_privacy(table, table, [], PrivacyParams(target="y"), 1)
    assert metrics.values["inference_accuracy_ratio"] is None
    assert "Too few rows" in metrics.notes["inference_accuracy_ratio"]


def test_missing_patterns_count_as_information(holey: pa.Table) -> None:
    made = avatarize(holey, [], AvatarParams(5), 1).unshuffled
    metrics = measure_privacy(holey, made, [], PrivacyParams(), 1)
    assert value(metrics, "hidden_rate") > 50


def test_tables_that_do_not_fit_are_refused(table: pa.Table) -> None:
    cases = [
        (table.slice(1), PrivacyParams(), "same number of rows"),
        (table.drop_columns(["age"]), PrivacyParams(), "'age'"),
        (table, PrivacyParams(known_variables=("nobody",)), "'nobody'"),
        (table, PrivacyParams(target="nobody"), "'nobody'"),
        (table, PrivacyParams(quantile_threshold=0), "quantile_threshold"),
    ]
    for avatars, params, match in cases:
        with pytest.raises(EngineError, match=match):
            measure_privacy(table, avatars, [], params, 1)


@pytest.mark.parametrize("rows", [2, 3])
def test_tiny_tables_are_measured(table: pa.Table, rows: int) -> None:
    few = table.slice(0, rows)
    metrics = measure_privacy(few, few, [], PrivacyParams(target="group"), 1)
    assert metrics.values["hidden_rate"] is not None


def test_avatars_may_come_with_other_arrow_types(table: pa.Table) -> None:
    made = avatarize(table, [], AvatarParams(5), 1).unshuffled
    floats = made.set_column(0, "age", made["age"].cast(pa.float64()))
    texts = floats.set_column(3, "site", floats["site"].dictionary_encode())
    assert measure_privacy(table, texts, [], FULL, 1) == measure_privacy(table, made, [], FULL, 1)


def test_a_modality_never_seen_is_measured(table: pa.Table) -> None:
    made = table.set_column(3, "site", pa.array(["elsewhere"] * table.num_rows))
    assert measure_privacy(table, made, [], FULL, 1).values["column_direct_match_protection"] is not None


def test_keys_and_dropped_columns_are_not_measured(table: pa.Table) -> None:
    specs = [ColumnSpec("id", primary_key=True), ColumnSpec("note", drop=True)]
    wide = table.append_column("id", pa.array(range(300))).append_column("note", pa.array(["x"] * 300))
    made = avatarize(wide, specs, AvatarParams(5), 1).unshuffled
    plain = made.drop_columns(["id"])
    assert measure_privacy(wide, made, specs, FULL, 1) == measure_privacy(table, plain, [], FULL, 1)


def test_all_categorical_tables_of_digits(table: pa.Table) -> None:
    digits = pa.table({"a": [i % 7 for i in range(140)], "b": [i % 5 for i in range(140)]})
    specs = [ColumnSpec(name, ColumnType.CATEGORY) for name in ("a", "b")]
    made = avatarize(digits, specs, AvatarParams(10, Space(ncp=2)), 1).unshuffled
    assert made.schema.equals(digits.schema)
    metrics = measure_privacy(digits, made, specs, PrivacyParams(Space(ncp=2)), 1)
    assert value(metrics, "hidden_rate") >= value(metrics, "hidden_rate_strict")


def test_wilson_bounds_have_the_published_value() -> None:
    low, high = wilson(50, 500)
    assert (low + high) / 2 == pytest.approx(0.1031, abs=1e-4)
    assert (high - low) / 2 == pytest.approx(0.0264, abs=1e-4)


@pytest.mark.parametrize("rows", [41, 200])
def test_the_short_bootstrap_of_the_median_is_the_plain_one(rows: int) -> None:
    values = np.random.default_rng(1).exponential(size=rows)
    plain = np.median(np.random.default_rng(2).choice(values, (20_000, rows)), axis=1)
    low, high = median_interval(values, np.random.default_rng(3))
    spread = plain.std()
    np.testing.assert_allclose([low, high], np.percentile(plain, [2.5, 97.5]), atol=0.3 * spread)


def test_targets_depend_on_the_recipient() -> None:
    rates = {r: targets(r)["hidden_rate"] for r in ("unknown", "opendata", "outside_eu", "internal", "from Mars")}
    assert rates == {
        "unknown": ">= 90",
        "opendata": ">= 90",
        "outside_eu": ">= 80",
        "internal": ">= 30",
        "from Mars": ">= 90",
    }
    assert targets("unknown", {"distance_to_closest": 0.123456})["distance_to_closest"] == ">= 0.1235"
    assert "distance_to_closest" not in targets("unknown", {"distance_to_closest": 0.0})
    assert meta_privacy({"distance_to_closest": 0.0}, targets("unknown", {"distance_to_closest": 0.0})) is None


def test_the_meta_metric_is_the_mean_of_the_worst_of_each_criterion() -> None:
    wanted = targets()
    assert meta_privacy({"hidden_rate": 95.0, "local_cloaking": 2.5, "linkability_protection_rate": 99.0}, wanted) == 75
    assert meta_privacy({"inference_continuous": None}, wanted) is None


def test_originals_as_their_own_avatars_score_as_published() -> None:
    # one pair of equal flowers, of which the lower row wins; 43 of 150 petal lengths differ
    iris = read_table(Path(__file__).parents[2] / "configs" / "data" / "iris.csv", {})
    found = measure_privacy(iris, iris, [], PrivacyParams(), 1).values
    assert found["hidden_rate"] == pytest.approx(100 / 150)
    zero = ("hidden_rate_strict", "local_cloaking", "distance_to_closest", "closest_distances_ratio")
    assert [found[name] for name in (*zero, "row_direct_match_protection")] == [0, 0, 0, 0, 0]
    assert found["column_direct_match_protection"] == pytest.approx(100 * (1 - 43 / 150))
