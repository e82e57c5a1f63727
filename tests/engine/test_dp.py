"""Differential privacy: budgets add up to what was declared, and nothing but noisy statistics leaves the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.dp.accountant import Accountant
from avatar_gitops.engine.dp.cells import cut, place
from avatar_gitops.engine.dp.domains import CategoryDomain, NumberDomain, Rows, declare, read_rows
from avatar_gitops.engine.dp.latent import encode, fit_space
from avatar_gitops.engine.dp.marginals import draw_cells, measure_tree, project_simplex
from avatar_gitops.engine.dp.params import DpModel, DpParams, PrivacyUnit, PublicColumn
from avatar_gitops.engine.dp.run import release
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.errors import EngineError
from tests.engine.dp_people import PUBLIC, people


class Recorder(Accountant[Rows]):
    """Asks without noise where told to, and keeps every question's true answer and every answer that was given."""

    true: list[np.ndarray]
    answers: list[Any]
    replay: list[Any]

    def _ask(self, domain: Any, metric: Any, query: Callable[[Any], object], stability: Callable[[int], object]) -> Any:
        def recorded(rows: Any) -> object:
            answer = query(rows)
            self.true.append(np.array(list(answer.values()) if isinstance(answer, dict) else answer, dtype=float))
            return answer

        return super()._ask(domain, metric, recorded, stability)

    def _invoke(self, stage: str, measurement: Any) -> Any:
        answer = super()._invoke(stage, measurement)
        if self.replay:
            answer = self.replay.pop(0)
        self.answers.append(answer)
        return answer


def recorder(replay: list[Any]) -> tuple[list[Recorder], Callable[..., Recorder]]:
    """A factory for `release` and where its accountant will be found."""
    made: list[Recorder] = []

    def create(*args: Any, **more: Any) -> Recorder:
        made.append(Recorder(*args, **more))
        made[0].true, made[0].answers, made[0].replay = [], [], list(replay)
        return made[0]

    return made, create


@pytest.mark.parametrize(("public", "rows"), [(PUBLIC, 1), ({}, 1), (PUBLIC, 3)])
@pytest.mark.parametrize("model", DpModel)
def test_the_measurements_add_up_to_the_declared_budget(
    model: DpModel, public: dict[str, PublicColumn], rows: int
) -> None:
    table = people(3000).append_column("who", pa.array([f"p{i // rows}" for i in range(3000)]))
    params = DpParams(8.0, model, public=public, unit=PrivacyUnit("who", rows), ncp=3)
    promise = release(table, [], params, 1).guarantee
    assert 8.0 * (1 - 1e-5) <= promise.epsilon <= 8.0
    assert sum(spent.delta for spent in promise.stages) <= promise.delta
    total = sum(spent.loss for spent in promise.stages)
    assert total == pytest.approx(promise.epsilon if promise.rho is None else promise.rho)
    pure = model is DpModel.MARGINALS
    assert (promise.rho is None) == pure
    assert (promise.delta == 0) == (pure and bool(public))
    assert promise.delta <= 1e-9
    assert len(promise.learned) == (0 if public else 3)


@settings(max_examples=5, deadline=None)
@given(st.floats(0.05, 20), st.floats(1e-12, 1e-5), st.sampled_from(list(DpModel)), st.floats(0.05, 0.9))
def test_no_budget_is_ever_exceeded(epsilon: float, delta: float, model: DpModel, ratio: float) -> None:
    params = DpParams(epsilon, model, delta, ratio, public={name: PUBLIC[name] for name in ("age", "ward")})
    try:
        promise = release(people(400), [], params, 1).guarantee
    except EngineError as refused:
        assert "too small to learn the bounds of column 'dose'" in str(refused)
        return
    assert promise.epsilon <= epsilon
    assert promise.epsilon >= epsilon * (1 - 1e-5)
    assert promise.delta <= delta * (1 + 1e-9)


def test_the_first_measurement_beyond_the_budget_is_refused() -> None:
    account = Accountant(np.zeros(5), 1.0, 0.0, 0.0, 1, pure=True)
    account.counts("first", lambda rows: np.array([len(rows)]), 1, account.budget * 0.9)
    with pytest.raises(EngineError, match="'second' was refused: it would spend more than the declared"):
        account.counts("second", lambda rows: np.array([len(rows)]), 1, account.budget * 0.2)


