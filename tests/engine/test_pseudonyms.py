"""Substitutes: what they look like, where they are equal, and that they do not come from what they replace."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.params import AvatarParams, ColumnSpec
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
from avatar_gitops.engine.pseudonyms.patterns import capacity, parse
from avatar_gitops.engine.pseudonyms.realistic import POOL
from avatar_gitops.engine.pseudonyms.substitution import substitute
from avatar_gitops.engine.run import avatarize
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic

KINDS: list[Pseudonym] = [
    FakerPseudonym(PiiType.LAST_NAME),
    FakerPseudonym(PiiType.EMAIL, high_variability=True),
    HashPseudonym(),
    HashPseudonym(b"0123456789abcdef"),
    UuidPseudonym(),
    ConstantPseudonym("***"),
    IntegerPseudonym(),
    PatternPseudonym("??-####"),
]
VALUES = pa.chunked_array([["Zoé", "Bob", None, "Zoé"], ["", "Ann", "Bob", "Ann"]])


def one(values: pa.ChunkedArray, pseudonym: Pseudonym, seed: int = 1) -> list[object]:
    return list(substitute([values], pseudonym, seed, "t.name")[0].to_pylist())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_equal_values_have_equal_substitutes_and_missing_ones_none(kind: Pseudonym) -> None:
    made = one(VALUES, kind)
    assert made[0] == made[3]
    assert made[1] == made[6]
    assert made[5] == made[7]
    assert (made[2] is None) is not isinstance(kind, ConstantPseudonym)
    assert made == one(VALUES, kind)
    assert not {"Zoé", "Bob", "Ann"} & {str(value) for value in made}


@pytest.mark.parametrize(
    "kind", [UuidPseudonym(False), IntegerPseudonym(False), PatternPseudonym("####", consistent=False)]
)
def test_without_consistency_every_row_has_its_own(kind: Pseudonym) -> None:
    made = [value for value in one(VALUES, kind) if value is not None]
    assert len(set(made)) == len(made) == 7


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not isinstance(kind, HashPseudonym | ConstantPseudonym)], ids=str
)
def test_substitutes_do_not_depend_on_what_they_replace(kind: Pseudonym) -> None:
    """Other values in the same places get the same substitutes: nothing of a value can be in its own."""
    others = pa.chunked_array([["x1", "x2", None, "x1"], ["x3", "x4", "x2", "x4"]])
    assert one(others, kind) == one(VALUES, kind)


@pytest.mark.parametrize(
    "kind", [UuidPseudonym(), IntegerPseudonym(), PatternPseudonym("^^^^^"), FakerPseudonym(PiiType.SSN)], ids=str
)
def test_another_seed_gives_other_substitutes(kind: Pseudonym) -> None:
    values = pa.chunked_array([[f"v{i}" for i in range(50)]])
    assert one(values, kind, 1) != one(values, kind, 2)


def test_hashes_are_those_that_anybody_computes_and_keyed_ones_are_not() -> None:
    assert one(VALUES, HashPseudonym())[1] == hashlib.sha256(b"Bob").hexdigest()
    key = b"a secret of 16 bytes"
    assert one(VALUES, HashPseudonym(key))[0] == hmac.new(key, "Zoé".encode(), hashlib.sha256).hexdigest()
    assert "secret" not in repr(HashPseudonym(key))
    with pytest.raises(EngineError, match="shorter than 16 bytes"):
        one(VALUES, HashPseudonym(b"short"))


def test_plain_hashes_are_warned_about() -> None:
    table = synthetic(60)
    for key, expected in ((None, True), (b"0123456789abcdef", False)):
        made = avatarize(table, [ColumnSpec("site", pseudonym=HashPseudonym(key))], AvatarParams(5), 1)
        assert any("guess" in warning for warning in made.facts.warnings) is expected


def test_integers_are_a_scrambled_count() -> None:
    values = pa.chunked_array([list(range(1_000))])
    made = one(values, IntegerPseudonym())
    assert len(made) == 1_000
    assert set(made) == set(range(1, 1_001))
    assert abs(float(np.corrcoef(np.arange(1_000), np.array(made, dtype=np.int64))[0, 1])) < 0.1


@pytest.mark.parametrize("pii", PiiType)
@pytest.mark.parametrize("locale", ["en_US", "fr_FR"])
def test_realistic_values_exist_for_each_kind_and_are_one_line(pii: PiiType, locale: str) -> None:
    made = one(VALUES, FakerPseudonym(pii, locale=locale))
    assert all(isinstance(value, str) and value and "\n" not in value for value in made if value is not None)


def test_a_pool_repeats_itself_and_high_variability_does_less() -> None:
    values = pa.chunked_array([[f"v{i}" for i in range(4 * POOL)]])
    few = set(one(values, FakerPseudonym(PiiType.FULL_NAME)))
    many = set(one(values, FakerPseudonym(PiiType.FULL_NAME, high_variability=True)))
    assert len(few) <= POOL < len(many)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FakerPseudonym(PiiType.EMAIL, locale="xx_XX"), "locale 'xx_XX'"),
        (PatternPseudonym("#"), "fewer different texts"),
        (PatternPseudonym("{{}}"), "names no column"),
        (PatternPseudonym("a\\"), "backslash"),
        (PatternPseudonym("{{other}}"), "takes values from other columns"),
    ],
)
def test_what_cannot_be_made_is_refused(kind: Pseudonym, reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        one(pa.chunked_array([[f"v{i}" for i in range(11)]]), kind)


def test_patterns_say_which_signs_may_stand_where() -> None:
    made = one(VALUES, PatternPseudonym(r"A\#-#?^", LetterCase.UPPER))
    assert all(re.fullmatch(r"A#-\d[A-Z][a-z0-9]", str(value)) for value in made if value is not None)
    lower = one(VALUES, PatternPseudonym("???", LetterCase.LOWER))
    assert all(re.fullmatch(r"[a-z]{3}", str(value)) for value in lower if value is not None)
    assert capacity(parse(PatternPseudonym("#?^"))) == 10 * 52 * 36


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 100), st.sampled_from(["##", "#?", "####", "^^^^^^^^^^^^"]))
def test_different_values_have_different_patterns(count: int, pattern: str) -> None:
    made = one(pa.chunked_array([[f"v{i}" for i in range(count)]]), PatternPseudonym(pattern))
    assert len(set(made)) == count


def test_a_key_and_what_refers_to_it_share_one_mapping() -> None:
    parent = pa.chunked_array([[3, 1, 2]])
    child = pa.chunked_array([["1", "1", "3", None, "9"]])  # as text, as another file may have it; 9 has no parent
    for kind in (UuidPseudonym(False), IntegerPseudonym(), PatternPseudonym("##"), HashPseudonym()):
        keys, foreign = (side.to_pylist() for side in substitute([parent, child], kind, 1, "parents.id", key=True))
        assert foreign[:4] == [keys[1], keys[1], keys[0], None]
        assert len({*keys, foreign[4]}) == 4
    with pytest.raises(EngineError, match="constant"):
        substitute([parent, child], ConstantPseudonym("x"), 1, "parents.id", key=True)


def test_columns_of_a_table_come_back_pseudonymized_and_unmodelled() -> None:
    table = (
        synthetic(80)
        .append_column("id", pa.array([f"p{i}" for i in range(80)]))
        .append_column("card", pa.array([f"c{i // 2}" for i in range(80)]))
    )
    columns = [
        ColumnSpec("id", primary_key=True, pseudonym=UuidPseudonym()),
        ColumnSpec("card", pseudonym=PatternPseudonym("{{site}}/{{id}}/#", consistent=False)),
        ColumnSpec("site", pseudonym=ConstantPseudonym("here")),
    ]
    made = avatarize(table, columns, AvatarParams(5), 1)
    assert made.facts.dimensions == 2 + 2 + 2
    roles = {fact.name: fact.role for fact in made.facts.columns}
    assert roles["id"] == roles["card"] == roles["site"] == "pseudonymized"
    for row in made.shuffled.to_pylist():
        assert re.fullmatch(rf"here/{row['id']}/\d", row["card"])
    assert len(set(made.shuffled["id"].to_pylist())) == 80


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ([ColumnSpec("site", primary_key=True, pseudonym=UuidPseudonym())], "gives several rows the same value"),
        ([ColumnSpec("age", primary_key=True, pseudonym=ConstantPseudonym("x"))], "cannot be replaced by a constant"),
        ([ColumnSpec("site", pseudonym=PatternPseudonym("{{nowhere}}"))], "names 'nowhere'"),
        (
            [
                ColumnSpec("site", pseudonym=PatternPseudonym("{{group}}")),
                ColumnSpec("group", pseudonym=PatternPseudonym("{{site}}")),
            ],
            "in a circle",
        ),
        ([ColumnSpec("smoker", drop=True), ColumnSpec("site", pseudonym=PatternPseudonym("{{smoker}}"))], "'smoker'"),
    ],
)
def test_pseudonyms_that_a_table_cannot_have_are_refused(columns: list[ColumnSpec], reason: str) -> None:
    with pytest.raises(EngineError, match=reason):
        avatarize(synthetic(60), columns, AvatarParams(5), 1)


def test_the_library_of_realistic_values_is_only_loaded_when_asked_for() -> None:
    code = "import sys, avatar_gitops.engine.pseudonyms.substitution; print('faker' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
