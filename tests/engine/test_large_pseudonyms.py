"""Pseudonyms of tables that do not fit into memory: what any table gets, made from numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.large import source
from avatar_gitops.engine.params import ColumnSpec, Limits
from avatar_gitops.engine.pseudonyms.kinds import (
    ConstantPseudonym,
    FakerPseudonym,
    HashPseudonym,
    IntegerPseudonym,
    LetterCase,
    PatternPseudonym,
    PiiType,
    Pseudonym,
    UuidPseudonym,
)
from avatar_gitops.engine.pseudonyms.numbered import numbered
from avatar_gitops.engine.pseudonyms.patterns import Scrambled, capacity, parse
from avatar_gitops.engine.pseudonyms.realistic import POOL
from avatar_gitops.engine.pseudonyms.substitution import substitute
from avatar_gitops.engine.run import avatarize
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic
from tests.engine.from_files import PARAMS, large

ROWS = 600
DISTINCT: dict[str, Pseudonym] = {  # equal where the originals are equal, and nowhere else
    "hash": HashPseudonym(),
    "keyed hash": HashPseudonym(b"0123456789abcdef"),
    "uuid": UuidPseudonym(),
    "integer": IntegerPseudonym(),
    "pattern": PatternPseudonym("??-####"),
}
BY_ROW: dict[str, Pseudonym] = {
    "uuid": UuidPseudonym(consistent=False),
    "integer": IntegerPseudonym(consistent=False),
    "pattern": PatternPseudonym("??-########", consistent=False),
    "realistic": FakerPseudonym(PiiType.ADDRESS, consistent=False, high_variability=True),
}


def patients(rows: int = ROWS) -> pa.Table:
    """People of three rows each; every fiftieth row names nobody."""
    names = [None if row % 50 == 0 else f"person {row // 3}" for row in range(rows)]
    return synthetic(rows).append_column("who", pa.array(names)).append_column("row", pa.array(np.arange(rows) + 7))


def made(folder: Path, kind: Pseudonym, table: pa.Table | None = None) -> tuple[Sequence[object], dict[str, pa.Table]]:
    """The substitutes of `who` in the order of the originals, and the files."""
    columns = (ColumnSpec("who", pseudonym=kind), ColumnSpec("row", primary_key=True))
    _, files = large(folder, patients() if table is None else table, PARAMS, columns, rows=200, format="parquet")
    assert files["shuffled"].take(pa.array(files["unshuffled"]["row"].to_numpy() - 1)).equals(files["unshuffled"])
    return files["unshuffled"]["who"].to_pylist(), files


@pytest.mark.parametrize("kind", DISTINCT.values(), ids=DISTINCT.keys())
def test_equal_values_have_equal_substitutes_and_missing_ones_none(
    kind: Pseudonym, tmp_path: Path, small_pieces: None
) -> None:
    before, (after, _) = patients()["who"].to_pylist(), made(tmp_path, kind)
    assert len(set(zip(before, after, strict=True))) == len(set(before)) == len(set(after))
    assert [row for row, value in enumerate(after) if value is None] == list(range(0, ROWS, 50))
    assert not set(after) - {None} & set(before)


@pytest.mark.parametrize("kind", BY_ROW.values(), ids=BY_ROW.keys())
def test_without_consistency_every_row_has_its_own(kind: Pseudonym, tmp_path: Path, small_pieces: None) -> None:
    after, _ = made(tmp_path, kind)
    known = [value for value in after if value is not None]
    assert len(set(known)) == len(known) == ROWS - ROWS // 50


ALL: Final = DISTINCT | {f"{name} by row": kind for name, kind in BY_ROW.items()}


@pytest.mark.parametrize("kind", ALL.values(), ids=ALL.keys())
def test_neither_pieces_nor_processors_change_a_byte(
    kind: Pseudonym, tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "one", kind)
    monkeypatch.setattr(source, "_BLOCK", 30_000)
    monkeypatch.setattr(source, "_ROWS", 333)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made(tmp_path / "two", kind)
    for name in ("unshuffled", "shuffled"):
        one, two = ((tmp_path / run / f"{name}.parquet").read_bytes() for run in ("one", "two"))
        assert one == two


@pytest.mark.parametrize("key", [None, b"0123456789abcdef"])
def test_hashes_are_those_of_a_table_in_memory(key: bytes | None, tmp_path: Path, small_pieces: None) -> None:
    kind = HashPseudonym(key)
    after, _ = made(tmp_path, kind)
    assert after == substitute([patients()["who"]], kind, 7, "people")[0].to_pylist()


def test_a_constant_stands_everywhere(tmp_path: Path, small_pieces: None) -> None:
    assert set(made(tmp_path, ConstantPseudonym("***"))[0]) == {"***"}


def test_integers_are_a_scrambled_count(tmp_path: Path, small_pieces: None) -> None:
    _, files = made(tmp_path, IntegerPseudonym())
    assert pa.types.is_integer(files["shuffled"]["who"].type)
    drawn = np.array([number for number in files["unshuffled"]["who"].to_pylist() if number is not None])
    assert np.array_equal(np.unique(drawn), np.arange(1, 201))
    assert abs(np.corrcoef(drawn, np.arange(len(drawn)))[0, 1]) < 0.3  # four standard deviations of 200 values


def test_a_pool_repeats_itself_and_high_variability_does_less(tmp_path: Path, small_pieces: None) -> None:
    table = synthetic(2_000).append_column("who", pa.array([f"person {row}" for row in range(2_000)]))
    table = table.append_column("row", pa.array(np.arange(2_000)))
    few, _ = made(tmp_path / "pool", FakerPseudonym(PiiType.ADDRESS), table)
    many, _ = made(tmp_path / "own", FakerPseudonym(PiiType.ADDRESS, high_variability=True), table)
    assert len(set(few)) <= POOL < len(set(many))


def test_patterns_take_values_from_their_own_row(tmp_path: Path, small_pieces: None) -> None:
    columns = (
        ColumnSpec("who", pseudonym=PatternPseudonym(r"{{code}}/{{row}}-#", consistent=False)),
        ColumnSpec("code", pseudonym=PatternPseudonym("^^^^", LetterCase.LOWER)),
        ColumnSpec("row", primary_key=True),
    )
    table = patients().append_column("code", pa.array([f"c{row % 7}" for row in range(ROWS)]))
    _, files = large(tmp_path, table, PARAMS, columns, rows=200, format="parquet")
    for name in ("unshuffled", "shuffled"):
        rows = files[name].select(["who", "code", "row"]).to_pylist()
        known = [row for row in rows if row["who"] is not None]
        assert len(known) == ROWS - ROWS // 50
        assert all(re.fullmatch(rf"{row['code']}/{row['row']}-\d", row["who"]) for row in known)
    assert len(files["shuffled"]["code"].unique()) == 7


KEYS: list[Pseudonym] = [UuidPseudonym(consistent=False), IntegerPseudonym(), PatternPseudonym("####"), HashPseudonym()]


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: type(kind).__name__)
def test_a_primary_key_stays_one(kind: Pseudonym, tmp_path: Path, small_pieces: None) -> None:
    columns = (ColumnSpec("who", drop=True), ColumnSpec("row", primary_key=True, pseudonym=kind))
    _, files = large(tmp_path, patients(), PARAMS, columns, rows=200, format="parquet")
    assert len(files["shuffled"]["row"].unique()) == ROWS
    assert sorted(files["shuffled"]["row"].to_pylist()) == sorted(files["unshuffled"]["row"].to_pylist())


@pytest.mark.parametrize("kind", KEYS, ids=lambda kind: type(kind).__name__)
def test_a_primary_key_that_repeats_itself_is_refused(kind: Pseudonym, tmp_path: Path, small_pieces: None) -> None:
    twice = patients().set_column(patients().column_names.index("row"), "row", pa.array(np.arange(ROWS) // 2))
    columns = (ColumnSpec("who", drop=True), ColumnSpec("row", primary_key=True, pseudonym=kind))
    with pytest.raises(EngineError, match="several rows the same value"):
        large(tmp_path, twice, PARAMS, columns, rows=200, format="parquet")


REFUSED: dict[str, tuple[ColumnSpec, ...]] = {
    "cannot be replaced by a constant": (ColumnSpec("row", primary_key=True, pseudonym=ConstantPseudonym("x")),),
    "Realistic values repeat": (ColumnSpec("row", primary_key=True, pseudonym=FakerPseudonym(PiiType.EMAIL)),),
    "first row of each": (ColumnSpec("who", pseudonym=PatternPseudonym("{{row}}-#")),),
    "shorter than 16 bytes": (ColumnSpec("who", pseudonym=HashPseudonym(b"short")),),
    "names 'nobody'": (ColumnSpec("who", pseudonym=PatternPseudonym("{{nobody}}", consistent=False)),),
    "names 'row'": (
        ColumnSpec("who", pseudonym=PatternPseudonym("{{row}}", consistent=False)),
        ColumnSpec("row", drop=True),
    ),
    "in a circle": (
        ColumnSpec("who", pseudonym=PatternPseudonym("{{row}}", consistent=False)),
        ColumnSpec("row", pseudonym=PatternPseudonym("{{who}}", consistent=False)),
    ),
}


@pytest.mark.parametrize(("reason", "columns"), REFUSED.items(), ids=REFUSED.keys())
def test_what_cannot_be_made_is_refused_before_anything_is_read(
    reason: str, columns: tuple[ColumnSpec, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source.Source, "pieces", lambda self: pytest.fail("rows were read"))
    with pytest.raises(EngineError, match=reason):
        large(tmp_path, patients(), PARAMS, columns, format="parquet")


def test_a_pattern_of_too_few_texts_is_refused(tmp_path: Path, small_pieces: None) -> None:
    with pytest.raises(EngineError, match="fewer different texts"):
        made(tmp_path, PatternPseudonym("##"))


def test_more_values_than_the_memory_can_tell_apart_are_refused(tmp_path: Path, small_pieces: None) -> None:
    columns = (ColumnSpec("who", pseudonym=UuidPseudonym()), ColumnSpec("row", pseudonym=UuidPseudonym()))
    budget = Limits(memory=24 * 2 * ROWS - 1)
    with pytest.raises(EngineError, match="more different values than fit"):
        large(tmp_path / "two", patients(), PARAMS, columns, rows=None, limits=budget, format="parquet")


def test_keys_that_are_no_text_are_refused(tmp_path: Path, small_pieces: None) -> None:
    table = synthetic(ROWS).append_column("who", pa.array([[row] for row in range(ROWS)]))
    with pytest.raises(EngineError, match="'who' is a key, but holds values that cannot be written as text"):
        large(tmp_path, table, PARAMS, (ColumnSpec("who", identifier=True),), format="parquet")


PATTERNS = st.text("#?^ab", min_size=1, max_size=40)


@given(pattern=PATTERNS, count=st.integers(1, 300), seed=st.integers(0, 2**32))
def test_texts_of_different_numbers_differ_where_there_are_enough(pattern: str, count: int, seed: int) -> None:
    tokens = parse(PatternPseudonym(pattern))
    texts = Scrambled(tokens, np.random.default_rng(seed)).texts(np.arange(count))
    assert all(len(text) == len(pattern) for [text] in texts)
    assert capacity(tokens) < count or len({text for [text] in texts}) == count
    signs = {"#": r"\d", "?": "[A-Za-z]", "^": "[a-z0-9]"}
    shape = re.compile("".join(signs.get(sign, sign) for sign in pattern))
    assert all(shape.fullmatch(text) for [text] in texts)


def test_long_patterns_vary_in_every_sign() -> None:
    texts = Scrambled(parse(PatternPseudonym("?" * 30)), np.random.default_rng(1)).texts(np.arange(2_000))
    for place in range(30):
        assert len({text[place] for [text] in texts}) == 52


SEEDED = [DISTINCT["uuid"], DISTINCT["pattern"], *(kind for name, kind in BY_ROW.items() if name != "integer")]


@pytest.mark.parametrize("kind", SEEDED, ids=lambda kind: f"{type(kind).__name__}-{kind.consistent}")
def test_another_seed_gives_other_substitutes(kind: Pseudonym) -> None:
    numbers = np.arange(50)
    one, again, two = (
        numbered(ColumnSpec("who", pseudonym=kind), 50, seed, "people")(numbers, {}).to_pylist() for seed in (1, 1, 2)
    )
    assert one == again
    assert one[0] is None
    assert not set(one[1:]) & set(two[1:])


@pytest.mark.parametrize(
    "key", [ColumnSpec("z", identifier=True), *(ColumnSpec("z", pseudonym=kind) for kind in DISTINCT.values())]
)
def test_nested_keys_are_refused_in_memory_and_beyond(key: ColumnSpec, tmp_path: Path, small_pieces: None) -> None:
    table = synthetic(ROWS).append_column("z", pa.array([[i] for i in range(ROWS)]))
    with pytest.raises(EngineError, match="'z' is a key, but holds values that cannot be written as text"):
        avatarize(table, [key], PARAMS, 1)
    with pytest.raises(EngineError, match="'z' is a key, but holds values that cannot be written as text"):
        large(tmp_path, table, PARAMS, [key], format="parquet")