def test_the_conversion_of_zcdp_is_at_least_as_tight_as_the_textbook() -> None:
    account = Accountant(np.zeros(5), 3.0, 1e-6, 0.0, 1, pure=False)
    textbook = account.budget + 2 * np.sqrt(account.budget * np.log(1e6))  # Bun and Steinke, proposition 1.3
    assert 3.0 <= textbook < 4.0


@pytest.mark.parametrize(
    ("model", "public"),
    [(DpModel.MARGINALS, PUBLIC), (DpModel.MARGINALS, {}), (DpModel.HISTOGRAM, {}), (DpModel.GMM, PUBLIC)],
)
def test_neighbours_differ_through_noised_statistics_only(model: DpModel, public: dict[str, PublicColumn]) -> None:
    table = people(2000)
    outlier = pa.table({"age": [99], "dose": [4.99], "ward": ["north"]}, schema=table.schema)
    params = DpParams(20.0, model, public=public, ncp=3)
    first, create = recorder([])
    alone = release(table, [], params, 7, accountant=create)
    second, create = recorder(first[0].answers)
    joined = release(pa.concat_tables([table, outlier]), [], params, 7, accountant=create)
    assert joined.table.equals(alone.table), "equal answers make equal releases: nothing else of the rows gets out"
    assert joined.guarantee == alone.guarantee
    changed = [not np.array_equal(a, b) for a, b in zip(first[0].true, second[0].true, strict=True)]
    assert any(changed), "the extra row was counted"


@pytest.mark.parametrize("model", [DpModel.MARGINALS, DpModel.HISTOGRAM, DpModel.GMM])
def test_one_row_moves_no_statistic_by_more_than_its_noise_is_made_for(model: DpModel) -> None:
    table = people(300)
    moved: list[tuple[float, float]] = []

    class Watching(Recorder):
        def counts(self, stage: str, query: Any, sensitivity: float, share: float) -> Any:
            found = super().counts(stage, query, sensitivity, share)
            moved.append((sensitivity, len(self.true) - 1))
            return found

    base: list[Watching] = []

    def create(*args: Any, **more: Any) -> Watching:
        base.append(Watching(*args, **more))
        base[-1].true, base[-1].answers, base[-1].replay = [], [], list(base[0].answers) if len(base) > 1 else []
        return base[-1]

    params = DpParams(5.0, model, public=PUBLIC, ncp=3)
    release(table, [], params, 3, accountant=create)
    places = list(moved)
    for extreme in ({"age": 100, "dose": 5.0, "ward": "west"}, {"age": -7, "dose": None, "ward": None}):
        row = pa.table({name: [value] for name, value in extreme.items()}, schema=table.schema)
        release(pa.concat_tables([table, row]), [], params, 3, accountant=create)
        for sensitivity, at in places:
            difference = base[-1].true[int(at)] - base[0].true[int(at)]
            size = np.abs(difference).sum() if model is DpModel.MARGINALS else np.sqrt((difference**2).sum())
            assert size <= sensitivity * (1 + 1e-9)


def test_seeds_do_not_repeat_the_noise() -> None:
    params = DpParams(1.0, public=PUBLIC)
    once, twice = (release(people(500), [], params, 1).table for _ in range(2))
    assert not once.equals(twice)


def test_the_size_is_noisy_unless_it_is_public() -> None:
    table = people(500)
    sizes = {release(table, [], DpParams(1.0, public=PUBLIC), 1).table.num_rows for _ in range(6)}
    assert len(sizes) > 1
    known = release(table, [], DpParams(1.0, public=PUBLIC, rows=500), 1)
    assert known.table.num_rows == 500
    assert "number of rows" in known.guarantee.public


@pytest.mark.parametrize("model", DpModel)
def test_large_budgets_keep_means_shares_and_what_belongs_together(model: DpModel) -> None:
    table = people(6000, seed=3)
    made = release(table, [], DpParams(60.0, model, public=PUBLIC), 1).table
    original, copy = table.to_pandas(), made.to_pandas()
    assert abs(copy["age"].mean() - original["age"].mean()) < 2.0
    assert abs(copy["dose"].mean() - original["dose"].mean()) < 0.15
    assert abs(copy["dose"].isna().mean() - original["dose"].isna().mean()) < 0.02
    assert abs(copy["ward"].isna().mean() - original["ward"].isna().mean()) < 0.02
    shares = original["ward"].value_counts(normalize=True) - copy["ward"].value_counts(normalize=True)
    assert shares.abs().max() < 0.03
    assert copy[["age", "dose"]].corr().iloc[0, 1] > (0.7 if model is DpModel.MARGINALS else 0.5)


