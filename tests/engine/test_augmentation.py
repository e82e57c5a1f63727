"""More avatars than originals: how many, of whom, and what their privacy is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.augmentation import copy_numbers, plan_origins
from avatar_gitops.engine.copies import barycentres, own_first
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.links.measure import measure_privacy_view
from avatar_gitops.engine.links.views import Computation, View, mean_views
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    Balancing,
    ColumnSpec,
    Generation,
    Metrics,
    PrivacyParams,
    SignalParams,
    Space,
)
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.pseudonyms.kinds import UuidPseudonym
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.errors import EngineError

STANDALONE, BARYCENTERED, CLASS_BALANCING = (
    Computation.STANDALONE,
    Computation.BARYCENTERED,
    Computation.CLASS_BALANCING,
)
CLASSES = pa.table({"x": np.arange(10.0), "g": ["a"] * 6 + ["b"] * 3 + ["c"]})


def measure_augmented(
    original: pa.Table, avatars: tuple[pa.Table, npt.NDArray[np.int64]], params: PrivacyParams
) -> dict[Computation, Metrics]:
    alone = View("t", STANDALONE, None, original, avatars[0], (), origins=avatars[1])
    return {view.computation: measure_privacy_view(view, params, 1) for view in (alone, *mean_views(alone))}


def origins_of(strategy: float | Balancing | dict[str, float], target: str | None = "g") -> list[int]:
    layout = fit_layout(CLASSES, [])
    plan = plan_origins(layout, encode(layout, CLASSES), Augmentation(strategy, target), np.random.default_rng(1))
    return [int((np.isin(plan, rows)).sum()) for rows in (range(6), range(6, 9), [9])]


@given(rows=st.integers(1, 400), factor=st.floats(1, 12))
def test_a_factor_gives_exactly_that_many_rows_as_evenly_as_possible(rows: int, factor: float) -> None:
    table = pa.table({"x": np.arange(float(rows))})
    layout = fit_layout(table, [])
    plan = plan_origins(layout, encode(layout, table), Augmentation(factor), np.random.default_rng(1))
    counts = np.bincount(plan, minlength=rows)
    assert len(plan) == round(factor * rows)
    assert counts.max() - counts.min() <= 1
    np.testing.assert_array_equal(plan[:rows], np.arange(rows))
    assert sorted(zip(plan, copy_numbers(plan), strict=True)) == [(i, c) for i in range(rows) for c in range(counts[i])]


@pytest.mark.parametrize(
    ("strategy", "sizes"),
    [
        (Balancing.MINORITY, [6, 3, 6]),
        (Balancing.NOT_MAJORITY, [6, 6, 6]),
        ({"a": 1.5, "c": 4.0}, [9, 3, 4]),
    ],
)
def test_classes_are_raised_to_their_sizes(strategy: Balancing | dict[str, float], sizes: list[int]) -> None:
    assert origins_of(strategy) == sizes


def test_a_class_may_be_a_truth_value() -> None:
    table = pa.table({"x": np.arange(10.0), "g": np.arange(10) < 2})
    made = avatarize(table, [], AvatarParams(3, augmentation=Augmentation({"True": 4.0}, "g")), 1)
    assert made.shuffled.num_rows == 8 + 2 * 4


@pytest.mark.parametrize(
    ("augmentation", "reason"),
    [
        (Augmentation(0.99), "below 1"),
        (Augmentation({"a": 0.5}, "g"), "below 1"),
        (Augmentation({"z": 2.0}, "g"), "does not have"),
        (Augmentation(Balancing.MINORITY), "no target column"),
        (Augmentation(Balancing.MINORITY, "x"), "not a modelled category"),
    ],
)
def test_what_cannot_be_augmented_is_refused(augmentation: Augmentation, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        avatarize(CLASSES, [], AvatarParams(3, augmentation=augmentation), 1)


@pytest.mark.parametrize("generation", Generation)
def test_the_first_avatars_are_those_of_a_run_without_augmentation(table: pa.Table, generation: Generation) -> None:
    plain = avatarize(table, [], AvatarParams(10, generation=generation), 3)
    more = avatarize(table, [], AvatarParams(10, generation=generation, augmentation=Augmentation(2.5)), 3)
    assert more.unshuffled.slice(0, table.num_rows).equals(plain.unshuffled)
    assert more.origins is not None
    assert more.shuffled.num_rows == len(more.origins) == round(2.5 * table.num_rows)
    assert plain.origins is None
    assert sorted(map(str, more.shuffled.to_pylist())) == sorted(map(str, more.unshuffled.to_pylist()))


def test_classes_come_out_about_as_large_as_wanted(table: pa.Table) -> None:
    made = avatarize(table, [], AvatarParams(10, augmentation=Augmentation(Balancing.NOT_MAJORITY, "site")), 1)
    shares = {
        item["values"]: item["counts"] / made.shuffled.num_rows
        for item in made.shuffled["site"].value_counts().to_pylist()
    }
    assert min(shares.values()) > 0.2
    before = {item["values"]: item["counts"] / table.num_rows for item in table["site"].value_counts().to_pylist()}
    assert min(before.values()) < 0.15


def test_kept_originals_are_the_first_rows_and_are_called_sensitive(holey: pa.Table) -> None:
    kept = Augmentation(1.5, anonymize_originals=False)
    made = avatarize(holey, [], AvatarParams(10, augmentation=kept), 1)
    assert made.unshuffled.slice(0, holey.num_rows).equals(holey)
    assert made.shuffled.num_rows == round(1.5 * holey.num_rows)
    assert any("real rows" in reason for reason in made.facts.sensitive)
    with pytest.raises(EngineError, match="nothing would be anonymized"):
        avatarize(holey, [], AvatarParams(10, augmentation=replace(kept, strategy=1.0)), 1)


def test_copies_of_a_person_share_neither_keys_nor_pseudonyms(table: pa.Table) -> None:
    person = pa.array(np.arange(table.num_rows) // 2)
    table = table.append_column("visit_of", person).append_column("card", person)
    columns = [ColumnSpec("visit_of", identifier=True), ColumnSpec("card", pseudonym=UuidPseudonym())]
    made = avatarize(table, columns, AvatarParams(10, augmentation=Augmentation(2.0)), 1)
    assert made.origins is not None
    of = person.to_numpy()[made.origins]
    copies = copy_numbers(made.origins)
    for name in ("visit_of", "card"):
        groups: dict[object, set[tuple[int, int]]] = {}
        for key, who, copy in zip(made.unshuffled[name].to_pylist(), of, copies, strict=True):
            groups.setdefault(key, set()).add((int(who), int(copy)))
        assert all(len(group) == 1 for group in groups.values())


def test_several_avatars_of_one_person_are_warned_about_where_their_mean_tells(table: pa.Table) -> None:
    def warned(factor: float, generation: Generation) -> bool:
        params = AvatarParams(10, generation=generation, augmentation=Augmentation(factor))
        return any("mean" in warning for warning in avatarize(table, [], params, 1).facts.warnings)

    assert warned(2.0, Generation.BARYCENTRE)
    assert not warned(1.0, Generation.BARYCENTRE)
    assert not warned(2.0, Generation.LOCAL_GAUSSIAN)


def test_with_one_avatar_each_all_computations_agree(holey: pa.Table) -> None:
    made = avatarize(holey, [], AvatarParams(10, augmentation=Augmentation(1.0)), 1)
    assert made.origins is not None
    params = PrivacyParams(known_variables=("age", "site"), target="smoker")
    blocks = measure_augmented(holey, (made.unshuffled, made.origins), params)
    plain = measure_privacy(holey, made.unshuffled, [], params, 1)
    assert set(blocks) == {STANDALONE, BARYCENTERED}
    assert blocks[STANDALONE] == plain
    told = {name: value for name, value in plain.values.items() if value is not None}
    assert {name: blocks[BARYCENTERED].values[name] for name in told} == pytest.approx(told, rel=1e-9)
    signal = measure_signal(holey, made.unshuffled, [], SignalParams(), 1)
    assert measure_signal(holey, made.unshuffled, [], SignalParams(), 1, made.origins) == signal


def test_means_of_copies_give_people_away() -> None:
    """Ten avatars average to a point that chance hardly moves, so their mean is nearer to its person than each."""
    from tests.engine.conftest import synthetic

    table = synthetic(400)
    made = avatarize(table, [], AvatarParams(20, augmentation=Augmentation(10.0)), 1)
    assert made.origins is not None
    blocks = measure_augmented(table, (made.unshuffled, made.origins), PrivacyParams())
    hidden = {name: block.values["hidden_rate"] or 0.0 for name, block in blocks.items()}
    assert hidden[BARYCENTERED] < hidden[STANDALONE] - 5


def test_only_people_with_several_avatars_are_asked_about_in_class_balancing(table: pa.Table) -> None:
    made = avatarize(table, [], AvatarParams(10, augmentation=Augmentation(Balancing.MINORITY, "site")), 1)
    assert made.origins is not None
    blocks = measure_augmented(table, (made.unshuffled, made.origins), PrivacyParams())
    several = int((np.bincount(made.origins) > 1).sum())
    assert blocks[CLASS_BALANCING].population["hidden_rate"] == several < table.num_rows


def test_any_copy_gives_its_person_away() -> None:
    """Three people in a row; the first avatar of person 0 is far from it, the second is where person 0 is."""
    table = pa.table({"x": [0.0, 10.0, 20.0]})
    avatars = pa.table({"x": [13.0, 11.0, 19.0, 0.0]})
    pair = pair_up(table, avatars, [], Space(), 1, np.array([0, 1, 2, 0]))
    points, ties = own_first(pair)
    np.testing.assert_allclose(points[:3, 0], pair.avatar_points[[3, 1, 2], 0])
    assert ties.tolist() == [0, 0, 0]
    blocks = measure_augmented(table, (avatars, np.array([0, 1, 2, 0])), PrivacyParams())
    assert blocks[STANDALONE].values["hidden_rate"] == 0
    mean = barycentres(pair)
    assert mean.avatar.numbers[:, 0].tolist() == [6.5, 11.0, 19.0]


def test_means_take_the_most_frequent_category_and_blank_what_is_mostly_missing() -> None:
    table = pa.table({"x": [1.0, 2.0, 3.0], "g": ["a", "b", "a"]})
    avatars = pa.table({"x": [1.0, 2.0, 3.0, None, None], "g": ["a", "b", "a", "b", "b"]})
    mean = barycentres(pair_up(table, avatars, [], Space(), 1, np.array([0, 1, 2, 0, 0])))
    assert np.isnan(mean.avatar.numbers[0, 0])
    assert mean.avatar.codes[:, 0].tolist() == [1, 1, 0]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 1_000), st.sampled_from([1.0, 1.7, 3.0]), st.sampled_from(Generation))
def test_origins_depend_on_the_seed_only(seed: int, factor: float, generation: Generation) -> None:
    params = AvatarParams(3, generation=generation, augmentation=Augmentation(factor))
    first, second = (avatarize(CLASSES, [], params, seed) for _ in range(2))
    assert first.unshuffled.equals(second.unshuffled)
    assert first.origins is not None
    assert second.origins is not None
    assert np.array_equal(first.origins, second.origins)
