"""Avatarization of one table: laws, types, missing values, keys, and what is refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from avatar_gitops.engine.frame import Frame, encode, fit_layout
from avatar_gitops.engine.generation import Donors, draw_avatars, draw_weights
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    ColumnType,
    Generation,
    Imputation,
    ImputationMethod,
    Space,
)
from avatar_gitops.engine.randomness import Words
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.space import fit_space
from avatar_gitops.errors import EngineError

PARAMS = AvatarParams(k=5)


def sorted_rows(table: pa.Table) -> list[str]:
    return sorted(str(row) for row in table.to_pylist())


def test_shape_names_types_and_rows_are_kept(table: pa.Table) -> None:
    avatars = avatarize(table, [], PARAMS, 1)
    assert avatars.unshuffled.schema.equals(table.schema)
    assert avatars.shuffled.schema.equals(table.schema)
    assert sorted_rows(avatars.unshuffled) == sorted_rows(avatars.shuffled)
    assert not avatars.unshuffled.equals(avatars.shuffled)
    assert avatars.original_projection.column_names == [f"Dim. {axis}" for axis in range(1, 6)]
    assert avatars.avatar_projection.num_rows == table.num_rows


def test_the_seed_and_the_label_decide(table: pa.Table) -> None:
    first = avatarize(table, [], PARAMS, 1)
    assert avatarize(table, [], PARAMS, 1).shuffled.equals(first.shuffled)
    assert not avatarize(table, [], PARAMS, 2).unshuffled.equals(first.unshuffled)
    assert not avatarize(table, [], PARAMS, 1, "other").unshuffled.equals(first.unshuffled)


@pytest.mark.parametrize("generation", list(Generation))
def test_avatars_stay_in_the_range_of_the_originals(table: pa.Table, generation: Generation) -> None:
    made = avatarize(table, [], AvatarParams(8, generation=generation), 3).unshuffled
    for name in ("age", "weight"):
        assert pc.min(made[name]).as_py() >= pc.min(table[name]).as_py()
        assert pc.max(made[name]).as_py() <= pc.max(table[name]).as_py()
    assert set(made["site"].to_pylist()) <= set(table["site"].to_pylist())


def test_one_neighbour_is_copied_and_never_the_row_itself(table: pa.Table) -> None:
    made = avatarize(table, [], AvatarParams(k=1), 1)
    again = avatarize(table, [], AvatarParams(k=1), 2)
    assert made.unshuffled.equals(again.unshuffled)
    originals, avatars = sorted_rows(table), made.unshuffled.to_pylist()
    assert {str(row) for row in avatars} <= set(originals)
    same = sum(row == own for row, own in zip(avatars, table.to_pylist(), strict=True))
    duplicates = len(originals) - len(set(originals))
    assert same <= 2 * duplicates


@pytest.mark.parametrize("rows", [2, 3, 30])
def test_k_may_be_one_less_than_the_number_of_rows(table: pa.Table, rows: int) -> None:
    assert avatarize(table.slice(0, rows), [], AvatarParams(k=rows - 1), 1).shuffled.num_rows == rows


@pytest.mark.parametrize("k", [300, 301, 0])
def test_other_k_are_refused_without_the_number_of_rows(table: pa.Table, k: int) -> None:
    with pytest.raises(EngineError) as caught:
        avatarize(table, [], AvatarParams(k=k), 1)
    assert k == 0 or "100-1k rows" in caught.value.message
    assert k == 300 or "300" not in caught.value.message


def words(shape: tuple[int, ...], seed: int) -> Words:
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)


def test_weights_sum_to_one_and_copies_take_all_of_it() -> None:
    distances = np.abs(np.random.default_rng(0).normal(size=(1_000, 20)))
    weights = draw_weights(distances, words(distances.shape, 1))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    # published concentration: the largest weight is 0.56-0.58 on real distances, about 2.5 effective neighbours
    assert 0.45 < weights.max(axis=1).mean() < 0.75
    distances[:, 7] = 0.0
    assert np.median(draw_weights(distances, words(distances.shape, 1))[:, 7]) > 0.999


def test_the_shortcut_equals_the_inverse_of_the_full_projection() -> None:
    """Barycentres on all axes of the projection, projected back, are the weighted means of the neighbours' values."""
    random = np.random.default_rng(2)
    numbers = random.normal(size=(40, 3))
    codes = random.integers(0, 3, (40, 1)).astype(np.int32)
    hot = (codes == np.arange(3)).astype(float)
    q = hot.mean(axis=0)
    mean, scale = numbers.mean(axis=0), numbers.std(axis=0)
    scaled = np.hstack([(numbers - mean) / scale, (hot - q) / np.sqrt(q)])
    vectors = np.linalg.svd(scaled)[2].T
    neighbours = random.permutation(40)[:5]
    weights = draw_weights(np.abs(random.normal(size=(1, 5))), words((1, 5), 2))[0]
    back = (weights @ (scaled @ vectors)[neighbours]) @ vectors.T
    np.testing.assert_allclose(back[:3] * scale + mean, weights @ numbers[neighbours], atol=1e-9)
    scores = back[3:] * np.sqrt(q) + q
    np.testing.assert_allclose(scores, weights @ hot[neighbours], atol=1e-9)


