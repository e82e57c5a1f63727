"""Tables that do not fit into memory: from a file to files, with what the whole table would give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from avatar_gitops.engine.batches import estimate_memory, label_of
from avatar_gitops.engine.large import source
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    ColumnSpec,
    Exclusion,
    Imputation,
    ImputationMethod,
    Limits,
    Replacement,
    Space,
)
from avatar_gitops.engine.permutation import draw_permutation
from avatar_gitops.engine.processors.params import ExpectedMean
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import Format, read_table, write_table
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic
from tests.engine.from_files import PARAMS, ROWS, large


def test_in_one_batch_avatars_are_those_of_the_table_in_memory(tmp_path: Path) -> None:
    table = synthetic(ROWS)
    made, files = large(tmp_path, table, rows=None)
    whole = avatarize(read_table(tmp_path / "original.csv"), (), PARAMS, 7, label_of("people", 0))
    write_table(whole.unshuffled, tmp_path / "whole.csv")
    assert (tmp_path / "unshuffled.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert made.avatars.facts.batches == 1
    assert made.avatars.facts.columns == whole.facts.columns
    for name, expected in (("originals", whole.original_projection), ("avatars", whole.avatar_projection)):
        for one, other in zip(files[name].columns, expected.columns, strict=True):
            assert np.allclose(one.to_numpy(), other.to_numpy(), atol=1e-9)


SPACES = {
    "means": Space(ncp=3, imputation=Imputation(ImputationMethod.MEAN)),
    "medians": Space(ncp=3, imputation=Imputation(ImputationMethod.MEDIAN)),
    "modes": Space(ncp=3, imputation=Imputation(ImputationMethod.MODE)),
    "power scales": Space(ncp=3, transform_skewed=True, imputation=Imputation(ImputationMethod.MEDIAN)),
    "reduction": Space(ncp=3, use_categorical_reduction=True, imputation=Imputation(ImputationMethod.MEAN)),
    "weights": Space(ncp=3, column_weights={"x": 4.0}, imputation=Imputation(ImputationMethod.MEAN)),
}


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES.keys())
def test_a_space_fitted_in_passes_is_that_of_all_rows(tmp_path: Path, small_pieces: None, space: Space) -> None:
    table = synthetic(ROWS, missing=0.1)
    names = table.column_names
    first = next(name for name in names if pa.types.is_floating(table[name].type))
    if space.column_weights:
        space = Space(ncp=3, column_weights={first: 4.0}, imputation=space.imputation)
    skewed = pc.exp(pc.multiply(table[first], 1.5))
    table = table.set_column(names.index(first), first, skewed)
    made, files = large(tmp_path, table, AvatarParams(10, space), format="parquet")
    whole = avatarize(read_table(tmp_path / "original.parquet"), (), AvatarParams(10, space), 7, "people")
    assert made.avatars.facts.batches == 4
    assert np.allclose(made.avatars.facts.explained_variance, whole.facts.explained_variance, rtol=1e-9)
    for name, shares in whole.facts.contributions.items():
        assert np.allclose(made.avatars.facts.contributions[name], shares, atol=1e-6)
    for one, other in zip(files["originals"].columns, whole.original_projection.columns, strict=True):
        assert np.allclose(one.to_numpy(), other.to_numpy(), atol=1e-6)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_results_stand_in_their_places_whatever_the_pieces(
    tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    table = synthetic(ROWS, missing=0.1).append_column("id", pa.array(np.arange(ROWS) * 3 + 5))
    table = table.append_column("who", pa.array([None if row % 50 == 0 else f"p{row // 3}" for row in range(ROWS)]))
    columns = (ColumnSpec("id", primary_key=True), ColumnSpec("who", identifier=True))
    made, files = large(tmp_path / "one", table, columns=columns, format=format)
    assert made.avatars.facts.batches == 4
    # each row of the deliverable is one of the row-aligned ones, found by its number
    numbers = files["unshuffled"]["id"].to_numpy()
    assert np.array_equal(np.sort(numbers), np.arange(1, ROWS + 1))
    assert np.array_equal(files["shuffled"]["id"].to_numpy(), np.arange(1, ROWS + 1))
    assert files["shuffled"].take(pa.array(numbers - 1)).equals(files["unshuffled"])
    assert abs(np.corrcoef(numbers, np.arange(ROWS))[0, 1]) < 0.1
    # rows that belonged together still do, missing stays missing, no value comes back
    before, after = table["who"].to_pylist(), files["unshuffled"]["who"].to_pylist()
    assert len(set(zip(before, after, strict=True))) == len(set(before)) == len(set(after))
    assert [row for row, value in enumerate(after) if value is None] == list(range(0, ROWS, 50))
    assert not set(after) - {None} & set(before)
    # the avatar of a row is near to it
    points = [np.column_stack([c.to_numpy() for c in files[name].columns]) for name in ("originals", "avatars")]
    near, far = (np.median(np.linalg.norm(points[0] - np.roll(points[1], by, axis=0), axis=1)) for by in (0, 1))
    assert near < far / 2
    assert made.original.num_rows == made.avatars.unshuffled.num_rows == 50
    # neither pieces nor processors change a byte
    monkeypatch.setattr(source, "_BLOCK", 30_000)
    monkeypatch.setattr(source, "_ROWS", 333)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    large(tmp_path / "two", table, columns=columns, format=format)
    for name in ("unshuffled", "shuffled", "originals", "avatars"):
        one, two = ((tmp_path / run / f"{name}.{format}").read_bytes() for run in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("name", ["a/b", "../out", "x\\y", "."])
def test_names_of_columns_are_no_names_of_files(tmp_path: Path, name: str) -> None:
    table = synthetic(300).append_column(name, pa.array([f"p{row // 3}" for row in range(300)]))
    _, files = large(tmp_path / "here", table, columns=(ColumnSpec(name, identifier=True),))
    assert len(files["shuffled"][name].unique()) == 100
    assert list(tmp_path.iterdir()) == [tmp_path / "here"]


def test_avatars_are_made_of_people_of_their_own_batch(tmp_path: Path, small_pieces: None) -> None:
    names = [f"p{row % 399:03d}" for row in range(400)]
    table = pa.table({"who": names, "x": np.arange(400.0)})
    _, files = large(tmp_path, table, AvatarParams(5, Space(ncp=2)), rows=200)
    drawn = np.array(files["unshuffled"]["who"].to_pylist())
    used = [set(drawn[own]) for own in _batches(400, 2)]
    for own, seen in zip(_batches(400, 2), used, strict=True):
        assert seen <= {names[row] for row in own}


def _batches(rows: int, number: int) -> list[np.ndarray]:
    from avatar_gitops.engine.streams import stream

    groups = draw_permutation(rows, stream(7, "people", "batches")).groups(np.arange(rows), number)
    return [np.flatnonzero(groups == batch) for batch in range(number)]


ASKED = {
    "processors": AvatarParams(10, Space(ncp=3), processors=(ExpectedMean(("x",)),)),
    "augmentation": AvatarParams(10, Space(ncp=3), augmentation=Augmentation(2.0)),
    "excluded": AvatarParams(10, Space(ncp=3, exclude=Exclusion(("x",), Replacement.COORDINATE_SIMILARITY))),
}


@pytest.mark.parametrize("what", ASKED)
def test_what_needs_all_rows_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(source.Source, "pieces", lambda self: pytest.fail("rows were read"))
    with pytest.raises(EngineError, match=what) as caught:
        large(tmp_path, pa.table({"x": np.arange(300.0)}), ASKED[what])
    assert "fewer rows" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("params", "limits", "message"),
    [
        (AvatarParams(10, Space(imputation=Imputation(ImputationMethod.KNN))), Limits(), "knn"),
        (AvatarParams(10, Space(transform_skewed=True)), Limits(memory=60_000), "a column of all rows"),
        (AvatarParams(10), Limits(memory=1_000), "even in batches"),
        (AvatarParams(10), Limits(dimensions=3), "dimensions"),
        (AvatarParams(ROWS), Limits(), "k is 1500"),
        (AvatarParams(10, Space(ncp=0)), Limits(), "ncp"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(
    tmp_path: Path, small_pieces: None, params: AvatarParams, limits: Limits, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        large(tmp_path, synthetic(ROWS, missing=0.1), params, rows=None, limits=limits)


def test_a_category_of_too_many_values_is_refused(
    tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avatar_gitops.engine.large.layout.MOST_MODALITIES", 100)
    with pytest.raises(EngineError, match="'who' has more than 100"):
        large(tmp_path, pa.table({"who": [f"p{row}" for row in range(2_000)], "x": np.arange(2_000.0)}))


MEASURED = """
import sys
from pathlib import Path
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from avatar_gitops.engine.large.run import Output, avatarize_file
from avatar_gitops.engine.large.source import open_source
from avatar_gitops.engine.params import AvatarParams, Exclusion, Limits, Replacement, Space
folder, rows, budget, length = Path(sys.argv[1]), *map(int, sys.argv[2:])
texts = [("remark", pa.string())] if length else []  # excluded
exclude = Exclusion(("remark",), Replacement.ROW_ORDER) if length else None
levels = pa.array([f"m{i:02d}" for i in range(12)])
with pq.ParquetWriter(folder / "in.parquet", pa.schema(
    [(f"n{i}", pa.float64()) for i in range(6)] + [(f"c{i}", pa.string()) for i in range(8)] + texts)) as writer:
    for start in range(0, rows, 50_000):
        random = np.random.default_rng(start)
        numbers = [pa.array(random.normal(size=50_000).round(3)) for _ in range(6)]
        codes = [levels.take(pa.array(random.integers(0, 12, 50_000))) for _ in range(8)]
        remarks = [pa.array([f"{start + row:{length}d}" for row in range(50_000)]) for _ in texts]
        writer.write_table(pa.Table.from_arrays([*numbers, *codes, *remarks], schema=writer.schema))
before = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1])
names = [folder / f"{name}.parquet" for name in ("unshuffled", "shuffled", "originals", "avatars")]
made = avatarize_file(open_source(folder / "in.parquet"), (),
    AvatarParams(20, Space(ncp=5, exclude=exclude)), (1, ""),
    Limits(memory=budget << 20), Output(*names, folder, "parquet"))
assert sum(pq.ParquetFile(name).metadata.num_rows for name in names) == 4 * rows
peak = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM:")).split()[1])
print(made.avatars.facts.batches, peak >> 10)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("length", "beyond"), [(0, 256), (300, 512)])
def test_memory_is_that_of_the_budget_whatever_the_number_of_rows(tmp_path: Path, length: int, beyond: int) -> None:
    """An excluded text of `length` characters adds what some pieces of it take: the budget counts columns only."""
    budget = 128
    peaks = []
    for rows in (500_000, 2_000_000):
        command = [sys.executable, "-c", MEASURED, str(tmp_path), str(rows), str(budget), str(length)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert int(said[0]) >= 2
        peaks.append(int(said[1]))
    assert max(peaks) < budget + beyond
    assert peaks[1] < peaks[0] + 64, "four times the rows take no more memory"
    width = 6, 8, 5
    assert estimate_memory(2_000_000, width) > 8 * budget << 20, "whole, the table would take several times the budget"


def test_without_categories_nothing_is_reduced(tmp_path: Path, small_pieces: None) -> None:
    random = np.random.default_rng(2)
    numbers = pa.table({name: random.normal(size=ROWS) for name in "xyz"})
    reduced = AvatarParams(10, Space(ncp=3, use_categorical_reduction=True))
    plain = AvatarParams(10, Space(ncp=3))
    found = [large(tmp_path / str(at), numbers, params)[1] for at, params in enumerate((reduced, plain))]
    assert found[0]["shuffled"].equals(found[1]["shuffled"])
