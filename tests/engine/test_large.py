"""Tables that do not fit into memory: from a file to files, with what the whole table would give."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine import batches
from avatar_gitops.engine.batches import estimate_memory, label_of
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.large import aside, scratch, source
from avatar_gitops.engine.large.layout import survey
from avatar_gitops.engine.large.limits import needed_memory
from avatar_gitops.engine.large.run import Output, Sampled, avatarize_file
from avatar_gitops.engine.large.sample import draw_lot, pick
from avatar_gitops.engine.large.source import open_source, settle
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    ColumnSpec,
    ColumnType,
    Exclusion,
    Imputation,
    ImputationMethod,
    Limits,
    Replacement,
    Space,
)
from avatar_gitops.engine.permutation import draw_permutation
from avatar_gitops.engine.processors.params import ExpectedMean
from avatar_gitops.engine.pseudonyms.kinds import ConstantPseudonym
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import Format, read_table, write_table
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic

PARAMS = AvatarParams(10, Space(ncp=3))
ROWS = 1_500
NO_LIMITS = Limits()


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces and batches from few rows."""
    monkeypatch.setattr(batches, "SMALLEST", 100)
    monkeypatch.setattr(batches, "NEIGHBOURS_A_ROW", 2)
    monkeypatch.setattr(scratch, "PIECE", 128)
    monkeypatch.setattr(source, "_BLOCK", 4_096)


def large(
    folder: Path,
    table: pa.Table,
    params: AvatarParams = PARAMS,
    columns: Sequence[ColumnSpec] = (),
    *,
    rows: int | None = 400,
    limits: Limits = NO_LIMITS,
    format: Format = "csv",
) -> tuple[Sampled, dict[str, pa.Table]]:
    """What came back, and the four files."""
    folder.mkdir(exist_ok=True)
    (folder / "scratch").mkdir()
    path = folder / f"original.{format}"
    write_table(table, path, format)
    files = {name: folder / f"{name}.{format}" for name in ("unshuffled", "shuffled", "originals", "avatars")}
    one, two, three, four = files.values()
    types = {column.name: column.type for column in columns if column.type}
    output = Output(one, two, three, four, folder / "scratch", format, sample=50)
    limits = replace(limits, rows=rows)
    made = avatarize_file(open_source(path, types), columns, params, (7, "people"), limits, output)
    assert list((folder / "scratch").iterdir()) == [], "nothing is left in the scratch folder"
    return made, {name: read_table(path) for name, path in files.items()}


@given(st.integers(1, 2_000), st.integers(0, 50))
def test_a_permutation_takes_every_place_once(rows: int, seed: int) -> None:
    places = draw_permutation(rows, np.random.default_rng(seed)).places(np.arange(rows))
    assert np.array_equal(np.sort(places), np.arange(rows))


def test_permutations_are_spread_evenly_and_neighbours_do_not_stay_together() -> None:
    found: dict[tuple[int, ...], int] = {}
    for seed in range(4_800):
        order = tuple(draw_permutation(4, np.random.default_rng(seed)).places(np.arange(4)).tolist())
        found[order] = found.get(order, 0) + 1
    assert len(found) == 24
    assert sum((count - 200) ** 2 / 200 for count in found.values()) < 50  # 23 degrees of freedom: 1 in 1,000
    places = draw_permutation(100_000, np.random.default_rng(1)).places(np.arange(100_000))
    assert abs(np.corrcoef(places[:-1], places[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(places, np.arange(100_000))[0, 1]) < 0.02


@pytest.mark.parametrize("missing", [0.0, 0.15])
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_columns_are_typed_as_in_memory(tmp_path: Path, small_pieces: None, missing: float, format: Format) -> None:
    table = synthetic(ROWS, missing=missing)
    path = tmp_path / "table"
    write_table(table, path, format)
    found = survey(open_source(path), ())
    whole = read_table(path)
    expected = fit_layout(whole, ())
    assert found.rows == ROWS
    assert found.layout.numbers == expected.numbers
    assert [c.modalities for c in found.layout.categories] == [c.modalities for c in expected.categories]
    assert np.array_equal(encode(found.layout, whole).codes, encode(expected, whole).codes)


def test_a_late_value_of_another_type_changes_the_type_of_its_column(tmp_path: Path, small_pieces: None) -> None:
    late = ["2.5", "2024-01-05", "true", "2024-01-05 10:00:00.5", "a, b", '"line\nend"']
    early = ["1", "", "0", "2024-01-01", "2024-01-01", "7"]
    lines = [
        "a,b,c,d,e,f",
        *[",".join(early)] * 2_000,
        ",".join(f'"{value}"' if "," in value else value for value in late),
    ]
    path = tmp_path / "late.csv"
    path.write_text("\n".join(lines) + "\n")
    schema = survey(open_source(path), ()).source.schema
    whole = read_table(path)
    plain = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in schema.types]
    spelt = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in whole.schema.types]
    assert plain == spelt