def test_modalities_are_drawn_in_proportion_to_the_weights() -> None:
    """One row far from 20 copies of two kinds: the share of a modality is the share of its weight."""
    codes = np.array([[0]] + [[0]] * 5 + [[1]] * 15, dtype=np.int32)
    points = np.vstack([[0.0], np.full((20, 1), 3.0)])
    donors = Donors(Frame(np.zeros((21, 0)), codes), np.zeros((21, 0), dtype=np.int32))
    drawn = [draw_avatars(donors, points, AvatarParams(k=20), seed, "")[1][0, 0] for seed in range(200)]
    assert 0.65 < np.mean(drawn) < 0.85


@pytest.mark.parametrize("generation", list(Generation))
def test_avatars_are_drawn_around_the_named_origins(generation: Generation) -> None:
    """Two clusters far apart: an avatar lies in the cluster of its origin, and repeated origins differ."""
    numbers = np.concatenate([np.arange(30.0), 1_000 + np.arange(30.0)])[:, None]
    donors = Donors(Frame(numbers, np.zeros((60, 1), dtype=np.int32)), np.zeros((60, 0), dtype=np.int32))
    params = AvatarParams(k=5, generation=generation)
    origins = np.array([59, 0, 0, 0, 45], dtype=np.int64)
    made, codes = draw_avatars(donors, numbers, params, 3, "", origins)
    assert codes.shape == (5, 1)
    assert ((made[:, 0] > 500) == (origins >= 30)).all()
    assert len(set(made[1:4, 0])) == 3
    assert draw_avatars(donors, numbers, params, 3, "")[0].shape == numbers.shape


def test_duplicates_give_exact_copies_of_their_numbers() -> None:
    value = 0.1 + 0.2
    rows = pa.table({"x": [value] * 30 + [float(i) / 7 for i in range(30)], "g": ["a"] * 30 + ["b"] * 30})
    made = avatarize(rows, [], PARAMS, 1).unshuffled["x"].to_pylist()[:30]
    assert set(made) == {round(value, 6)}


def test_local_normal_draws_keep_the_spread_that_barycentres_lose(table: pa.Table) -> None:
    def spread(generation: Generation) -> float:
        made = avatarize(table, [], AvatarParams(20, generation=generation), 1).unshuffled
        return float(pc.stddev(made["weight"]).as_py() / pc.stddev(table["weight"]).as_py())

    assert spread(Generation.LOCAL_GAUSSIAN) > spread(Generation.BARYCENTRE)
    with pytest.raises(EngineError, match="k of at least 2"):
        avatarize(table, [], AvatarParams(1, generation=Generation.LOCAL_GAUSSIAN), 1)


@pytest.mark.parametrize("method", list(ImputationMethod))
def test_missing_values_come_back_about_as_often(holey: pa.Table, method: ImputationMethod) -> None:
    space = Space(imputation=Imputation(method))
    avatars = avatarize(holey, [], AvatarParams(8, space), 1)
    for name in ("weight", "site"):
        share = holey[name].null_count / 300
        assert abs(avatars.unshuffled[name].null_count / 300 - share) < 0.08
        assert avatars.unshuffled[name].null_count == avatars.shuffled[name].null_count
    assert avatars.unshuffled["age"].null_count == 0


def test_imputed_values_are_returned_on_request(holey: pa.Table) -> None:
    space = Space(imputation=Imputation(return_data_imputed=True))
    made = avatarize(holey, [], AvatarParams(8, space), 1).unshuffled
    assert all(column.null_count == 0 for column in made.columns)


def test_dimensions_count_numbers_modalities_and_two_for_each_indicator(table: pa.Table, holey: pa.Table) -> None:
    assert avatarize(table, [], PARAMS, 1).facts.dimensions == 2 + 2 + 3 + 2
    facts = avatarize(holey, [], PARAMS, 1).facts
    assert facts.dimensions == 2 + 2 + 3 + 2 + 4
    assert sum(column.dimensions for column in facts.columns) == facts.dimensions
    np.testing.assert_allclose(np.sum(list(facts.contributions.values()), axis=0), 100.0)


