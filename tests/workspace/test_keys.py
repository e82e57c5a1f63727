"""Key columns of files: rows without a key, keys that rows share, and children of nobody; as the engine sees them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.links.model import Link
from avatar_gitops.engine.links.ties import tie
from avatar_gitops.engine.params import ColumnType
from avatar_gitops.engine.tables import read_table
from avatar_gitops.errors import EngineError
from avatar_gitops.plan.keys import Kind
from avatar_gitops.workspace import keys as module
from avatar_gitops.workspace.inputs import InputUnreadable
from avatar_gitops.workspace.keys import KeyColumn, check_keys, read_keys


def csv_of(path: Path, column: str, values: list[str]) -> Path:
    """A file with a column of these texts, as they are, and one more."""
    path.write_text(f"{column};x\n" + "".join(f"{value};1\n" for value in values), encoding="utf-8")
    return path


def column_of(path: Path, name: str = "k", *texts: str) -> KeyColumn:
    return read_keys(path, lambda column: column == name, texts)[name]


def test_rows_are_counted_without_a_value_in_sight(tmp_path: Path) -> None:
    read = column_of(csv_of(tmp_path / "a.csv", "k", ["CANARY", "CANARY", "b", "", "NA", "null"]))
    facts = read.facts()
    assert (facts.kind, facts.rows, facts.empty, facts.repeated, facts.unique) == (Kind.TEXT, 6, 3, 2, False)
    assert "CANARY" not in repr(read) + repr(facts)
    child = column_of(csv_of(tmp_path / "b.csv", "k", ["b", "c", "c", "NA"]))
    check = check_keys(read, child)
    assert check is not None
    assert (check.without_key, check.repeated, check.orphans, check.without_parent) == (3, 2, 2, 1)
    assert check.several and not check.holds


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", " 2", "-3", "4.0"], Kind.WHOLE_NUMBERS),
        (["1", "2.5", "1e3"], Kind.OTHER_NUMBERS),
        (["1", "x"], Kind.TEXT),
        (["NA"], Kind.WHOLE_NUMBERS),
    ],
)
def test_what_the_values_are(tmp_path: Path, values: list[str], kind: Kind) -> None:
    assert column_of(csv_of(tmp_path / "a.csv", "k", values)).facts().kind is kind


def test_numbers_are_numbers_unless_they_are_declared_as_text(tmp_path: Path) -> None:
    padded, plain = csv_of(tmp_path / "a.csv", "k", ["007", "008"]), csv_of(tmp_path / "b.csv", "k", ["7", "8", "7"])
    for texts, holds in (((), True), (("k",), False)):
        check = check_keys(column_of(padded, "k", *texts), column_of(plain))
        assert check is not None
        assert check.holds is holds


def test_parquet_is_read_as_it_is_typed(tmp_path: Path) -> None:
    whole, text, floats = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.parquet"
    pq.write_table(pa.table({"k": [7, 8, 9]}), whole)
    pq.write_table(pa.table({"k": pa.array(["7", "007", None]).dictionary_encode()}), text)
    pq.write_table(pa.table({"k": [7.0, float("nan"), 8.0]}), floats)
    assert column_of(text).facts().kind is Kind.TEXT
    for path, orphans, empty in ((text, 1, 1), (floats, 0, 1)):
        check = check_keys(column_of(whole), column_of(path))
        assert check is not None
        assert (check.orphans, check.without_parent) == (orphans, empty)


def test_a_header_that_may_be_data_gives_no_keys(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,1980-02-11,12.5\n1,1990-01-01,2\n", encoding="utf-8")
    assert read_keys(path, lambda _: True) == {}


def test_too_many_keys_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_VALUES", 3)
    many = column_of(csv_of(tmp_path / "a.csv", "k", list("abcda")))
    few = column_of(csv_of(tmp_path / "b.csv", "k", list("aab")))
    assert not many.facts().known and not many.facts().unique
    assert check_keys(few, many) is check_keys(many, few) is check_keys(None, few) is None
    assert check_keys(few, few) is not None


def test_a_damaged_file_is_refused_without_a_value(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"k,x\n" + b"CANARY,1\n" * 20_000 + b"\xff,2\n")
    with pytest.raises(InputUnreadable) as caught:
        column_of(path)
    assert "CANARY" not in str(caught.value) and "UTF-8" in str(caught.value)


WORDS = st.sampled_from(["1", "2", "3", "03", "4.0", "a", "b", "", "NA", "x y"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parents=st.lists(WORDS, min_size=1, max_size=8),
    children=st.lists(WORDS, min_size=1, max_size=8),
    as_text=st.lists(st.sampled_from(["key", "named"]), unique=True),
)
def test_keys_hold_here_when_they_hold_in_the_engine(
    tmp_path: Path, parents: list[str], children: list[str], as_text: list[str]
) -> None:
    parent, child = csv_of(tmp_path / "p.csv", "key", parents), csv_of(tmp_path / "c.csv", "named", children)
    types = dict.fromkeys(as_text, ColumnType.CATEGORY)
    try:
        tie(Link("p", "key", "c", "named"), read_table(parent, types), read_table(child, types))
    except EngineError:
        holds = False
    else:
        holds = True
    check = check_keys(column_of(parent, "key", *as_text), column_of(child, "named", *as_text))
    assert check is not None
    assert check.holds is holds
