"""Processors that retell columns: examples by hand, exact inverses, sums, places, and what is refused."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.params import ColumnSpec, ColumnType
from avatar_gitops.engine.processors.params import (
    Datetime,
    GeolocationNormalization,
    GroupModalities,
    Processor,
    Proportions,
    RelativeDifference,
    ToCategorical,
)
from avatar_gitops.errors import EngineError
from tests.engine.processors.chains import DAY, HOUR, back, chain


class TestRelative:
    def test_the_difference_is_told_in_units(self) -> None:
        table = pa.table({"t": [130, 250], "a": [10, 20], "b": [20, 30]})
        fitted = chain(table, RelativeDifference("t", ("a", "b"), 100))
        assert fitted.table["t"].to_pylist() == [1.0, 2.0]
        assert back(fitted, {"t": [1.5, 0.0], "a": [1, 2], "b": [3, 4]})["t"] == [154, 6]

    def test_a_chain_is_undone_in_reverse_order(self) -> None:
        table = pa.table({"t0": [1, 5], "t1": [4, 6], "t2": [9, None]})
        fitted = chain(table, RelativeDifference("t2", ("t1",)), RelativeDifference("t1", ("t0",)))
        assert fitted.table.to_pydict() == {"t0": [1, 5], "t1": [3, 1], "t2": [5, None]}
        assert fitted.revert(fitted.table, 1, "").equals(table)
        assert back(fitted, {"t0": [10], "t1": [2], "t2": [3]}) == {"t0": [10], "t1": [12], "t2": [15]}

    def test_datetimes_are_told_in_seconds_or_a_multiple(self) -> None:
        table = pa.table({"out": pa.array([DAY + 36 * HOUR, None]), "came": [DAY, DAY]})
        fitted = chain(table, RelativeDifference("out", ("came",), 86_400))
        assert fitted.table["out"].to_pylist() == [1.5, None]
        assert fitted.revert(fitted.table, 1, "").equals(table)

    @settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
    @given(
        rows=st.lists(
            st.tuples(st.none() | st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.integers(0, 10**6)),
            min_size=1,
            max_size=8,
        ),
        decimals=st.sampled_from([0, 2, 4]),
        unit=st.sampled_from([None, 1, 0.5, 7, 365.25]),
        kind=st.sampled_from(["int", "float", "time"]),
    )
    def test_targets_come_back_exactly(
        self, rows: list[tuple[int | None, int, int]], decimals: int, unit: float | None, kind: str
    ) -> None:
        def shown(value: int | None) -> object:
            if value is None or kind == "int":
                return value
            return DAY + dt.timedelta(microseconds=value * 37) if kind == "time" else value / 10**decimals

        references = ["ré"] if kind == "time" else ["ré", "other"]
        columns = {"tärget": [shown(row[0]) for row in rows], "ré": [shown(row[1]) for row in rows]}
        if kind != "time":
            columns["other"] = [shown(row[2]) for row in rows]
        table = pa.table(columns)
        fitted = chain(table, RelativeDifference("tärget", tuple(references), unit))
        assert fitted.revert(fitted.table, 1, "").equals(table)

    @pytest.mark.parametrize(
        ("columns", "processor", "message"),
        [
            ({"a": [1, None]}, RelativeDifference("t", ("a",)), "'a' has missing values"),
            ({}, RelativeDifference("t", ("t",)), "twice"),
            ({}, RelativeDifference("t", ("a", "a")), "twice"),
            ({}, RelativeDifference("t", ("a",), -1), "must be a positive number"),
            ({"a": [DAY, DAY]}, RelativeDifference("t", ("a",)), "of different kinds"),
            (
                {"t": [DAY] * 2, "a": [DAY] * 2, "b": [DAY] * 2},
                RelativeDifference("t", ("a", "b")),
                "dates have no sum",
            ),
            ({"t": ["x", "y"]}, RelativeDifference("t", ("a",)), "holds neither"),
        ],
    )
    def test_what_cannot_be_told_is_refused(
        self, columns: dict[str, list[object]], processor: Processor, message: str
    ) -> None:
        with pytest.raises(EngineError, match=message):
            chain(pa.table({"t": [1, 2], "a": [3, 4]} | columns), processor)


class TestDatetime:
    def test_datetimes_are_seconds_since_1970(self) -> None:
        table = pa.table(
            {"at": [dt.datetime.fromisoformat("1970-01-02"), None], "day": [dt.date(1970, 1, 3)] * 2, "n": [1, 2]}
        )
        fitted = chain(table, Datetime())
        assert fitted.table.to_pydict() == {"at": [86_400.0, None], "day": [172_800.0] * 2, "n": [1, 2]}
        assert fitted.revert(fitted.table, 1, "").equals(table)

    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(
        values=st.lists(
            st.none() | st.datetimes(*map(dt.datetime.fromisoformat, ("1900-01-01", "2200-01-01"))),
            min_size=1,
            max_size=6,
        ),
        zone=st.sampled_from([None, "UTC", "Asia/Tokyo"]),
    )
    @example(values=[dt.datetime.fromisoformat("2107-01-01T00:00:00.000007")], zone=None)
    def test_they_come_back_to_the_microsecond(self, values: list[dt.datetime | None], zone: str | None) -> None:
        table = pa.table({"at": pa.array(values, pa.timestamp("us", zone))})
        fitted = chain(table, Datetime())
        assert fitted.revert(fitted.table, 1, "").equals(table)


class TestModalities:
    def test_rare_modalities_become_one(self) -> None:
        table = pa.table({"a": ["red", "blue", "blue", "green", None, ""], "b": ["x"] * 6, "n": [1] * 6})
        fitted = chain(table, GroupModalities(min_unique=2, global_threshold=1))
        assert fitted.table["a"].to_pylist() == ["other", "blue", "blue", "other", None, ""]
        assert fitted.table["b"].to_pylist() == ["x"] * 6
        assert fitted.revert(fitted.table, 1, "").equals(fitted.table)

    def test_columns_may_have_thresholds_of_their_own(self) -> None:
        table = pa.table({"é": ["ü", "ü", "z"], "b": ["x", "y", "y"]})
        made = chain(table, GroupModalities({"é": 2}, new_category="sonst")).table
        assert made.to_pydict() == {"é": ["sonst"] * 3, "b": ["x", "y", "y"]}

    def test_a_dictionary_stays_one(self) -> None:
        table = pa.table({"a": pa.array(["u", "v", "v"]).dictionary_encode()})
        made = chain(table, GroupModalities({"a": 1})).table
        assert pa.types.is_dictionary(made["a"].type)
        assert made["a"].to_pylist() == ["other", "v", "v"]

    @pytest.mark.parametrize(
        "processor",
        [
            GroupModalities(),
            GroupModalities({"a": 1}, min_unique=1, global_threshold=1),
            GroupModalities(min_unique=1),
            GroupModalities({"a": 1}, global_threshold=1),
        ],
    )
    def test_thresholds_are_said_in_one_way(self, processor: GroupModalities) -> None:
        with pytest.raises(EngineError, match="either variable_thresholds or both"):
            chain(pa.table({"a": ["x"]}), processor)

    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(
        values=st.lists(st.none() | st.sampled_from([-1.5, 0.1, 0.30000000000000004, 1e300, 7.0]), min_size=1),
        whole=st.booleans(),
        copy=st.booleans(),
    )
    def test_numbers_that_became_text_come_back_exactly(
        self, values: list[float | None], whole: bool, copy: bool
    ) -> None:
        shown = [None if v is None else round(min(v, 99)) if whole else v for v in values]
        table = pa.table({"n": pa.array(shown, pa.int64() if whole else pa.float64()), "t": ["é"] * len(shown)})
        fitted = chain(table, ToCategorical(5, keep_continuous=copy))
        assert fitted.revert(fitted.table, 1, "").equals(table)

    def test_only_few_values_make_a_category(self) -> None:
        table = pa.table({"few": [1, 7, 7], "many": [1, 2, 3], "when": [DAY] * 3, "key": [1, 1, 1]})
        made = chain(table, ToCategorical(2), columns=[ColumnSpec("key", identifier=True)]).table
        assert made["few"].to_pylist() == ["1", "7", "7"]
        assert made.select(["many", "when", "key"]).equals(table.select(["many", "when", "key"]))

    def test_the_copy_fills_in_for_the_group(self) -> None:
        table = pa.table({"n": [1, 1, 1, 9, 8]})
        fitted = chain(table, ToCategorical(5, keep_continuous=True), GroupModalities({"n": 1}))
        assert fitted.table.to_pydict() == {"n": ["1", "1", "1", "other", "other"], "n__cont": [1, 1, 1, 9, 8]}
        assert back(fitted, {"n": ["other", "1"], "n__cont": [6, 3]}) == {"n": [6, 1]}

    def test_a_group_without_a_copy_has_no_way_back(self) -> None:
        with pytest.raises(EngineError, match="no number to come back to") as caught:
            chain(pa.table({"n": [1, 1, 9]}), ToCategorical(5), GroupModalities({"n": 1}))
        assert "keep_continuous" in (caught.value.hint or "")

    def test_declared_categories_stay_categories(self) -> None:
        table = pa.table({"n": [1, 2]})
        fitted = chain(table, ToCategorical(5), columns=[ColumnSpec("n", ColumnType.INT)])
        assert fitted.columns == (ColumnSpec("n"),)


class TestProportions:
    def test_parts_are_shares_and_add_up_again(self) -> None:
        table = pa.table({"all": [100, 10], "p": [10, 10], "q": [90, 30]})
        fitted = chain(table, Proportions(("p", "q"), "all"))
        assert fitted.table.to_pydict() == {"all": [100, 10], "p": [0.1, 0.25], "q": [0.9, 0.75]}
        assert back(fitted, {"all": [60, 15], "p": [0.15, 0.88], "q": [0.18, 0.77]}) == {
            "all": [60, 15],
            "p": [27, 8],
            "q": [33, 7],
        }

    def test_largest_remainders_at_the_decimals_asked_for(self) -> None:
        table = pa.table({"all": [1.0], "p": [0.5], "q": [0.25], "r": [0.25]})
        fitted = chain(table, Proportions(("p", "q", "r"), "all"))
        # thirds of 10 tenths: 3.33 each, the unit left over goes to the first
        assert back(fitted, {"all": [1.0], "p": [0.4], "q": [0.4], "r": [0.4]}) == {
            "all": [1.0],
            "p": [0.4],
            "q": [0.3],
            "r": [0.3],
        }

    def test_shares_of_the_reference_need_not_add_up(self) -> None:
        table = pa.table({"all": [100.0, 0.0], "p": [10.0, 0.0], "q": [20.0, 3.0]})
        fitted = chain(table, Proportions(("p",), "all", sum_to_one=False))
        assert fitted.table["p"].to_pylist() == [0.1, 0.0]
        assert back(fitted, {"all": [60.0], "p": [1.5], "q": [1.0]})["p"] == [90.0]

    @settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
    @given(
        rows=st.lists(st.lists(st.integers(0, 10**6), min_size=3, max_size=3), min_size=1, max_size=6),
        decimals=st.sampled_from([0, 1, 2]),
        seed=st.integers(0, 99),
    )
    def test_sums_hold_and_exact_parts_come_back(self, rows: list[list[int]], decimals: int, seed: int) -> None:
        scale = 10**decimals
        parts = {name: [row[i] / scale for row in rows] for i, name in enumerate("abc")}
        table = pa.table({"all": [sum(row) / scale for row in rows]} | parts)
        fitted = chain(table, Proportions(("a", "b", "c"), "all", decimal_count=decimals))
        assert fitted.revert(fitted.table, 1, "").equals(table)
        random = np.random.default_rng(seed)
        made = fitted.table
        for i, name in enumerate("abc"):
            made = made.set_column(1 + i, name, pa.array(random.random(len(rows)) * (random.random(len(rows)) < 0.8)))
        told = fitted.revert(made, 1, "").to_pylist()
        for row, shares in zip(told, made.to_pylist(), strict=True):
            if any(shares[name] for name in "abc"):
                assert round(row["a"] + row["b"] + row["c"], decimals) == row["all"]
            assert all(row[name] == 0 for name in "abc" if shares[name] == 0)

    def test_a_missing_part_stays_missing(self) -> None:
        table = pa.table(
            {"all": [10.0], "p": [None], "q": [4.0], "r": [6.0]},
            schema=pa.schema([(name, pa.float64()) for name in ("all", "p", "q", "r")]),
        )
        table = pa.concat_tables([table, pa.table({"all": [10.0], "p": [5.0], "q": [2.0], "r": [3.0]})])
        fitted = chain(table, Proportions(("p", "q", "r"), "all"))
        assert fitted.revert(fitted.table, 1, "").equals(table)

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            ({"all": [None, 1]}, "'all' has missing values"),
            ({"p": [-1, 2]}, "'p' has negative numbers"),
            ({"p": [DAY, DAY]}, "'p' holds datetimes"),
            ({"p": ["x", "y"]}, "holds neither"),
        ],
    )
    def test_what_is_no_whole_is_refused(self, columns: dict[str, list[object]], message: str) -> None:
        with pytest.raises(EngineError, match=message):
            chain(pa.table({"all": [1, 2], "p": [1, 1], "q": [0, 1]} | columns), Proportions(("p", "q"), "all"))


class TestGeolocation:
    PLACES = GeolocationNormalization("lat", "lon", 3, 5)

    def test_longitudes_are_positions_in_their_band(self) -> None:
        table = pa.table({"lat": [49.1, 49.2, 49.3, 49.3], "lon": [3.21, 3.19, 3.11, 3.18]})
        fitted = chain(table, self.PLACES)
        assert [round(v, 9) for v in fitted.table["lon"].to_pylist()] == [0.0, 0.0, 0.0, 1.0]
        assert fitted.revert(fitted.table, 1, "").equals(table)

    def test_holes_stay_empty(self) -> None:
        random = np.random.default_rng(5)
        lon = np.concatenate([random.uniform(0, 2, 300), random.uniform(8, 10, 300)])
        table = pa.table({"lat": np.round(random.uniform(40, 42, 600), 4), "lon": np.round(lon, 4)})
        fitted = chain(table, GeolocationNormalization("lat", "lon", 4, 10))
        positions = pa.array(random.uniform(-0.2, 1.2, 600))
        told = np.array(fitted.revert(fitted.table.set_column(1, "lon", positions), 1, "")["lon"].to_pylist())
        assert told.min() >= 0
        assert told.max() <= 10
        assert not ((told > 3.1) & (told < 6.9)).any()  # bins are one degree wide
        assert ((told > 0.5) & (told < 1.5)).any()

    @settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(
        places=st.lists(st.tuples(st.integers(-900, 900), st.integers(-1800, 1800)), min_size=1, max_size=15),
        lines=st.integers(2, 5),
        bins=st.integers(1, 6),
    )
    def test_originals_come_back_exactly(self, places: list[tuple[int, int]], lines: int, bins: int) -> None:
        table = pa.table({"lat": [lat / 10 for lat, _ in places], "lon": [lon / 10 for _, lon in places]})
        fitted = chain(table, GeolocationNormalization("lat", "lon", lines, bins))
        assert all(0 <= value <= 1 for value in fitted.table["lon"].to_pylist())
        told = fitted.revert(fitted.table, 1, "")["lon"].to_pylist()
        assert all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(told, table["lon"].to_pylist(), strict=True))

    @pytest.mark.parametrize(
        ("columns", "processor", "message"),
        [
            ({"lat": [None, 1.0]}, PLACES, "'lat' has missing values"),
            ({"lon": ["e", "w"]}, PLACES, "holds neither"),
            ({"lon": [DAY, DAY]}, PLACES, "holds no coordinates"),
            ({}, GeolocationNormalization("lat", "lat", 3, 5), "twice"),
            ({}, GeolocationNormalization("lat", "lon", 1, 5), "at least 2 reference latitudes"),
        ],
    )
    def test_what_is_no_place_is_refused(
        self, columns: dict[str, list[object]], processor: Processor, message: str
    ) -> None:
        with pytest.raises(EngineError, match=message):
            chain(pa.table({"lat": [1.0, 2.0], "lon": [3.0, 4.0]} | columns), processor)
