"""Facts about data files: headers, buckets, digests; and that nothing else of them gets out."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avatar_gitops.workspace.inputs import (
    InputUnreadable,
    Shape,
    bucket,
    file_digest,
    local_facts,
    local_path,
    read_shape,
    remote_facts,
    scheme,
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ("a,b\n1,2\n3,4\n", ("a", "b"), 2),
        ("a;b\r\n1;2\r\n", ("a", "b"), 1),
        ("a\tb\n1\t2", ("a", "b"), 1),
        ("a|b|c\n", ("a", "b", "c"), 0),
        ("single\nx\ny\n", ("single",), 2),
        ('"last, first";"b ""quoted"""\n1;2\n', ("last, first", 'b "quoted"'), 1),
        ('"two\nlines",b\n1,2\n', ("two\nlines", "b"), 1),
        ('a,b\n"x\ny",2\n\n3,4\n', ("a", "b"), 2),
        ("\ufeffa,b\n1,2\n", ("a", "b"), 1),
        ("âge,prénom\n1,2\n", ("âge", "prénom"), 1),
    ],
)
def test_the_header_and_the_rows_of_a_csv(table: Path, content: str, columns: tuple[str, ...], rows: int) -> None:
    table.write_bytes(content.encode())
    assert read_shape(table) == Shape(columns, rows)


def test_counting_stops_where_nobody_needs_more(table: Path) -> None:
    table.write_text("a\n" + "1\n" * 1000)
    assert read_shape(table, max_rows=7).rows == 7
    assert read_shape(table).rows == 1000


def test_a_parquet_file_is_read_by_its_footer(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [1, 2, 3], "b b": ["x", "y", "z"]}), path)
    assert read_shape(path) == Shape(("a", "b b"), 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "no column names"),
        (b"a,b\n1,\xff\n", "not UTF-8"),
        ("a,b\n".encode("utf-16-le"), "neither CSV nor Parquet"),
        (b"PAR1 but not really", "damaged"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(table: Path, content: bytes, message: str) -> None:
    table.write_bytes(content)
    with pytest.raises(InputUnreadable, match=message):
        read_shape(table)


def test_a_missing_file_is_refused_in_words(table: Path) -> None:
    with pytest.raises(InputUnreadable, match="cannot be opened"):
        read_shape(table)


def test_facts_hold_a_bucket_and_no_value(table: Path) -> None:
    table.write_text("a,b\nzq1qz,zq2qz\n")
    facts = local_facts("patients", "table.csv", table)
    assert facts.columns == ("a", "b")
    assert (facts.rows_bucket, facts.bytes) == ("<100", table.stat().st_size)
    assert facts.digest == "sha256:" + hashlib.sha256(table.read_bytes()).hexdigest()
    assert "zq" not in repr(facts)
    assert "rows=" not in repr(read_shape(table))


def test_facts_of_a_file_without_header_hold_stand_ins(table: Path) -> None:
    table.write_text("Anna,61.25\nBert,62.5\n")
    assert local_facts("patients", "table.csv", table).columns == ("column 1", "column 2")


def test_a_keyed_digest_says_nothing_without_the_key(table: Path) -> None:
    table.write_text("a\n1\n")
    expected = hmac.new(b"key", table.read_bytes(), "sha256").hexdigest()
    assert file_digest(table, b"key") == f"hmac-sha256:{expected}"
    assert file_digest(table, b"other") != file_digest(table, b"key")


@pytest.mark.parametrize(
    ("rows", "text"),
    [(0, "<100"), (99, "<100"), (100, "100-1k"), (999, "100-1k"), (1000, "1k-10k"), (10**6, "1M-10M"), (10**9, ">=1G")],
)
def test_rows_are_shown_as_buckets(rows: int, text: str) -> None:
    assert bucket(rows) == text


def test_a_path_stays_in_the_project(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    outside = tmp_path / "secret.csv"
    outside.write_text("a\n1\n")
    (root / "link.csv").symlink_to(outside)
    (root / "data" / "real.csv").write_text("a\n1\n")
    (root / "inner.csv").symlink_to(root / "data" / "real.csv")
    assert local_path(root, "data/real.csv") == root / "data" / "real.csv"
    assert local_path(root, "inner.csv") == root / "data" / "real.csv"
    for uri in ("../secret.csv", "data/../../secret.csv", str(outside), "link.csv", "a\0b"):
        assert local_path(root, uri) is None


@pytest.mark.parametrize(
    ("uri", "name"),
    [("s3://b/x", "s3"), ("HTTPS://x", "https"), ("data/x.csv", None), ("c:/x", None), ("a b://x", None)],
)
def test_the_scheme_of_a_source(uri: str, name: str | None) -> None:
    assert scheme(uri) == name


def test_a_remote_source_has_only_what_was_declared() -> None:
    facts = remote_facts("t", "s3://b/x.csv", "sha256:" + "0" * 64)
    assert (facts.columns, facts.rows_bucket) == ((), "unknown")
