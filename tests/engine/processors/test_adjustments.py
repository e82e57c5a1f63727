"""Processors that adjust avatars to their originals: levels of perturbation and expected means."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.processors.params import (
    ExpectedMean,
    Perturbation,
)
from avatar_gitops.errors import EngineError
from tests.engine.processors.chains import DAY, HOUR, back, chain


class TestPerturbation:
    TABLE = pa.table({"n": [0.0, 10.0], "k": [10, 20], "c": ["a", "b"], "when": [DAY, DAY]})
    AVATARS = pa.table({"n": [1.0, 20.0], "k": [20, 30], "c": ["x", "y"], "when": [DAY + HOUR, DAY - HOUR]})

    def test_numbers_keep_a_part_of_the_distance(self) -> None:
        levels = {"n": 0.3, "k": 0.5, "when": 0.5}
        told = chain(self.TABLE, Perturbation(levels)).revert(self.AVATARS, 1, "").to_pydict()
        assert [round(value, 6) for value in told["n"]] == [0.0, 13.0]  # no decimals in the originals
        assert told["k"] == [15, 25]
        assert told["c"] == ["x", "y"]
        assert told["when"] == [DAY + HOUR / 2, DAY - HOUR / 2]

    def test_the_ends_are_the_avatar_and_the_original(self) -> None:
        none = dict.fromkeys(self.TABLE.column_names, 0.0)
        assert chain(self.TABLE, Perturbation(none)).revert(self.AVATARS, 1, "").equals(self.TABLE)
        full = dict.fromkeys(self.TABLE.column_names, 1.0)
        assert chain(self.TABLE, Perturbation(full)).revert(self.AVATARS, 1, "").equals(self.AVATARS)

    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(low=st.floats(0, 1), high=st.floats(0, 1), seed=st.integers(0, 50))
    def test_a_lower_level_is_never_farther_from_the_original(self, low: float, high: float, seed: int) -> None:
        low, high = sorted((low, high))
        random = np.random.default_rng(seed)
        table = pa.table({"n": random.normal(size=20), "c": ["a"] * 20})
        avatars = pa.table({"n": random.normal(size=20), "c": ["b"] * 20})
        near, far = (
            chain(table, Perturbation({"n": level, "c": level})).revert(avatars, seed, "").to_pydict()
            for level in (low, high)
        )
        original = table["n"].to_pylist()
        slack = 1e-5  # numbers are rounded to 6 decimals
        assert all(abs(a - o) <= abs(b - o) + slack for a, b, o in zip(near["n"], far["n"], original, strict=True))
        assert all(b == "b" for a, b in zip(near["c"], far["c"], strict=True) if a == "b")

    def test_missing_values_follow_one_of_the_two(self) -> None:
        table = pa.table({"n": [None, 1.0] * 200})
        avatars = pa.table({"n": [5.0, None] * 200})
        told = chain(table, Perturbation({"n": 0.5})).revert(avatars, 3, "")["n"].to_pylist()
        assert set(told) == {None, 5.0, 1.0}
        assert 130 < told.count(None) < 270

    def test_a_level_outside_the_scale_is_refused_and_a_pull_is_said(self) -> None:
        with pytest.raises(EngineError, match="between 0"):
            chain(self.TABLE, Perturbation({"n": 1.5}))
        said = chain(self.TABLE, Perturbation({"n": 0.5, "k": 1.0})).warnings
        assert len(said) == 1
        assert "'n'" in said[0]
        assert "privacy is weaker" in said[0]


class TestExpectedMean:
    def test_groups_get_the_means_of_the_originals(self) -> None:
        table = pa.table({"v": [11.0, 24.0, 23.5, 12.0], "g": ["red", "blue", "blue", "red"]})
        fitted = chain(table, ExpectedMean(("v",), ("g",)))
        told = back(fitted, {"v": [12.0, 13.5, 23.5, 22.0], "g": ["red", "red", "blue", "blue"]})
        # the column has one decimal: 10.75, 12.25, 24.5 and 23
        assert told["v"] == [10.8, 12.2, 24.5, 23.0]

    def test_the_mean_of_all_without_groups(self) -> None:
        fitted = chain(pa.table({"v": [1, 4, 4, 3]}), ExpectedMean(("v",)))
        assert back(fitted, {"v": [3, 4, 8, 9]})["v"] == [0, 1, 5, 6]

    def test_the_spread_too(self) -> None:
        fitted = chain(pa.table({"v": [0.0, 10.0, 20.0]}), ExpectedMean(("v",), same_std=True))
        assert back(fitted, {"v": [4.0, 5.0, 6.0]})["v"] == [0.0, 10.0, 20.0]

    def test_a_group_of_equal_avatars_is_only_shifted(self) -> None:
        fitted = chain(pa.table({"v": [0.0, 10.0]}), ExpectedMean(("v",), same_std=True))
        assert back(fitted, {"v": [3.0, 3.0]})["v"] == [5.0, 5.0]

    def test_groups_without_originals_and_missing_values_stay(self) -> None:
        table = pa.table({"v": [1.0, 3.0], "g": ["a", "a"], "h": ["x", "y"]})
        fitted = chain(table, ExpectedMean(("v",), ("g",)))
        told = back(fitted, {"v": [9.0, None, 4.0, 6.0], "g": ["b", "a", "a", "a"], "h": ["x"] * 4})
        assert told["v"] == [9.0, None, 1.0, 3.0]

    def test_the_mean_is_that_of_all_originals_whoever_has_avatars(self) -> None:
        fitted = chain(pa.table({"v": [0.0, 10.0]}), ExpectedMean(("v",)))
        told = fitted.revert(pa.table({"v": [7.0, 7.0, 10.0]}), 1, "", np.array([1, 1, 1]))
        assert told["v"].to_pylist() == [4.0, 4.0, 7.0]

    def test_small_groups_are_said(self) -> None:
        table = pa.table({"v": [1.0] * 10, "g": ["a"] * 9 + ["b"]})
        assert any("fewer than 5 rows" in text for text in chain(table, ExpectedMean(("v",), ("g",))).warnings)
        assert len(chain(table, ExpectedMean(("v",))).warnings) == 1
