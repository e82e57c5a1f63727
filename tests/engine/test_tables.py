"""Reading and writing tables."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.tables import CODED_TEXT, MOST_CODES, read_table, sniff_header, write_table
from avatar_gitops.errors import EngineError


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(delimiter: str) -> None:
    text = f'id{delimiter}"name, with; signs\t|"{delimiter}size\n1{delimiter}a{delimiter}2\n'
    assert sniff_header(text.encode()) == (delimiter, 3)
    assert read_table(text.encode()).num_columns == 3


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    assert read_table("\ufeffa,b\n1,2\n".encode()).column_names == ["a", "b"]


def test_missing_values_are_empty_fields_and_the_usual_markers() -> None:
    table = read_table(b'n,t\n1,x\n,\nNA,"NA"\nNaN,y\n')
    assert table["n"].null_count == 3
    assert table["t"].null_count == 2


def test_text_that_is_a_date_becomes_a_date() -> None:
    table = read_table(b"d,t,z\n2020-01-02,2020-01-02T03:04:05,2020-01-02T03:04:05+02:00\n")
    assert pa.types.is_date(table["d"].type)
    assert table["t"].type == pa.timestamp("s")
    assert table["z"][0].as_py() == dt.datetime(2020, 1, 2, 1, 4, 5, tzinfo=dt.UTC)


def test_a_declared_category_keeps_its_digits() -> None:
    table = read_table(b"zip,n\n01200,1\n75001,2\n", {"zip": ColumnType.CATEGORY})
    assert table["zip"].to_pylist() == ["01200", "75001"]


def test_types_are_inferred_from_the_whole_file() -> None:
    rows = "\n".join(["1"] * 400_000 + ["late"])
    assert read_table(f"a\n{rows}\n".encode())["a"].type.value_type == pa.string()


def test_a_single_column_keeps_its_missing_values(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array(["x", None, "y", None])})
    write_table(table, tmp_path / "one.csv")
    assert read_table(tmp_path / "one.csv").to_pylist() == table.to_pylist()


def test_parquet_is_recognised_by_content_not_by_name(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([1, None, 3]), "b": pa.array(["x", "y", None]).dictionary_encode()})
    path = tmp_path / "table.csv"
    write_table(table, path, "parquet")
    assert read_table(path).equals(table)
    assert read_table(path.read_bytes()).equals(table)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_writing_twice_gives_the_same_bytes(tmp_path: Path, kind: str) -> None:
    table = pa.table(
        {
            "a": [1.5, None],
            "b": pa.array(["x", 'quo"te']).dictionary_encode(),
            "c": pa.nulls(2),
            "d": pa.array([dt.datetime(2020, 1, 1, 1, tzinfo=dt.UTC), None]),
            "e": [True, False],
        }
    )
    for name in ("one", "two"):
        write_table(table, tmp_path / name, "csv" if kind == "csv" else "parquet")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert read_table(tmp_path / "one")["b"].to_pylist() == ["x", 'quo"te']


@pytest.mark.parametrize(
    "data",
    [b"", b"a,b\n1,2\n3\n", b"PAR1 is not parquet", b"a,a\n1,2\n", "a\né\n".encode("latin-1")],
    ids=["empty", "ragged", "broken parquet", "twice", "latin-1"],
)
def test_what_cannot_be_read_is_an_engine_error(data: bytes) -> None:
    with pytest.raises(EngineError):
        read_table(data)


def test_errors_do_not_tell_values() -> None:
    with pytest.raises(EngineError) as caught:
        read_table(b"a,b\n1,2\nsecret-value\n")
    assert "secret-value" not in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.__suppress_context__


MARKERS: frozenset[str] = frozenset(
    {"na", "nan", "-nan", "null", "n/a", "true", "false", "inf", "infinity", "-inf", "+inf"}
)


def is_text(value: str) -> bool:
    """Whether nothing else can be read from it."""
    return value.strip() == value and any(sign.isalpha() for sign in value) and value.lower() not in MARKERS


SIGNS = st.characters(codec="utf-8", exclude_characters="\r\0")
TEXTS = st.none() | st.text(SIGNS, min_size=1, max_size=6).filter(is_text)
FIRST = dt.datetime.fromisoformat("1900-01-01 01:02:03.000004")
INSTANTS = st.none() | st.datetimes(FIRST, dt.datetime.fromisoformat("2100-01-01"))


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    """Every type that a CSV can say, missing values, quotes, line breaks and signs of all scripts."""
    rows = draw(st.integers(1, 12))

    def column(values: st.SearchStrategy[Any], first: Any, kind: pa.DataType) -> pa.Array:
        return pa.array([first, *draw(st.lists(values, min_size=rows - 1, max_size=rows - 1))], kind)

    return pa.table(
        {
            "whole": column(st.none() | st.integers(-(2**63), 2**63 - 1), 0, pa.int64()),
            "real": column(st.none() | st.floats(allow_nan=False, allow_infinity=False), 0.5, pa.float64()),
            "yes": column(st.none() | st.booleans(), True, pa.bool_()),
            'te"x,t': column(TEXTS, "a", pa.string()).dictionary_encode(),
            "day": column(st.none() | st.dates(dt.date(1900, 1, 1)), dt.date(2020, 1, 1), pa.date32()),
            "instant": column(INSTANTS, FIRST, pa.timestamp("us")),
        }
    )


@given(tables())
def test_csv_gives_back_what_was_written(table: pa.Table) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_table(table, Path(folder) / "t.csv")
        again = read_table(Path(folder) / "t.csv")
    assert again.column_names == table.column_names
    assert again.to_pylist() == table.to_pylist()
    assert again.schema.field("whole").type == pa.int64()
    assert again.schema.field("day").type == pa.date32()


@given(tables())
def test_parquet_gives_back_values_and_types(table: pa.Table) -> None:
    table = table.append_column("plain", table['te"x,t'].cast(pa.string()))
    with tempfile.TemporaryDirectory() as folder:
        write_table(table, Path(folder) / "t", "parquet")
        again = read_table(Path(folder) / "t")
        assert again.to_pylist() == table.to_pylist()
        write_table(again, Path(folder) / "u", "parquet")
        assert pq.read_schema(Path(folder) / "u").equals(table.schema)


@given(tables(), st.integers(1, 40))
def test_blocks_and_chunks_do_not_show(table: pa.Table, rows: int) -> None:
    parts = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        write_table(table, Path(folder) / "whole.csv")
        whole = read_table(Path(folder) / "whole.csv")
        patch.setattr("avatar_gitops.engine.tables._ROWS_AT_ONCE", rows)
        patch.setattr("avatar_gitops.engine.tables._BLOCK", 64)
        write_table(table, Path(folder) / "parts.csv")
        parts.write((Path(folder) / "parts.csv").read_bytes())
        assert parts.getvalue() == (Path(folder) / "whole.csv").read_bytes()
        assert read_table(parts.getvalue()).equals(whole)


def test_text_is_coded_in_ascending_order_whatever_the_order_of_rows() -> None:
    for rows in ("b,b,a,c", "c,a,b,b"):
        column = read_table(("t\n" + rows.replace(",", "\n") + "\n").encode())["t"]
        assert column.type == CODED_TEXT
        assert column.chunk(0).dictionary.to_pylist() == ["a", "b", "c"]


def test_text_of_too_many_values_is_spelt_out(tmp_path: Path) -> None:
    many = pa.table({"t": [f"v{row}" for row in range(MOST_CODES + 1)]})
    for kind in ("csv", "parquet"):
        write_table(many, tmp_path / "many", "csv" if kind == "csv" else "parquet")
        assert read_table(tmp_path / "many").equals(many)


def test_a_long_text_that_all_rows_share_is_not_unpacked(tmp_path: Path) -> None:
    long = pa.array(["x" * 20_000] * 1_000)
    pq.write_table(pa.table({"a": long}), tmp_path / "shared.parquet")
    assert read_table(tmp_path / "shared.parquet", most_bytes=4 << 20)["a"].nbytes < 1 << 20
    pq.write_table(pa.table({"a": long.cast(pa.large_string())}), tmp_path / "large.parquet")
    with pytest.raises(EngineError, match="more than 4 MiB of memory once unpacked"):
        read_table(tmp_path / "large.parquet", most_bytes=4 << 20)


def test_a_small_file_of_many_rows_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    zeros = pa.array(np.zeros(2_000_000))
    pq.write_table(pa.table({"a": zeros, "b": zeros}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 20_000
    with pytest.raises(EngineError, match="more than 8 MiB"):
        read_table(tmp_path / "bomb.parquet", most_bytes=8 << 20)
    assert read_table(tmp_path / "bomb.parquet", most_bytes=40 << 20).num_rows == 2_000_000


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: pa.compress(data, "zstd", asbytes=True)])
def test_a_compressed_file_is_refused_by_name(pack: Callable[[bytes], bytes]) -> None:
    with pytest.raises(EngineError, match=r"(gzip|zstd) file, which is not unpacked here"):
        read_table(pack(b"a,b\n1,2\n"))


def test_a_header_that_is_not_utf8_says_so() -> None:
    with pytest.raises(EngineError, match="column names are not UTF-8"):
        read_table("âge,n\n1,2\n".encode("latin-1"))


def odd_types(rows: int) -> pa.Table:
    """Columns of types that only some files have."""
    of_bytes = pa.array([i.to_bytes(16) for i in range(rows)], pa.binary(16))
    return pa.table({
        "view": pa.array(["a", "b"] * (rows // 2), pa.string_view()),
        "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}", None] * (rows // 2))),
        "flag": pa.ExtensionArray.from_storage(pa.bool8(), pa.array([0, 1] * (rows // 2), pa.int8())),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), of_bytes),
        "narrow": pa.DictionaryArray.from_arrays(pa.array([0, 1] * (rows // 2), pa.int8()), ["u", "v"]),
        "wide": pa.array(["a", "b"] * (rows // 2), pa.large_string()),
        "at": pa.array(range(rows), pa.time64("us")),
    })  # fmt: skip


def test_views_and_extension_types_are_read_as_what_they_hold(tmp_path: Path) -> None:
    pq.write_table(odd_types(40), tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found["view"].type == CODED_TEXT
    assert found["json"].to_pylist() == ["{}", None] * 20
    assert found["flag"].type == pa.int8()
    assert found["uuid"].type == pa.binary(16)


@pytest.mark.parametrize("values", [pa.array([[1]]), pa.array([b"\xff"]), pa.array([{"a": 1}])])
def test_what_no_csv_can_hold_is_told(tmp_path: Path, values: pa.Array) -> None:
    table = pa.table({"n": [1], "z": values})
    with pytest.raises(EngineError, match="Column 'z' has values that no CSV can hold"):
        write_table(table, tmp_path / "t.csv")