@pytest.mark.parametrize("model", DpModel)
def test_values_stay_inside_what_is_public(model: DpModel) -> None:
    public = {**PUBLIC, "age": PublicColumn(20, 40, complete=True), "ward": PublicColumn(categories=("south", "east"))}
    made = release(people(800), [], DpParams(2.0, model, public=public), 1).table
    ages = made["age"].to_pylist()
    assert all(age is not None and 20 <= age <= 40 for age in ages)
    assert set(made["ward"].to_pylist()) <= {"south", "east", None}
    assert made.schema.field("age").type == pa.int64()


def test_types_come_back_and_keys_are_new() -> None:
    n = 900
    draws = np.random.default_rng(1)
    days = pa.array(draws.integers(18_000, 19_000, n), pa.int32()).cast(pa.date32())
    table = pa.table(
        {
            "id": [f"secret-{i}" for i in range(n)],
            "day": days,
            "at": days.cast(pa.timestamp("ms")),
            "price": pa.array(draws.integers(100, 900, n)).cast(pa.decimal128(30, 2)),
            "member": draws.random(n) < 0.3,
            "code": pa.array(["a", "b"] * (n // 2)).dictionary_encode(),
            "gone": ["x"] * n,
        }
    )
    specs = [ColumnSpec("id", identifier=True), ColumnSpec("gone", drop=True)]
    public = {"day": PublicColumn("2019-01-01", "2022-12-31"), "at": PublicColumn("2019-01-01", "2022-12-31T23:00")}
    made = release(table, specs, DpParams(5.0, public=public), 1).table
    assert made.column_names == ["id", "day", "at", "price", "member", "code"]
    assert [made.schema.field(name).type for name in made.column_names[1:5]] == [
        table.schema.field(name).type for name in made.column_names[1:5]
    ]
    assert pa.types.is_dictionary(made.schema.field("code").type)
    assert not any("secret" in key for key in made["id"].to_pylist())
    assert len(set(made["id"].to_pylist())) == made.num_rows
    assert 0.2 < np.mean([value for value in made["member"].to_pylist() if value is not None]) < 0.4


def test_bounds_and_categories_are_learned_near_the_truth() -> None:
    made = release(people(4000, seed=5), [], DpParams(6.0), 1)
    assert made.guarantee.learned == ("bounds of age", "bounds of dose", "categories of ward")
    ages = np.array([age for age in made.table["age"].to_pylist() if age is not None])
    assert -20 <= ages.min() <= 30
    assert 70 <= ages.max() <= 200
    assert set(made.table["ward"].to_pylist()) - {None} == {"north", "south", "west"}


def test_at_most_so_many_rows_of_a_person_are_used() -> None:
    table = pa.table({"who": ["a"] * 500 + [None] * 400 + ["b", "c"], "x": [1] * 500 + [2] * 400 + [3, 3]})
    params = DpParams(90.0, public={"x": PublicColumn(1, 3, complete=True)}, unit=PrivacyUnit("who", 2))
    made = release(table, [], params, 1)
    assert made.table.num_rows <= 8, "two rows of a, of those without a name, of b and of c, and a little noise"
    assert made.table.column_names == ["who", "x"]
    assert made.guarantee.rows_per_person == 2


def test_the_projection_on_the_simplex_is_the_nearest() -> None:
    assert project_simplex(np.array([3.0, 1.0, -2.0]), 4.0).tolist() == [3.0, 1.0, 0.0]
    assert project_simplex(np.array([2.0, 0.0]), 4.0).tolist() == [3.0, 1.0]
    assert project_simplex(np.array([[5.0, 5.0], [1.0, 0.0]]), 6.0).tolist() == [[3.0, 3.0], [0.0, 0.0]]


def test_rows_drawn_along_the_tree_have_the_measured_counts() -> None:
    """Two columns that always agree and a third on its own: with hardly any noise the tree and the counts are exact."""
    rows = Rows(800, {}, {})
    first = np.repeat([0, 1], [500, 300]).astype(np.int32)
    rows.codes = np.stack([first, np.tile([0, 1, 2, 3], 200).astype(np.int32), first], axis=1)
    account = Accountant(rows, 90.0, 0.0, 0.0, 1, pure=True)
    tree = measure_tree(account, ([2, 4, 2], [None] * 3, ["a", "b", "c"]), account.budget, 800.0)
    assert (0, 2) in {(pair.left, pair.right) for pair in tree.pairs}
    cells = draw_cells(tree, 800, np.random.default_rng(0))
    assert np.bincount(cells[:, 0]).tolist() == pytest.approx([500, 300], abs=3)
    assert np.mean(cells[:, 0] == cells[:, 2]) > 0.99
    assert np.bincount(cells[:, 1]).tolist() == pytest.approx([200] * 4, abs=3)


def test_rows_outside_a_public_list_are_counted_nowhere_and_missing_ones_in_their_own_cell() -> None:
    table = pa.table({"w": ["a", None, "z", "b"], "x": [1.0, None, 99.0, -3.0]})
    public = {"w": PublicColumn(categories=("a", "b")), "x": PublicColumn(0.0, 4.0)}
    domains = declare(table, [], public)
    assert isinstance(domains[0], CategoryDomain)
    assert isinstance(domains[1], NumberDomain)
    rows = read_rows(table, domains)
    cells = place([cut(domain, 4) for domain in domains], rows)
    assert cells[:, 0].tolist() == [0, 2, 3, 1]
    assert cells[:, 1].tolist() == [1, 4, 3, 0]
    points = encode(fit_space(domains), rows)
    assert points[:, :3].tolist() == [[724, 0, 0], [0, 0, 724], [0, 0, 0], [0, 724, 0]]
    assert points[:, 3:].tolist() == [[-512, 0], [0, 724], [1024, 0], [-1024, 0]]


ODD = {
    "no row": (pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}), ("x", "y")),
    "one row": (pa.table({"a": [4], "b": ["x"]}), ("x", "y")),
    "no value": (pa.table({"a": pa.nulls(300, pa.float64()), "b": pa.nulls(300, pa.string())}), ("x",)),
    "one value": (pa.table({"a": [3] * 300, "b": ["x"] * 300}), ("x",)),
    "infinite": (pa.table({"a": [np.inf, -np.inf, 2.0] * 100, "b": ["", "é\n", "x"] * 100}), ("é\n", "x")),
    "2 000 categories": (
        pa.table({"a": [1, 2] * 500, "b": [f"m{i}" for i in range(1000)]}),
        tuple(f"m{i}" for i in range(2000)),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_tables_are_released_or_refused_in_words(name: str) -> None:
    table, categories = ODD[name]
    public = {"a": PublicColumn(0, 5), "b": PublicColumn(categories=categories)}
    for model in DpModel:
        if len(categories) > 600 and model is not DpModel.MARGINALS:
            with pytest.raises(EngineError, match="more than 600 dimensions"):
                release(table, [], DpParams(2.0, model, public=public), 1)
            continue
        made = release(table, [], DpParams(2.0, model, public=public), 1).table
        assert made.schema.types == table.schema.types
        assert made.num_rows >= 2
        assert set(made["b"].to_pylist()) <= {*categories, None}


@pytest.mark.slow
@pytest.mark.parametrize("model", DpModel)
def test_isolated_members_cannot_be_told_from_people_who_were_not_there(model: DpModel) -> None:
    """A distance attack on isolated people: at chance for every DP model, far from it for plain avatars."""
    from avatar_gitops.engine.params import AvatarParams
    from avatar_gitops.engine.run import avatarize

    releases = 60
    hits: dict[str, list[float]] = {"dp": [], "plain": []}
    public = {name: PublicColumn(-10.0, 10.0, complete=True) for name in "xyz"}
    for turn in range(releases):
        draws = np.random.default_rng(turn)
        crowd = draws.normal(0, 1, (300, 3))
        isolated = draws.uniform(5, 9, (40, 3)) * draws.choice([-1, 1], (40, 3))
        inside, outside = isolated[:20], isolated[20:]
        table = pa.table(dict(zip("xyz", np.vstack([crowd, inside]).T, strict=True)))
        made: dict[str, pa.Table] = {
            "dp": release(table, [], DpParams(1.0, model, public=public), turn).table,
            "plain": avatarize(table, [], AvatarParams(k=3), turn).shuffled,
        }
        for name, avatars in made.items():
            points = avatars.to_pandas()[list("xyz")].to_numpy(dtype=np.float64)
            near = [
                np.sqrt(((points[None] - group[:, None]) ** 2).sum(axis=2)).min(axis=1) for group in (inside, outside)
            ]
            hits[name].append(float(np.mean(near[0][:, None] < near[1][None])))
    low, high = (np.mean(hits["dp"]) + side * 2.6 * np.std(hits["dp"]) / np.sqrt(releases) for side in (-1, 1))
    assert low <= 0.5 + 0.02, (low, high)
    assert high < 0.62
    assert np.mean(hits["plain"]) > 0.7
