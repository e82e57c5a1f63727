"""Avatars miss as many values as their originals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.missingness import ROUNDS, keep_shares
from avatar_gitops.engine.params import Augmentation, AvatarParams, Generation, Imputation, ImputationMethod, Space
from avatar_gitops.engine.run import avatarize

Flags = npt.NDArray[np.int32]


def drawn_with(share: npt.NDArray[np.float64], seed: int) -> Flags:
    return (np.random.default_rng(seed).random(share.shape) < share).astype(np.int32)


@given(st.integers(0, 1_000), st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_shares_are_kept_by_flags_that_were_drawn(seed: int, share: float, wanted: float) -> None:
    chances = np.full((2_000, 1), share)
    first = drawn_with(chances, seed)
    rounds: list[Flags] = []

    def again(number: int) -> Flags:
        rounds.append(drawn_with(chances, seed + number + 1))
        return rounds[-1]

    kept = keep_shares(first, np.array([wanted]), again, np.random.default_rng(seed))
    chance = 2 * np.sqrt(wanted * (1 - wanted) * 2_000)
    if len(rounds) < ROUNDS:
        assert abs(kept.sum() - round(wanted * 2_000)) <= chance
    changed = kept != first
    assert all(any(flags[row, 0] == kept[row, 0] for flags in rounds) for row in np.flatnonzero(changed[:, 0]))


def test_what_chance_explains_is_left_alone_and_what_nobody_has_is_not_invented() -> None:
    first = drawn_with(np.full((1_000, 1), 0.1), 1)
    share = float(first.mean())
    kept = keep_shares(first, np.array([share + 0.01]), lambda _: pytest.fail("drawn again"), np.random.default_rng(1))
    assert kept is not first
    assert (kept == first).all()
    nobody = keep_shares(
        np.zeros((100, 1), np.int32), np.array([0.5]), lambda _: np.zeros((100, 1), np.int32), np.random.default_rng(1)
    )
    assert not nobody.any()


def apart(rows: int = 6_000) -> pa.Table:
    """Few rows miss a value, and they lie apart from one another, so that few have them as neighbours."""
    random = np.random.default_rng(2)
    names = [f"x{i}" for i in range(6)]
    columns = {n: pa.array(random.normal(size=rows), mask=random.random(rows) < 0.08) for n in names}
    return pa.table(
        {**columns, "g": pa.array(random.choice(["a", "b"], rows).astype(object), mask=random.random(rows) < 0.08)}
    )


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("augmentation", [None, Augmentation(1.5)])
def test_avatars_miss_as_much_as_their_originals(generation: Generation, augmentation: Augmentation | None) -> None:
    table = apart()
    space = Space(10, imputation=Imputation(ImputationMethod.MEAN))
    made = avatarize(table, [], AvatarParams(20, space, generation, augmentation), 1).unshuffled
    for name in table.column_names:
        before, after = (100 * side[name].null_count / side.num_rows for side in (table, made))
        assert after == pytest.approx(before, abs=1), name
