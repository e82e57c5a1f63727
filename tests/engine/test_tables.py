"""Reading and writing tables."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest

from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.tables import read_table, sniff_header, write_table
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
    assert read_table(f"a\n{rows}\n".encode())["a"].type == pa.string()


def test_a_single_column_keeps_its_missing_values(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array(["x", None, "y", None])})
    write_table(table, tmp_path / "one.csv")
    assert read_table(tmp_path / "one.csv").equals(table)


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
