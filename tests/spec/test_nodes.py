"""YAML to positioned data: YAML 1.2 values, positions, merges, limits, and everything that is refused."""

from __future__ import annotations

import pytest

from avatar_gitops.spec.nodes import MAX_BYTES, MAX_DEPTH, Document, read


def data(text: str) -> object:
    document, found = read(text, "a.yaml")
    assert document is not None
    assert found == ()
    return document.data


def codes(text: str | bytes) -> list[str]:
    return [finding.code for finding in read(text, "a.yaml")[1]]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("+5", 5),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("5.0", 5.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("null", None),
        ("~", None),
        ("", None),
        ("2026-11-21", "2026-11-21"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
        ("'5'", "5"),
        ('"\\u00e9"', "é"),
        ("!!str 5", "5"),
        ("-", ["-"]),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    if text == "-":
        assert data("a:\n  - '-'") == {"a": ["-"]}
        return
    read_back = data(f"a: {text}\n")
    assert read_back == {"a": value}
    assert isinstance(read_back, dict)
    assert type(read_back["a"]) is type(value)


def test_every_key_value_and_item_knows_its_place() -> None:
    document, _ = read("a:\n  b: [x, 'y z']\n  c: 5\n", "a.yaml")
    assert isinstance(document, Document)
    value = document.locate(("a", "b", 1))
    assert (value.line, value.column, value.end_line, value.end_column) == (2, 10, 2, 15)
    key = document.locate_key(("a", "c"))
    assert (key.line, key.column, key.end_column) == (3, 3, 4)


def test_a_place_that_was_not_written_is_the_nearest_one_around_it() -> None:
    document, _ = read("a:\n  b: 1\n", "a.yaml")
    assert document is not None
    assert document.locate(("a", "b", "x", 3)) == document.locate(("a", "b"))
    assert document.locate_key(("a", "zz")).line == 1


def test_merged_mappings_give_what_is_not_said_and_own_keys_win() -> None:
    text = "d: &d {k: 20, ncp: 5}\ne: &e {ncp: 9, x: 1}\na: {<<: [*d, *e], k: 5}\n"
    assert data(text) == {"d": {"k": 20, "ncp": 5}, "e": {"ncp": 9, "x": 1}, "a": {"k": 5, "ncp": 5, "x": 1}}


def test_a_byte_order_mark_is_not_part_of_the_first_key() -> None:
    document, found = read(b"\xef\xbb\xbfa: 1\n", "a.yaml")
    assert found == ()
    assert document is not None
    assert document.data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: 1\na: 2\n", "Y002"),
        ("a: {b: 1, 'b': 2}\n", "Y002"),
        ("a:\n\tb: 1\n", "Y003"),
        ("a: 1\n---\nb: 2\n", "Y004"),
        ("", "Y005"),
        ("# only a comment\n", "Y005"),
        ("---\n...\n", "Y005"),
        ("~\n", "Y005"),
        ("a: .nan\n", "Y010"),
        ("a: -.inf\n", "Y010"),
        ("a: 1e999\n", "Y010"),
        ("a: 123456789012345678901234567890\n", "Y010"),
        ("a: !!python/object:os.system x\n", "Y013"),
        ("a: !custom {b: 1}\n", "Y013"),
        ("1: a\n", "Y012"),
        ("true: a\n", "Y012"),
        ("? [a, b]\n: c\n", "Y012"),
        ("a: *b\n", "Y014"),
        ("a: &a [*a]\n", "Y014"),
        ("a: {<<: 5}\n", "Y014"),
        ('a: "\\ud800"\n', "Y009"),
        ("a: \x07\n", "Y009"),
        ("a: \x00\n", "Y009"),
        ("a: [1\n", "Y001"),
        ("%YAML 9\n---\na: 1\n", "Y001"),
    ],
)
def test_what_a_spec_must_not_hold_has_its_own_code(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_all_findings_of_a_readable_file_come_at_once() -> None:
    assert codes("a: .nan\nb: !x 1\nb: 2\n3: c\n") == ["Y010", "Y013", "Y002", "Y012"]


def test_bytes_that_are_no_utf_8_are_located_by_line() -> None:
    _, found = read(b"a: 1\nb: caf\xe9\n", "a.yaml")
    assert [(finding.code, finding.span.line) for finding in found] == [("Y009", 2)]
    assert codes("a: é".encode("utf-16")) == ["Y009"]


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    assert codes("a: " + "x" * MAX_BYTES) == ["Y008"]
    assert codes("# " + "x" * (MAX_BYTES - 20) + "\na: 1\n") == []


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_depth_has_a_limit(opening: str) -> None:
    assert codes(opening * 5000) == ["Y007"]
    assert codes("a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)) == []


def test_a_file_with_too_many_values_is_refused() -> None:
    assert codes("a: [" + "1," * 20_001 + "]") == ["Y006"]


def test_aliases_that_multiply_are_stopped_early() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    assert codes("\n".join(lines)) == ["Y006"]
    merges = ["m0: &m0 {x: 1}"]
    merges += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 10)}]}}" for n in range(1, 20)]
    assert codes("\n".join(merges)) == ["Y006"]


def test_a_few_aliases_are_fine() -> None:
    assert data("a: &a [1, 2]\nb: *a\nc: [*a, *a]\n") == {"a": [1, 2], "b": [1, 2], "c": [[1, 2], [1, 2]]}
