"""Neighbours among all rows of a large table: what the whole table gives for the same people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.distances import distances_to, rank_own, ratio
from avatar_gitops.engine.frame import encode
from avatar_gitops.engine.large import around as module
from avatar_gitops.engine.large.around import AmongAll, LargeTable
from avatar_gitops.engine.large.sample import draw_lot
from avatar_gitops.engine.large.source import open_source
from avatar_gitops.engine.pair import Pair, pair_up
from avatar_gitops.engine.params import Imputation, ImputationMethod, Limits, PrivacyParams, Space
from avatar_gitops.engine.privacy import measure_pair
from avatar_gitops.engine.surroundings import AmongRows
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic


def pieces(table: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, table.num_rows, size):
        yield table.slice(start, size)


def among(pair: Pair, places: np.ndarray, originals: pa.Table, avatars: pa.Table, size: int = 70) -> AmongAll:
    return AmongAll(pair, places, lambda: pieces(originals, size), lambda: pieces(avatars, size))


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 150)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_000), st.booleans())
def test_with_everybody_in_the_sample_every_figure_is_that_of_the_table(seed: int, copies: bool) -> None:
    originals, avatars = synthetic(400, seed=seed, missing=0.05), synthetic(400, seed=seed + 1, missing=0.05)
    if copies:  # equal rows, on both sides and within each
        twice = pa.array(np.arange(400) // 2)
        originals, avatars = originals.take(twice), pa.concat_tables([originals.slice(0, 200), avatars.slice(0, 200)])
    # of equally near donors a nearest value may come from another one when other rows are filled beside
    pair = pair_up(originals, avatars, [], Space(imputation=Imputation(ImputationMethod.MEDIAN)), 1)
    whole = measure_pair(pair, PrivacyParams(), 1, (None, None))
    found = measure_pair(pair, PrivacyParams(), 1, (None, None), among(pair, np.arange(400), originals, avatars))
    for name, value in whole.values.items():
        assert found.values[name] == (value if value is None else pytest.approx(value, abs=1e-9)), name
    assert found.references == pytest.approx(whole.references, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1_000))
def test_a_sample_finds_what_its_people_find_in_the_table(seed: int) -> None:
    originals, avatars = synthetic(500, seed=seed), synthetic(500, seed=seed + 1)
    avatars = pa.concat_tables([originals.slice(3, 50), avatars.slice(50)])
    drawn = np.sort(np.random.default_rng(seed).permutation(500)[:60])
    pair = pair_up(originals.take(pa.array(drawn)), avatars.take(pa.array(drawn)), [], Space(), 1)
    space = pair.space
    everybody = [space.project(encode(space.layout, table)) for table in (originals, avatars)]
    searched = among(pair, drawn, originals, avatars)
    rank, ties = searched.rank_own()
    expected = rank_own(*everybody)
    for name in ("closer", "tied", "earlier"):
        assert np.array_equal(getattr(rank, name), getattr(expected, name)[drawn]), name
    assert not ties.any()
    distances = np.sqrt(((everybody[1][:, None] - everybody[0]) ** 2).sum(axis=2))
    nearest, second = searched.around_avatars()
    by_hand = np.sort(distances[drawn], axis=1)
    assert nearest == pytest.approx(by_hand[:, 0], abs=1e-9)
    assert second == pytest.approx(by_hand[:, 1], abs=1e-9)
    own = np.sqrt(((everybody[0][:, None] - everybody[0]) ** 2).sum(axis=2))
    np.fill_diagonal(own, np.inf)
    nearest, second = searched.around_originals()
    assert nearest == pytest.approx(np.sort(own[drawn], axis=1)[:, 0], abs=1e-9)
    assert second == pytest.approx(np.sort(own[drawn], axis=1)[:, 1], abs=1e-9)
    assert distances_to(pair.original_points, pair.avatar_points) == pytest.approx(distances[drawn, drawn], abs=1e-9)


def test_equal_rows_are_at_no_distance_whatever_their_last_bits() -> None:
    """A ratio of two distances that are rounding errors would be any number; that of two equal rows is 1."""
    originals = pa.concat_tables([synthetic(50, seed=1)] * 4)
    pair = pair_up(originals, originals, [], Space(), 1)
    searched = among(pair, np.arange(200), originals, originals, 13)
    for nearest, second in (searched.around_avatars(), searched.around_originals()):
        assert not nearest.any()
        assert not second.any()
        assert ratio(nearest, second) == pytest.approx(1.0)


def test_a_sample_of_a_large_table_is_no_longer_further_from_everybody() -> None:
    """What was wrong with looking among the sampled only: its avatars are the nearest of too few."""
    originals, avatars = synthetic(4_000, seed=1), synthetic(4_000, seed=2)
    whole_pair = pair_up(originals, avatars, [], Space(), 1)
    whole = measure_pair(whole_pair, PrivacyParams(), 1, (None, None))
    rows = np.sort(np.random.default_rng(1).permutation(4_000)[:400])
    pair = pair_up(originals.take(pa.array(rows)), avatars.take(pa.array(rows)), [], Space(), 1)
    alone = measure_pair(pair, PrivacyParams(), 1, (None, None), AmongRows(pair, 1))
    found = measure_pair(pair, PrivacyParams(), 1, (None, None), among(pair, rows, originals, avatars, 900))
    for name in ("distance_to_closest", "local_cloaking"):
        low, high = found.intervals[name]
        assert low <= (whole.values[name] or 0) <= high, name
        assert not alone.intervals[name][0] <= (whole.values[name] or 0) <= alone.intervals[name][1], name


def test_a_lot_tells_its_rows() -> None:
    lot = draw_lot(30_000, 12_000)
    rows = lot.rows()
    assert len(rows) == 12_000
    assert (np.diff(rows) > 0).all()
    assert np.array_equal(np.sort(lot.order.places(rows)), np.arange(12_000))


@pytest.mark.parametrize("missing", [0.0, 0.05])
def test_in_the_space_of_all_rows_people_find_what_they_find_in_the_table(tmp_path: Path, missing: float) -> None:
    originals, avatars = synthetic(1_000, seed=1, missing=missing), synthetic(1_000, seed=2, missing=missing)
    table, some = large_table(tmp_path, originals, avatars)
    options = Space(imputation=Imputation(ImputationMethod.MEDIAN))
    pair = table.pair(originals.take(some), avatars.take(some), options, 1)
    searched, whole = table.around(pair), AmongRows(pair_up(originals, avatars, [], options, 1), 1)
    for name in ("around_avatars", "around_originals"):
        for mine, theirs in zip(getattr(searched, name)(), getattr(whole, name)(), strict=True):
            assert mine == pytest.approx(theirs[table.places], abs=1e-9), name
    assert np.array_equal(searched.rank_own()[0].closer, whole.rank_own()[0].closer[table.places])
    assert list(tmp_path.iterdir()) == [tmp_path / "originals.parquet"], "nothing is left behind"


def test_nearest_values_are_filled_from_the_people_that_are_measured(tmp_path: Path) -> None:
    originals, avatars = synthetic(1_000, seed=1, missing=0.05), synthetic(1_000, seed=2, missing=0.05)
    table, some = large_table(tmp_path, originals, avatars)
    pair = table.pair(originals.take(some), avatars.take(some), Space(), 1)
    assert pair.space.imputer.donors is not None
    assert pair.space.imputer.donors.rows == len(some)
    assert not np.isnan(pair.original_points).any()


def test_what_needs_all_rows_is_fitted_on_those_that_are_measured(tmp_path: Path) -> None:
    originals, avatars = synthetic(300, seed=1, missing=0.05), synthetic(300, seed=2, missing=0.05)
    table, some = large_table(tmp_path, originals, avatars)
    options = Space(imputation=Imputation(ImputationMethod.KNN))
    found = table.pair(originals.take(some), avatars.take(some), options, 1)
    alone = pair_up(originals.take(some), avatars.take(some), [], options, 1)
    assert np.array_equal(found.original_points, alone.original_points)


def test_what_is_wrong_with_a_table_is_said_as_of_any_table(tmp_path: Path) -> None:
    originals, avatars = synthetic(300, seed=1), synthetic(300, seed=2)
    table, some = large_table(tmp_path, originals, avatars)
    with pytest.raises(EngineError, match="names 'nowhere', which is not a column"):
        table.pair(originals.take(some), avatars.take(some), Space(column_weights={"nowhere": 2.0}), 1)


def large_table(folder: Path, originals: pa.Table, avatars: pa.Table) -> tuple[LargeTable, pa.Array]:
    """All rows in a file, and every fifth of them."""
    pq.write_table(originals, folder / "originals.parquet")
    places = np.arange(0, originals.num_rows, 5)
    source = open_source(folder / "originals.parquet")
    return LargeTable(source, lambda: pieces(avatars, 70), (), places, folder, Limits()), pa.array(places)
