"""Reading tables that do not fit into memory: types, refusals, samples and what they need, as of the whole table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.batches import estimate_memory
from avatar_gitops.engine.columns import is_text
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.large.layout import survey
from avatar_gitops.engine.large.limits import needed_memory
from avatar_gitops.engine.large.sample import draw_lot, pick
from avatar_gitops.engine.large.source import open_source, settle
from avatar_gitops.engine.params import (
    ColumnSpec,
    ColumnType,
)
from avatar_gitops.engine.permutation import draw_permutation
from avatar_gitops.engine.tables import Format, read_table, write_table
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic
from tests.engine.from_files import ROWS
from tests.engine.test_tables import odd_types


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


def test_a_header_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("âge,n\n1,2\n".encode("latin-1"))
    with pytest.raises(EngineError, match="column names are not UTF-8"):
        open_source(tmp_path / "t.csv")


def test_a_sample_of_parquet_has_the_types_of_its_table(tmp_path: Path, small_pieces: None) -> None:
    table = odd_types(ROWS).append_column("x", pa.array(np.arange(float(ROWS))))
    schema = pa.schema([field.with_nullable(field.name == "json") for field in table.schema])
    pq.write_table(pa.Table.from_arrays(table.columns, schema=schema), tmp_path / "t.parquet")
    source = open_source(tmp_path / "t.parquet")
    sample, read = draw_lot(ROWS, ROWS).read(source), read_table(tmp_path / "t.parquet")
    for name in table.column_names:
        plain = [pa.string() if is_text(one[name].type) else one[name].type for one in (sample, read)]
        assert plain[0] == plain[1]
        assert sample[name].cast(plain[0]).to_pylist() == read[name].cast(plain[0]).to_pylist()
