"""Batches above a limit of rows or memory, and limits that are checked first."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine import batches as module
from avatar_gitops.engine.batches import SMALLEST, count_batches, estimate_memory, split_rows
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.limits import check_dimensions, count_dimensions
from avatar_gitops.engine.params import Augmentation, AvatarParams, Balancing, ColumnSpec, Imputation, Limits, Space
from avatar_gitops.engine.run import Avatars, avatarize
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic

PARAMS = AvatarParams(10, Space(ncp=3))
LAYOUT = fit_layout(synthetic(30), ())


@given(st.integers(1, 500), st.integers(1, 20), st.integers(0, 99))
def test_every_row_is_in_exactly_one_batch(rows: int, batches: int, seed: int) -> None:
    parts = split_rows(rows, min(rows, batches), stream(seed, "", "batches"))
    assert sorted(np.concatenate(parts).tolist()) == list(range(rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=300), st.integers(1, 20), st.integers(0, 99))
def test_every_batch_holds_the_classes_in_the_proportions_of_the_whole(
    classes: list[int], batches: int, seed: int
) -> None:
    codes, count = np.array(classes, dtype=np.int32), min(len(classes), batches)
    parts, again = (split_rows(len(codes), count, stream(seed, "", "batches"), codes) for _ in range(2))
    assert all(map(np.array_equal, parts, again))
    assert all((np.diff(part) > 0).all() for part in parts)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(codes)))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for code in set(classes):
        held = [int((codes[part] == code).sum()) for part in parts]
        assert max(held) - min(held) <= 1


def test_rows_of_a_class_are_dealt_at_random() -> None:
    classes = np.repeat(np.arange(2, dtype=np.int32), [9_000, 1_000])
    first, other = (split_rows(10_000, 4, stream(seed, "", "batches"), classes)[0] for seed in (1, 2))
    assert abs(first[classes[first] == 0].mean() - 4_500) < 200
    assert len(np.intersect1d(first, other)) < 1_000


def test_batches_are_not_pieces_of_the_file() -> None:
    for part in split_rows(10_000, 4, stream(1, "", "batches")):
        assert abs(part.mean() - 5_000) < 200


@given(st.integers(1, 10**7), st.integers(1, 400), st.none() | st.integers(1, 10**7))
def test_batches_are_never_smaller_than_the_rule(rows: int, k: int, limit: int | None) -> None:
    count = count_batches(rows, LAYOUT, AvatarParams(k), Limits(rows=limit))
    assert count == 1 or rows // count >= max(SMALLEST, 20 * k)
    assert limit is None or rows > limit or count == 1


def test_memory_decides_the_number_and_too_little_is_refused() -> None:
    width = (2, 3, 3)
    whole, halves = estimate_memory(100_000, width), estimate_memory(100_000, width, 2)
    assert halves < whole
    assert count_batches(100_000, LAYOUT, PARAMS, Limits(memory=whole)) == 1
    assert count_batches(100_000, LAYOUT, PARAMS, Limits(memory=halves)) == 2
    with pytest.raises(EngineError, match="even in batches"):
        count_batches(100_000, LAYOUT, PARAMS, Limits(memory=1 << 20))


def _small_batches(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(module, "SMALLEST", 50)
    patch.setattr(module, "NEIGHBOURS_A_ROW", 2)


def _run(table: pa.Table, params: AvatarParams, rows: int | None) -> Avatars:
    return avatarize(table, (), params, 7, "people", Limits(rows=rows))


def test_a_table_within_the_limits_is_the_same_as_without_them(table: pa.Table) -> None:
    without, within = _run(table, PARAMS, None), avatarize(table, (), PARAMS, 7, "people", Limits(300, 1 << 30, 100))
    assert within.unshuffled.equals(without.unshuffled)
    assert within.facts == without.facts


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_avatars_in_batches_keep_their_place(monkeypatch: pytest.MonkeyPatch, missing: float) -> None:
    _small_batches(monkeypatch)
    table = synthetic(400, missing=missing)
    one, again, whole = _run(table, PARAMS, 150), _run(table, PARAMS, 150), _run(table, PARAMS, None)
    assert one.facts.batches == 3
    assert any("3 random batches" in warning for warning in one.facts.warnings)
    assert again.shuffled.equals(one.shuffled)
    assert again.unshuffled.equals(one.unshuffled)
    assert one.unshuffled.schema.equals(whole.unshuffled.schema)
    assert not one.unshuffled.equals(whole.unshuffled)
    # the avatar of a row is near to that row, as without batches, and the axes are those of all rows
    assert one.original_projection.equals(whole.original_projection)
    far = [np.median(_distances(avatars)) for avatars in (one, whole)]
    strangers = np.median(_distances(one, shift=1))
    assert max(far) < strangers / 2


def _distances(avatars: Avatars, shift: int = 0) -> np.ndarray:
    original, own = (
        np.column_stack([column.to_numpy() for column in side.columns])
        for side in (avatars.original_projection, avatars.avatar_projection)
    )
    return np.asarray(np.sqrt(((original - np.roll(own, shift, axis=0)) ** 2).sum(axis=1)))


def test_avatars_are_made_of_people_of_their_own_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    _small_batches(monkeypatch)
    table = pa.table({"who": pa.array([f"p{row:03d}" for row in range(200)]), "x": np.arange(200.0)})
    parts = split_rows(200, 2, stream(7, "people", "batches"))
    specs = (ColumnSpec("who"),)
    doubled = pa.concat_tables([table.slice(0, 199), table.slice(0, 1)])  # a text that not every row has of its own
    avatars = avatarize(doubled, specs, AvatarParams(5, Space(ncp=2)), 7, "people", Limits(rows=100)).unshuffled
    names = np.array(doubled["who"].to_pylist())
    drawn = np.array(avatars["who"].to_pylist())
    for part in parts:
        assert set(drawn[part]) <= set(names[part])


@pytest.mark.parametrize("anonymize", [True, False])
def test_augmented_tables_are_split_by_their_originals(monkeypatch: pytest.MonkeyPatch, anonymize: bool) -> None:
    _small_batches(monkeypatch)
    table = synthetic(300)
    more = AvatarParams(10, Space(ncp=3), augmentation=Augmentation(2.0, anonymize_originals=anonymize))
    split, whole = _run(table, more, 100), _run(table, more, None)
    assert split.facts.batches == 3
    assert split.unshuffled.num_rows == whole.unshuffled.num_rows == 600
    assert split.origins is not None
    assert whole.origins is not None
    assert np.array_equal(split.origins, whole.origins)
    if not anonymize:
        assert split.unshuffled.slice(0, 300).to_pylist() == table.to_pylist()


@pytest.mark.parametrize("strategy", [Balancing.MINORITY, 1.5])
def test_a_small_class_has_people_in_every_batch_of_an_augmentation(
    monkeypatch: pytest.MonkeyPatch, strategy: Balancing | float
) -> None:
    """Without strata, this seed puts four of the eight into one batch and none into another."""
    _small_batches(monkeypatch)
    seen: list[list[int]] = []
    split = split_rows

    def watched(*given: Any) -> list[Any]:
        parts = split(*given)
        seen.append([int(np.isin(part, rare).sum()) for part in parts])
        return parts

    monkeypatch.setattr(module, "split_rows", watched)
    table = synthetic(400)
    rare = np.arange(8) * 50
    ward = np.array(["common"] * 400, dtype=object)
    ward[rare] = "rare"
    table = table.append_column("ward", pa.array(ward.tolist()))
    params = AvatarParams(10, Space(ncp=3), augmentation=Augmentation(strategy, target="ward"))
    one, again = _run(table, params, 100), _run(table, params, 100)
    assert one.unshuffled.equals(again.unshuffled)
    assert seen == [[2, 2, 2, 2]] * 2


def test_dimensions_are_refused_before_the_work_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_gitops.engine.run.fit_space", lambda *_: pytest.fail("the space was fitted"))
    table = pa.table({"x": np.arange(100.0), "town": [f"t{row % 40}" for row in range(100)]})
    with pytest.raises(EngineError) as caught:
        avatarize(table, (), PARAMS, 1, "", Limits(dimensions=40))
    assert "41 dimensions" in caught.value.message
    assert "'town' (40)" in caught.value.message
    for advice in ("numbers", "GroupModalities", "use_categorical_reduction"):
        assert advice in str(caught.value.hint)
    check_dimensions(fit_layout(table, ()), 0, Space(), Limits(dimensions=41))


def test_dimensions_are_those_of_the_space() -> None:
    table = synthetic(300, missing=0.2)
    layout = fit_layout(table, ())
    frame = encode(layout, table)
    for space in (Space(), Space(imputation=Imputation(k=3)), Space(use_categorical_reduction=True)):
        facts = avatarize(table, (), AvatarParams(10, space), 1).facts
        counted = count_dimensions(layout, int(frame.missing.any(axis=0).sum()), space)
        assert counted == facts.dimensions or (space.use_categorical_reduction and counted >= facts.dimensions)


MEASURED = """
import sys
import numpy as np, pyarrow as pa
from avatar_gitops.engine.params import AvatarParams, Limits, Space
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import CODED_TEXT
rows, numbers, categories, ncp, batches = map(int, sys.argv[1:])
random = np.random.default_rng(1)
columns = {f"n{i}": pa.array(random.normal(size=rows)) for i in range(numbers)}
levels = pa.array([f"m{i:02d}" for i in range(12)])
for i in range(categories):
    codes = pa.array(random.integers(0, 12, rows).astype(np.uint16))
    columns[f"c{i}"] = pa.DictionaryArray.from_arrays(codes, levels)
avatarize(pa.table(columns), (), AvatarParams(20, Space(ncp=ncp)), 1, "", Limits(rows=-(-rows // batches)))
[line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM:")]  # begins anew at exec
print(int(line.split()[1]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("width", [(6, 8, 5), (20, 2, 5), (2, 20, 5), (6, 8, 20)])
@pytest.mark.parametrize("batches", [1, 8])
def test_the_estimate_is_near_what_is_measured(width: tuple[int, int, int], batches: int) -> None:
    def peak(rows: int) -> int:
        command = [sys.executable, "-c", MEASURED, *map(str, (rows, *width, batches))]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    measured = peak(300_000) - peak(100_000)
    estimated = estimate_memory(300_000, width, batches) - estimate_memory(100_000, width, batches)
    assert 0.65 < measured / estimated < 1.35
