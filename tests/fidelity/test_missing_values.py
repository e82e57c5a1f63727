"""Avatars of the guide's table with missing values miss as much as their originals, whatever fills the gaps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from avatar_gitops.engine.params import AvatarParams, Imputation, ImputationMethod, Space
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import read_table

FIXTURES = os.environ.get("AVATAR_FIXTURES", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FIXTURES, reason="AVATAR_FIXTURES names no folder with the tables of the guide"),
]


@pytest.mark.parametrize("method", ImputationMethod)
def test_every_column_misses_as_much_as_before(method: ImputationMethod) -> None:
    table = read_table(Path(FIXTURES) / "adult_with_missing.csv")
    fraction = 0.1 if method is ImputationMethod.KNN else None  # all donors are compared with all rows otherwise
    space = Space(imputation=Imputation(method, k=3, training_fraction=fraction))
    made = avatarize(table, [], AvatarParams(20, space), 1).shuffled
    rows = table.num_rows
    for name in table.column_names:
        before, after = (100 * side[name].null_count / rows for side in (table, made))
        assert after == pytest.approx(before, abs=1.0), name
    assert sum(made[name].null_count for name in made.column_names) > 0


def test_imputed_values_stay_where_they_are_asked_for() -> None:
    table = read_table(Path(FIXTURES) / "adult_with_missing.csv").slice(0, 5_000)
    space = Space(imputation=Imputation(ImputationMethod.MODE, return_data_imputed=True))
    made = avatarize(table, [], AvatarParams(20, space), 1).shuffled
    assert sum(table[name].null_count for name in table.column_names) > 0
    assert sum(made[name].null_count for name in made.column_names) == 0
