"""Numbers, weights and keys at the ends of what types can hold: computed with, or refused by name, never a crash."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.columns import NumberColumn, decode_number, encode_number, fit_column
from avatar_gitops.engine.dp.params import DpModel, DpParams, PublicColumn
from avatar_gitops.engine.dp.run import release
from avatar_gitops.engine.keys import as_keys
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    ColumnType,
    PrivacyParams,
    SignalParams,
    Space,
)
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.pseudonyms.kinds import PatternPseudonym
from avatar_gitops.engine.pseudonyms.numbered import check_numbered
from avatar_gitops.engine.resampling import resampling
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.search import build_index, nearest
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.distances import density_distances
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.errors import EngineError
from tests.engine.from_files import large

ROWS = 120
PARAMS = AvatarParams(5, Space(ncp=3))
Floats = npt.NDArray[np.float64]


def people(seed: int = 0, rows: int = ROWS, **more: object) -> pa.Table:
    random = np.random.default_rng(seed)
    first = random.normal(size=rows)
    columns = {"x": first, "y": first + random.normal(size=rows), "c": random.choice(["a", "b", "c"], rows)}
    return pa.table({**columns, **more})


def with_value(table: pa.Table, value: float) -> pa.Table:
    """The table with one odd number in its first column."""
    numbers = table["x"].to_numpy().copy()
    numbers[3] = value
    return table.set_column(0, "x", pa.array(numbers))


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_weights_within_reason_are_used(weight: float) -> None:
    space = Space(ncp=3, column_weights={"x": weight})
    made = avatarize(people(), (), AvatarParams(5, space), 1)
    values = measure_privacy(people(), made.unshuffled, (), PrivacyParams(space), 1).values
    assert all(value is None or np.isfinite(value) for value in values.values())


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e7, 1e40, float("inf"), float("nan")])
def test_weights_beyond_reason_are_refused(weight: float) -> None:
    with pytest.raises(EngineError, match=r"weight of column 'x' must be above 0 and at most 1,000,000\."):
        avatarize(people(), (), AvatarParams(5, Space(column_weights={"x": weight})), 1)


@pytest.mark.parametrize("largest", [1e18, 1e40, float("inf")])
def test_points_too_far_for_single_precision_take_the_portable_path(largest: float) -> None:
    points = np.random.default_rng(1).normal(size=(50, 3))
    points[0, 1] = largest
    index = build_index(points)
    assert index.compiled is None
    if np.isfinite(largest):
        assert nearest(index, points, 1)[1].ravel().tolist() == list(range(50))


KEY_TYPES = [
    pa.decimal128(10, 0),
    pa.decimal128(10, 2),
    pa.decimal128(3, 2),
    pa.decimal128(3, -1),
    pa.decimal256(60, 0),
    pa.int8(),
    pa.uint64(),
    pa.float16(),
    pa.float64(),
    pa.string(),
    pa.large_string(),
    pa.binary(),
    pa.binary(4),
    pa.bool_(),
    pa.date32(),
    pa.time64("us"),
    pa.timestamp("ns", "UTC"),
    pa.duration("s"),
    pa.null(),
    pa.list_(pa.int64()),
    pa.struct({"a": pa.int64()}),
    pa.map_(pa.string(), pa.int64()),
    pa.dictionary(pa.int8(), pa.string()),
    pa.uuid(),
]


@pytest.mark.parametrize("kind", KEY_TYPES, ids=str)
@pytest.mark.parametrize("rows", [5, 1_000])
def test_keys_of_any_type_are_different_and_may_be_missing(kind: pa.DataType, rows: int) -> None:
    missing = np.arange(rows) == 2
    keys = as_keys("z", np.arange(1, rows + 1), missing, kind, rows)
    assert keys.null_count == 1
    assert len(keys.drop_null().unique()) == rows - 1


def test_keys_that_are_decimals_stay_decimals() -> None:
    kind = pa.decimal128(10, 0)
    table = people(z=pa.array([Decimal(7 * i) for i in range(ROWS)], kind))
    for spec in (ColumnSpec("z", primary_key=True), ColumnSpec("z", identifier=True)):
        keys = avatarize(table, (spec,), PARAMS, 1).unshuffled["z"]
        assert keys.type == kind
        assert sorted(keys.to_pylist()) == [Decimal(i + 1) for i in range(ROWS)]


def test_keys_that_are_decimals_stay_decimals_in_large_tables(tmp_path: Path) -> None:
    kind = pa.decimal128(10, 0)
    table = people(rows=600, z=pa.array([Decimal(7 * i) for i in range(600)], kind))
    _, files = large(tmp_path / "f", table, PARAMS, (ColumnSpec("z", primary_key=True),), rows=200, format="parquet")
    assert files["shuffled"]["z"].type == kind
    assert len(files["shuffled"]["z"].unique()) == 600


@settings(deadline=None, max_examples=25)
@given(power=st.integers(-90, 90), single=st.booleans())
def test_small_and_large_numbers_keep_their_digits(power: int, single: bool) -> None:
    kind = pa.float32() if single else pa.float64()
    power = int(np.clip(power, -30, 30)) if single else power
    values = pa.array(np.random.default_rng(1).uniform(1, 5, 300) * 10.0**power).cast(kind)
    column = fit_column("x", pa.chunked_array([values]), None)
    assert isinstance(column, NumberColumn)
    back = decode_number(column, encode_number(column, pa.chunked_array([values])))
    assert back.type == kind
    assert len(back.unique()) == 300
    assert np.allclose(back.to_numpy() / 10.0**power, values.to_numpy() / 10.0**power, rtol=1e-5)


def metrics_of(original: pa.Table, avatars: pa.Table, holdout: pa.Table) -> dict[str, float | None]:
    privacy = measure_privacy(original, avatars, (), PrivacyParams(PARAMS.space, ("x",), "c"), 1, holdout)
    signal = measure_signal(original, avatars, (), SignalParams(PARAMS.space, "x"), 1)
    return {**privacy.values, **signal.values}


@pytest.fixture(scope="module")
def measured() -> tuple[list[pa.Table], dict[str, float | None]]:
    original = people(0, y=np.random.default_rng(5).normal(size=ROWS))
    tables = [original, avatarize(original, (), PARAMS, 1).unshuffled, people(1)]
    return tables, metrics_of(*tables)


@pytest.mark.parametrize("power", [-7, 3, 12, 80])
def test_scaling_a_column_by_a_power_of_ten_changes_no_metric(
    measured: tuple[list[pa.Table], dict[str, float | None]], power: int
) -> None:
    tables, plain = measured
    scaled = []
    for table in tables:
        at = table.column_names.index("x")
        scaled.append(table.set_column(at, "x", pa.array(table["x"].to_numpy() * 10.0**power)))
    found = metrics_of(*scaled)
    assert found.keys() == plain.keys()
    for name, value in plain.items():
        assert found[name] == (None if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)), name


def test_numbers_that_are_large_beside_their_spread_have_correlations() -> None:
    random = np.random.default_rng(0)
    moment = 1.7e9 + random.normal(size=ROWS) * 1_000
    table = pa.table({"moment": moment, "delay": (moment - 1.7e9) * 2 + random.normal(size=ROWS)})
    found = measure_signal(table, table, (), SignalParams(Space(ncp=2)), 1).values
    assert found["correlation_difference_ratio"] == pytest.approx(0.0, abs=1e-9)


def test_whole_numbers_too_far_apart_are_refused(tmp_path: Path) -> None:
    values = np.where(np.arange(600) % 2, 2**63 - 1, -(2**63))
    table = people(rows=600, v=values)
    with pytest.raises(EngineError, match="'v' has whole numbers that are further apart"):
        avatarize(table, (), PARAMS, 1)
    apart = people(rows=600, v=np.sort(values))  # each piece of a large table is narrow by itself
    with pytest.raises(EngineError, match="'v' has whole numbers that are further apart"):
        large(tmp_path / "f", apart, PARAMS, rows=100, format="parquet")


def test_a_whole_number_far_above_the_originals_does_not_wrap_around() -> None:
    column = fit_column("v", pa.chunked_array([pa.array([-(2**62), 5])]), None)
    assert isinstance(column, NumberColumn)
    codes = encode_number(column, pa.chunked_array([pa.array([2**63 - 1, None, 5])]))
    assert codes[0] == float(2**63 + 2**62)
    assert np.isnan(codes[1])
    assert codes[2] == 2**62 + 5


Measure = Callable[[pa.Table, pa.Table, pa.Table], object]


@pytest.mark.parametrize("value", [float("inf"), 1e200, 9e99, 1e30])
@pytest.mark.parametrize("side", ["avatars", "holdout"])
def test_numbers_out_of_all_proportion_are_refused_by_name(value: float, side: str) -> None:
    original = people()
    avatars, holdout = people(1), people(2)
    if side == "avatars":
        avatars = with_value(avatars, value)
    else:
        holdout = with_value(holdout, value)
    with pytest.raises(EngineError, match=r"'x' has (infinite numbers|numbers beyond|numbers so far)"):
        measure_privacy(original, avatars, (), PrivacyParams(PARAMS.space, ("x",), "c"), 1, holdout)
    if side == "avatars":
        with pytest.raises(EngineError, match=r"'x' has (infinite numbers|numbers beyond|numbers so far)"):
            measure_signal(original, avatars, (), SignalParams(PARAMS.space, "x"), 1)


@pytest.mark.parametrize("value", [1e5, 1e9, 1e11])
def test_outliers_are_measured(value: float) -> None:
    """An avatar or a person of the holdout far away from all others spoils no metric."""
    for avatars, holdout in ((with_value(people(1), value), people(2)), (people(1), with_value(people(2), value))):
        found = metrics_of(people(), avatars, holdout)
        assert all(measure is None or np.isfinite(measure) for measure in found.values())


@pytest.mark.parametrize("value", [1e101, -1e308])
def test_originals_too_large_to_compute_with_are_refused(value: float, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"Column 'x' has numbers beyond 1e\+100\."):
        avatarize(with_value(people(), value), (), PARAMS, 1)
    with pytest.raises(EngineError, match=r"Column 'x' has numbers beyond 1e\+100\."):
        large(tmp_path / "f", with_value(people(rows=600), value), PARAMS, rows=200, format="parquet")


@pytest.mark.parametrize("size", [1e-160, 1e-90, 1e90])
def test_a_target_of_any_size_can_be_predicted(size: float) -> None:
    table = people()
    table = table.set_column(0, "x", pa.array(table["x"].to_numpy() * size))
    found = measure_signal(table, table, (), SignalParams(PARAMS.space, "x"), 1).values
    assert found["utility_originals"] is not None
    assert np.isfinite(found["utility_originals"])


def test_curves_that_no_avatar_has_are_at_the_largest_distance() -> None:
    count = 30
    owners = np.repeat(np.arange(count), 4)
    times, values = np.tile(np.arange(4.0), count), np.random.default_rng(0).normal(size=(4 * count, 1))
    lengths = np.full(count, 4)
    original = Curves(owners, times, values, lengths)
    nobody = Curves(owners[:0], times[:0], values[:0], np.zeros(count, dtype=np.int64))
    found = density_distances(original, nobody, resampling(count, 11, np.random.default_rng(0)))
    assert found.values.tolist() == [[1.0]]
    assert np.isfinite([*found.mean_interval, *found.std_interval]).all()


@pytest.mark.parametrize("bounds", [(-np.inf, np.inf), (0.0, np.inf), (-1e200, 1e200), (0.0, float("nan"))])
def test_public_bounds_have_to_be_finite(bounds: tuple[float, float]) -> None:
    params = DpParams(1.0, DpModel.HISTOGRAM, delta=1e-6, public={"x": PublicColumn(*bounds)})
    with pytest.raises(EngineError, match="'x' needs a public lower bound"):
        release(people(), (), params, 1)


def test_a_primary_key_with_a_pattern_of_other_columns_gets_advice_that_helps() -> None:
    pattern = PatternPseudonym("####-{{c}}", consistent=False)
    with pytest.raises(EngineError) as refused:
        check_numbered((ColumnSpec("z", primary_key=True, pseudonym=pattern),), ("z", "c"))
    assert "primary key 'z'" in refused.value.message
    assert "consistent" not in (refused.value.hint or "")
    check_numbered((ColumnSpec("z", pseudonym=pattern),), ("z", "c"))


def test_half_precision_may_be_a_category() -> None:
    values = pa.array(np.tile(np.array([1.5, 2.5, np.nan], dtype=np.float16), ROWS // 3))
    made = avatarize(people(h=values), (ColumnSpec("h", ColumnType.CATEGORY),), PARAMS, 1).unshuffled["h"]
    assert made.type == pa.float16()
    assert set(made.drop_null().cast(pa.float32()).to_pylist()) <= {1.5, 2.5}