def test_keys_are_fresh_and_dropped_columns_are_gone(table: pa.Table) -> None:
    n = table.num_rows
    wide = table.append_column("id", pa.array(range(5_000, 5_000 + n)))
    wide = wide.append_column("code", pa.array([f"secret-{i // 2}" for i in range(n)]))
    wide = wide.append_column("notes", pa.array([f"free text {i}" for i in range(n)]))
    specs = [ColumnSpec("id", primary_key=True), ColumnSpec("code", identifier=True), ColumnSpec("notes", drop=True)]
    avatars = avatarize(wide, specs, PARAMS, 1)
    assert avatars.shuffled.column_names == [*table.column_names, "id", "code"]
    assert avatars.shuffled["id"].to_pylist() == list(range(1, n + 1))
    assert sorted(avatars.unshuffled["id"].to_pylist()) == list(range(1, n + 1))
    codes = avatars.unshuffled["code"].to_pylist()
    assert not any("secret" in code for code in codes)
    assert all(codes[i] == codes[i + 1] for i in range(0, n, 2))
    assert len(set(codes)) == n // 2
    by_key = {row["id"]: row for row in avatars.shuffled.to_pylist()}
    assert all(by_key[row["id"]] == row for row in avatars.unshuffled.to_pylist())
    roles = {fact.name: fact.role for fact in avatars.facts.columns}
    assert (roles["id"], roles["code"], roles["notes"]) == ("primary_key", "identifier", "dropped")


def test_keys_never_change_the_avatars(table: pa.Table) -> None:
    wide = table.append_column("id", pa.array([f"k{i}" for i in range(table.num_rows)]))
    made = avatarize(wide, [ColumnSpec("id", primary_key=True)], PARAMS, 1).unshuffled
    assert made.drop_columns(["id"]).equals(avatarize(table, [], PARAMS, 1).unshuffled)
    assert made["id"].to_pylist()[0].startswith("id-")


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (pa.array(range(-100, 100), pa.int16()), pa.int16()),
        (pa.array(range(-100, 100)).cast(pa.int8(), safe=False), pa.int64()),
        (pa.array(range(200)).cast(pa.int32()).cast(pa.date32()), pa.int64()),
        (pa.array([f"k{i}" for i in range(200)]).dictionary_encode(), pa.string()),
    ],
    ids=["narrow", "too narrow", "dates", "dictionary"],
)
def test_keys_keep_their_type_where_it_can_number_the_rows(table: pa.Table, keys: pa.Array, kind: pa.DataType) -> None:
    wide = table.slice(0, 200).append_column("id", keys)
    made = avatarize(wide, [ColumnSpec("id", primary_key=True)], PARAMS, 1).shuffled["id"]
    assert made.type == kind
    assert len(made.unique()) == 200


def test_undeclared_identifiers_are_refused(table: pa.Table) -> None:
    names = pa.array([f"Person {i}" for i in range(table.num_rows)])
    with pytest.raises(EngineError, match="'name' looks like an identifier") as caught:
        avatarize(table.append_column("name", names), [], PARAMS, 1)
    assert "Person" not in caught.value.message
    assert avatarize(table.append_column("name", names).slice(0, 15), [], PARAMS, 1).shuffled.num_rows == 15


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d"])
def test_dates_that_are_text_and_all_different_are_dates_not_identifiers(
    table: pa.Table, form: str, kind: pa.DataType
) -> None:
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    step = dt.timedelta(days=3, seconds=7 if "S" in form else 0)
    written = pa.array([(start + i * step).strftime(form) for i in range(table.num_rows)]).dictionary_encode()
    written = written if written.type == kind else written.cast(kind)
    made = avatarize(table.append_column("since", written), [ColumnSpec("since", ColumnType.CATEGORY)], PARAMS, 1)
    since = made.unshuffled["since"]
    assert since.type == written.type
    assert all(dt.datetime.strptime(f"{text}+0000", f"{form}%z") for text in since.to_pylist())
    assert len(set(since.to_pylist()) & set(written.to_pylist())) < table.num_rows / 2, "most are dates of nobody"
    assert written[0].as_py() <= min(since.to_pylist()) <= max(since.to_pylist()) <= written[-1].as_py()


def rows(n: int) -> pa.Table:
    return pa.table({"x": np.arange(n, dtype=float)})