def test_a_row_longer_than_a_block_is_read(tmp_path: Path, small_pieces: None) -> None:
    path = tmp_path / "wide.csv"
    path.write_text("a,b\n" + "1,x\n" * 100 + "2," + "y" * 50_000 + "\n")
    assert survey(open_source(path), ()).rows == 101


@pytest.mark.parametrize("text", ["a,b\n1,2\n3\n", "a,a\n1,2\n", "", "\x1f\x8bxx"])
def test_what_is_no_table_is_refused_as_in_memory(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(EngineError) as whole:
        read_table(path)
    with pytest.raises(EngineError) as found:
        survey(open_source(path), ())
    assert found.value.message == whole.value.message


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


def with_asides(rows: int = ROWS) -> tuple[pa.Table, AvatarParams]:
    """Columns that no model could hold, and parameters that exclude them: their values come back in their rows."""
    texts = [None if row % 40 == 0 else f'a "quoted", {row}\nline' for row in range(rows)]
    table = synthetic(rows, missing=0.1).add_column(0, "remark", pa.array(texts))
    table = table.append_column("big", pa.array([2**60 + row // 2 for row in range(rows)]))
    table = table.append_column("clinic", pa.array([f"s{row % 7}" for row in range(rows)]).dictionary_encode())
    exclusion = Exclusion(("remark", "big", "clinic"), Replacement.ROW_ORDER)
    # of equally near donors a nearest value may come from another one when other rows are filled beside
    return table, AvatarParams(10, Space(ncp=3, exclude=exclusion, imputation=Imputation(ImputationMethod.MEDIAN)))


def test_in_one_batch_excluded_values_come_back_as_in_memory(tmp_path: Path) -> None:
    table, params = with_asides()
    made, _ = large(tmp_path, table, params, rows=None)
    whole = avatarize(read_table(tmp_path / "original.csv"), (), params, 7, label_of("people", 0))
    write_table(whole.unshuffled, tmp_path / "whole.csv")
    assert (tmp_path / "unshuffled.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert made.avatars.facts.columns == whole.facts.columns
    assert made.avatars.facts.warnings == whole.facts.warnings
    assert made.avatars.facts.sensitive == whole.facts.sensitive
    assert len(whole.facts.sensitive) == 2, "the breach itself, and the remarks that one row alone has"


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_excluded_values_stand_in_the_rows_of_their_people_whatever_the_pieces(
    tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    table, params = with_asides()
    table = table.append_column("id", pa.array(np.arange(ROWS)))
    columns = (ColumnSpec("id", primary_key=True),)
    if format == "parquet":
        table = table.append_column("list", pa.array([[row, row + 1] for row in range(ROWS)]))
        exclusion = Exclusion(("remark", "big", "clinic", "list"), Replacement.ROW_ORDER)
        params = replace(params, space=replace(params.space, exclude=exclusion))
    monkeypatch.setattr(aside, "_MOST", 211)
    monkeypatch.setattr(source, "_ROWS", 333)
    made, files = large(tmp_path / "one", table, params, columns, format=format)
    assert params.space.exclude is not None
    for name in params.space.exclude.names:
        assert files["unshuffled"][name].to_pylist() == table[name].to_pylist()
    numbers = files["unshuffled"]["id"].to_numpy()
    assert files["shuffled"].take(pa.array(numbers - 1)).equals(files["unshuffled"])
    assert files["shuffled"].column_names == table.column_names
    assert made.avatars.unshuffled["remark"].to_pylist() == made.original["remark"].to_pylist()
    monkeypatch.setattr(aside, "_MOST", 5_000)
    monkeypatch.setattr(source, "_BLOCK", 30_000)
    large(tmp_path / "two", table, params, columns, format=format)
    for name in ("unshuffled", "shuffled"):
        one, two = (read_table(tmp_path / run / f"{name}.{format}") for run in ("one", "two"))
        assert one.equals(two)


@pytest.mark.parametrize("memory", [None, 10_000])
def test_lone_values_are_found_in_parts_and_long_values_are_put_in_order_by_fewer_rows(
    tmp_path: Path, memory: int | None
) -> None:
    twice = [row // 2 * 64 for row in range(2_000)]
    columns = {"even": twice, "odd": [*twice[1:], 1], "gaps": [None, *twice[1:-1], None], "long": ["x" * 100] * 2_000}
    write_table(pa.table(columns), tmp_path / "table.csv")
    found = aside.look_at(open_source(tmp_path / "table.csv"), list(columns), tmp_path, Limits(memory=memory), 5)
    assert found.lone == ("odd", "gaps")
    assert found.at_once == (aside._MOST if memory is None else pytest.approx(10_000 / 4 / 130, abs=3))
    assert list(tmp_path.iterdir()) == [tmp_path / "table.csv"]


def test_excluded_names_are_refused_as_in_memory(tmp_path: Path) -> None:
    params = AvatarParams(10, Space(exclude=Exclusion(("nowhere",), Replacement.ROW_ORDER)))
    with pytest.raises(EngineError, match="excluded column 'nowhere'"):
        large(tmp_path, synthetic(300), params)


ASKED = {
    "processors": AvatarParams(10, Space(ncp=3), processors=(ExpectedMean(("x",)),)),
    "augmentation": AvatarParams(10, Space(ncp=3), augmentation=Augmentation(2.0)),
    "excluded": AvatarParams(10, Space(ncp=3, exclude=Exclusion(("x",), Replacement.COORDINATE_SIMILARITY))),
}


@pytest.mark.parametrize("what", ["processors", "augmentation", "excluded", "pseudonyms"])
def test_what_needs_all_rows_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(source.Source, "pieces", lambda self: pytest.fail("rows were read"))
    columns = (ColumnSpec("x", pseudonym=ConstantPseudonym("?")),) if what == "pseudonyms" else ()
    with pytest.raises(EngineError, match=what) as caught:
        large(tmp_path, pa.table({"x": np.arange(300.0)}), ASKED.get(what, PARAMS), columns)
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


def test_a_sample_is_the_same_rows_of_each_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_gitops.engine.large.sample.FEWEST", 100)
    rows = np.arange(5_000)
    table = pa.table({"row": rows, "text": [f"t{row % 7}" for row in rows]})
    write_table(table, tmp_path / "one.csv")
    pq.write_table(table.append_column("more", table["row"]), tmp_path / "two.parquet")
    sources = open_source(tmp_path / "one.csv"), open_source(tmp_path / "two.parquet")
    assert [settle(one)[1] for one in sources] == [5_000, 5_000]
    lot = draw_lot(5_000, 400)
    one, two = (lot.read(source) for source in sources)
    assert one.num_rows == 400
    assert one["row"].to_pylist() == two["row"].to_pylist() == sorted(one["row"].to_pylist())
    assert one.schema == read_table(tmp_path / "one.csv").schema
    assert draw_lot(5_000, 1).read(sources[0]).num_rows == draw_lot(5_000, 1).size == 100
    assert draw_lot(60, 1).size == 60, "never more than there are"


@pytest.mark.parametrize("index", [pa.int8(), pa.int32()])
def test_picked_rows_keep_no_value_of_the_others(index: pa.DataType) -> None:
    values = (
        pa.array(["one", "two", None, "one", "x" * 10_000]).dictionary_encode().cast(pa.dictionary(index, pa.string()))
    )
    table = pa.table({"text": values, "row": [0, 1, 2, 3, 4]})
    found = pick(table, np.array([1, 2]))
    assert found.schema == table.schema
    assert found.to_pylist() == [{"text": "two", "row": 1}, {"text": None, "row": 2}]
    assert found["text"].chunk(0).dictionary.to_pylist() == ["two"]
    assert pick(table, np.array([], dtype=np.int64)).schema == table.schema


def test_the_estimate_before_reading_is_that_of_the_table(tmp_path: Path) -> None:
    write_table(synthetic(300), tmp_path / "table.csv")
    layout = fit_layout(synthetic(300), ())
    width = len(layout.numbers), len(layout.categories), 5
    assert needed_memory(open_source(tmp_path / "table.csv"), (), None) == pytest.approx(
        estimate_memory(300, width), rel=0.01
    )
    first = layout.numbers[0].name
    as_category = (ColumnSpec(first, ColumnType.CATEGORY), ColumnSpec(layout.names[-1], drop=True))
    assert needed_memory(open_source(tmp_path / "table.csv"), as_category, None) < estimate_memory(300, width)


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
