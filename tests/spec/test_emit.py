"""YAML that every reader understands alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from avatar_gitops.spec import emit

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=12
)


def read(text: str, version: tuple[int, int]) -> list[Any]:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = version
    return list(yaml.load_all(text))


@settings(deadline=None)
@given(st.dictionaries(TEXT, TREES, min_size=1, max_size=3))
def test_what_is_written_is_read_back_by_both_versions_of_yaml(document: dict[str, Any]) -> None:
    text = emit.documents([document])
    assert read(text, (1, 2)) == [document]
    assert read(text, (1, 1)) == [document]


@pytest.mark.parametrize(
    "word", ["yes", "No", "on", "OFF", "y", "null", "~", "12:30:00", "1_000", "1e3", "0x1F", "=", ""]
)
def test_words_that_some_reader_takes_for_something_else_are_quoted(word: str) -> None:
    assert emit.documents([{"field": word}]) == f'field: "{word}"\n'


def test_small_numbers_are_numbers_for_old_readers_too() -> None:
    assert emit.documents([{"a": 1e-05, "b": 1e22, "c": 3.0, "d": 7}]) == "a: 1.0e-05\nb: 1.0e+22\nc: 3.0\nd: 7\n"


def test_style_is_that_of_the_official_client() -> None:
    documents: list[dict[str, Any]] = [
        {"kind": "A", "spec": {"tables": [{"name": "x", "columns": [{"field": "f"}]}], "none": None}},
        {"b": 1},
    ]
    assert emit.documents(documents) == (
        "kind: A\nspec:\n  tables:\n  - name: x\n    columns:\n    - field: f\n  none: null\n\n---\nb: 1\n"
    )


def test_infinite_numbers_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="finite"):
        emit.documents([{"a": float("nan")}])
