"""Excluded columns: whose values they come back with, and what metrics make of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.exclusion import BLOCK, duplicates, similar_donors
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    Balancing,
    ColumnSpec,
    Exclusion,
    PrivacyParams,
    Replacement,
    SignalParams,
    Space,
)
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic

SIMILAR = Exclusion(("name", "site"), Replacement.COORDINATE_SIMILARITY)
IN_ORDER = Exclusion(("name", "site"), Replacement.ROW_ORDER)


def named(rows: int = 300) -> pa.Table:
    return synthetic(rows).append_column("name", pa.array([f"n{i}" for i in range(rows)]))


@given(st.integers(2, 3 * BLOCK), st.integers(1, 3), st.integers(0, 1_000))
@settings(deadline=None, max_examples=25)
def test_every_original_is_copied_once_and_never_to_its_own_avatar(rows: int, axes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = random.normal(size=(rows, axes))
    avatars = points + random.normal(0, 0.1, (rows, axes))
    own = np.arange(rows)
    donors = similar_donors(points, avatars, own, own, random)
    assert sorted(donors) == list(own)
    assert (donors != own).all()


def test_matching_is_far_better_than_chance() -> None:
    random = np.random.default_rng(1)
    points = random.normal(size=(1_000, 2))
    own = np.arange(1_000)
    donors = similar_donors(points, points, own, own, random)
    near = np.sqrt(((points - points[donors]) ** 2).sum(axis=1)).mean()
    anybody = np.sqrt(((points - points[random.permutation(1_000)]) ** 2).sum(axis=1)).mean()
    assert near < 0.15 * anybody


def test_exact_duplicates_are_as_forbidden_as_the_own_row() -> None:
    points = np.repeat(np.arange(20.0), 5)[:, None]
    same = np.repeat(np.arange(20), 5)
    donors = similar_donors(points, points, np.arange(100), same, np.random.default_rng(1))
    assert (same[donors] != same).all()
    assert np.abs(points[donors] - points).max() <= 4


def test_where_all_rows_are_duplicates_another_row_is_taken() -> None:
    points, own = np.zeros((7, 1)), np.arange(7)
    donors = similar_donors(points, points, own, np.zeros(7, dtype=np.int64), np.random.default_rng(1))
    assert (donors != own).all()


def test_duplicates_are_equal_in_excluded_columns_too() -> None:
    table = pa.table({"a": ["x", "x", "y", None, None], "b": [[1], [1], [1], [2], [2]]})
    ids = duplicates(table, ["a", "b"], np.zeros((5, 1)))
    assert ids[0] == ids[1] != ids[2]
    assert ids[3] == ids[4]
    assert len(np.unique(duplicates(table, ["a"], np.arange(5.0)[:, None]))) == 5


def test_excluded_columns_come_back_together_from_one_other_row() -> None:
    table = named()
    made = avatarize(table, [], AvatarParams(10, Space(exclude=SIMILAR)), 1)
    real = set(zip(table["name"].to_pylist(), table["site"].to_pylist(), strict=True))
    given_back = list(zip(made.unshuffled["name"].to_pylist(), made.unshuffled["site"].to_pylist(), strict=True))
    assert set(given_back) == real
    assert not any(pair[0] == name for pair, name in zip(given_back, table["name"].to_pylist(), strict=True))
    assert made.unshuffled.schema.equals(table.schema)
    roles = {fact.name: fact.role for fact in made.facts.columns}
    assert roles["name"] == roles["site"] == "excluded"
    assert [reason for reason in made.facts.sensitive if "'name'" in reason]
    assert not [reason for reason in made.facts.sensitive if "'site'" in reason]


def test_row_order_gives_back_the_own_values_and_says_so() -> None:
    table = named()
    made = avatarize(table, [], AvatarParams(10, Space(exclude=IN_ORDER)), 1)
    assert made.unshuffled.select(["name", "site"]).equals(table.select(["name", "site"]))
    assert not made.shuffled.select(["name", "site"]).equals(table.select(["name", "site"]))
    assert made.facts.sensitive[0].startswith("row_order")


@pytest.mark.parametrize("replacement", Replacement)
def test_classes_that_are_raised_are_raised_with_their_own_excluded_values(replacement: Replacement) -> None:
    table = named().append_column("of", synthetic(300)["group"])
    space = Space(exclude=Exclusion(("of",), replacement))
    columns = [ColumnSpec("name", drop=True)]
    made = avatarize(table, columns, AvatarParams(10, space, augmentation=Augmentation(Balancing.MINORITY, "group")), 1)
    assert made.origins is not None
    wanted = table["of"].take(pa.array(made.origins)).to_pylist()
    assert sorted(made.unshuffled["of"].to_pylist()) == sorted(wanted)


@pytest.mark.parametrize(
    ("names", "columns", "reason"),
    [
        (("nowhere",), [], "not a column of the table"),
        (("site",), [ColumnSpec("site", identifier=True)], "also a key"),
        (tuple(named().column_names), [], "no column to model"),
    ],
)
def test_what_cannot_be_excluded_is_refused(names: tuple[str, ...], columns: list[ColumnSpec], reason: str) -> None:
    space = Space(exclude=Exclusion(names, Replacement.COORDINATE_SIMILARITY))
    with pytest.raises(EngineError, match=reason):
        avatarize(named(), columns, AvatarParams(10, space), 1)


def test_metrics_judge_excluded_columns_unless_told_not_to() -> None:
    table = named()
    made = avatarize(table, [], AvatarParams(10, Space(exclude=IN_ORDER)), 1).unshuffled
    judged = pair_up(table, made, [], Space(exclude=IN_ORDER), 1).space.layout.names
    left_out = pair_up(table, made, [], Space(exclude=Exclusion(IN_ORDER.names, IN_ORDER.replacement, False)), 1)
    assert set(judged) == {*table.column_names} - {"name"}  # texts that differ in each row say nothing about nearness
    assert set(left_out.space.layout.names) == {*table.column_names} - {"name", "site"}


def test_row_order_costs_what_the_metrics_say() -> None:
    table = named()
    hidden = {}
    for exclusion in (IN_ORDER, SIMILAR):
        space = Space(exclude=Exclusion(("site", "group", "name"), exclusion.replacement))
        made = avatarize(table, [], AvatarParams(10, space), 1).unshuffled
        hidden[exclusion.replacement] = measure_privacy(table, made, [], PrivacyParams(space), 1).values["hidden_rate"]
        measured = measure_signal(table, made, [], SignalParams(space), 1)
        assert measured.values["total_variation_mean"] is not None
    assert (hidden[Replacement.ROW_ORDER] or 0) < (hidden[Replacement.COORDINATE_SIMILARITY] or 0) - 10