ODD_COLUMNS: dict[str, Callable[[int], pa.Array]] = {
    "all missing": lambda n: pa.nulls(n, pa.float64()),
    "null type": pa.nulls,
    "constant number": lambda n: pa.array([0.3] * n),
    "one modality": lambda n: pa.array(["same"] * n),
    "one value, rest missing": lambda n: pa.array([1] + [None] * (n - 1), pa.int64()),
    "one modality, rest missing": lambda n: pa.array([None] * (n - 1) + ["a"]),
    "zoned": lambda n: pa.array([dt.datetime(2020, 1, 1 + i % 28, tzinfo=dt.UTC) for i in range(n)]),
    "unused levels": lambda n: pa.DictionaryArray.from_arrays(
        pa.array([i % 2 for i in range(n)], pa.int8()), ["a", "b", "c"]
    ),
    "nullable ints": lambda n: pa.array([None if i % 3 == 0 else i for i in range(n)], pa.int32()),
}


@pytest.mark.parametrize("make", ODD_COLUMNS.values(), ids=ODD_COLUMNS.keys())
def test_odd_columns_keep_their_type(make: Callable[[int], pa.Array]) -> None:
    odd = rows(40).append_column("odd", make(40))
    made = avatarize(odd, [], PARAMS, 1)
    assert made.unshuffled["odd"].type == odd["odd"].type
    assert set(made.unshuffled["odd"].to_pylist()) <= set(odd["odd"].to_pylist()) | set(range(40)) | {
        value for value in made.unshuffled["odd"].to_pylist() if isinstance(value, dt.datetime)
    }


def test_a_constant_comes_back_unchanged() -> None:
    odd = rows(40).append_column("odd", pa.array([0.3] * 40))
    assert set(avatarize(odd, [], PARAMS, 1).unshuffled["odd"].to_pylist()) == {0.3}


def test_a_table_of_equal_rows_comes_back_as_it_is() -> None:
    same = pa.table({"x": [1.5] * 25, "g": ["a"] * 25})
    assert avatarize(same, [], PARAMS, 1).unshuffled.equals(same)


@pytest.mark.timeout(60)
def test_ten_thousand_modalities() -> None:
    n = 20_000
    random = np.random.default_rng(0)
    wide = pa.table({"x": random.normal(size=n), "c": [f"m{i}" for i in random.integers(0, 10_000, n)]})
    avatars = avatarize(wide, [], PARAMS, 1)
    assert avatars.facts.ncp == 5
    assert avatars.facts.dimensions > 8_000
    assert set(avatars.unshuffled["c"].to_pylist()) <= set(wide["c"].to_pylist())


@pytest.mark.parametrize(
    ("specs", "space", "match"),
    [
        ([ColumnSpec("nobody")], Space(), "'nobody'"),
        ([ColumnSpec(name, drop=True) for name in ("age", "weight", "group", "site", "smoker")], Space(), "no column"),
        ([], Space(column_weights={"nobody": 1.0}), "'nobody'"),
        ([], Space(column_weights={"age": 0.0}), "above 0"),
        ([], Space(ncp=0), "ncp"),
        ([ColumnSpec("site", ColumnType.INT)], Space(), "'site'"),
    ],
)
def test_what_does_not_fit_is_refused(table: pa.Table, specs: list[ColumnSpec], space: Space, match: str) -> None:
    with pytest.raises(EngineError, match=match):
        avatarize(table, specs, AvatarParams(5, space), 1)


def test_tables_without_rows_are_refused(table: pa.Table) -> None:
    for few in (0, 1):
        with pytest.raises(EngineError, match="smaller than the number of rows"):
            avatarize(table.slice(0, few), [], AvatarParams(1), 1)


def test_column_weights_change_who_the_neighbours_are(table: pa.Table) -> None:
    def agreement(weight: float) -> float:
        space = Space(column_weights={"site": weight})
        made = avatarize(table, [], AvatarParams(10, space), 1).unshuffled
        return float(
            np.mean([a == b for a, b in zip(made["site"].to_pylist(), table["site"].to_pylist(), strict=True)])
        )

    assert agreement(0.1) < agreement(10.0)


def test_indicators_are_dimensions_of_the_space(holey: pa.Table) -> None:
    layout = fit_layout(holey, [])
    space = fit_space(layout, encode(layout, holey), Space(), 1)
    assert [layout.names[i] for i in space.indicators] == ["weight", "site"]
    assert space.indicator_codes(encode(layout, holey)).sum() == holey["weight"].null_count + holey["site"].null_count
