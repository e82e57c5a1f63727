"""Values as people read them: short, safe, with the sign and the word."""

from __future__ import annotations

from typing import Any

import pytest

from avatar_gitops.plan.model import Action, Change, Consequence, FieldChange, Privacy, Reason
from avatar_gitops.report.values import before_and_after, count, cut, direction, field_name, number, short_digest, value
from tests.support.planning import wish

PATH = ("spec", "tables", "t", "avatarization", "k")


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (93.123, "93.1"), (14.0, "14"), (0.0624, "0.062"), (0.5, "0.5"), (0.0, "0"), (-0.0001, "0"), (100.0, "100"),
        (None, "-"),
    ],
)  # fmt: skip
def test_numbers_have_the_digits_that_help(measured: float | None, text: str) -> None:
    assert number(measured) == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "not set"), (True, "true"), (False, "false"), (20, "20"), (0.5, "0.5"), ("", '""'), ("age", "age"),
        ([], "[]"), (["age", "sex"], "[age, sex]"),
        ({"kind": "UUID4", "consistent": True}, "{kind: UUID4, consistent: true}"),
        ("a\x1b[31mb\nc", "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}c"),
    ],
)  # fmt: skip
def test_values_are_one_line(content: Any, text: str) -> None:
    assert value(content) == text


def test_long_values_are_cut_in_the_middle() -> None:
    assert cut("a" * 48) == "a" * 48
    shown = cut("start" + "x" * 100 + "end", 11)
    assert shown == "start…xxend"
    assert len(shown) == 11


def test_of_long_lists_only_the_difference_is_shown() -> None:
    columns = [f"c{number}" for number in range(30)]
    change = FieldChange(
        ("inputs", "t", "columns"), columns, [*columns[1:], "new"], Consequence.RERUN_ALL, Privacy.WEAKER
    )
    assert before_and_after(change) == ("[… c0]", "[… new]")
    grown = FieldChange(PATH, None, columns[:7], Consequence.RERUN_ALL, Privacy.WEAKER)
    assert before_and_after(grown)[0] == "[…]"


def test_digests_are_short_on_screen() -> None:
    assert short_digest("sha256:0123456789abcdef") == "sha256:01234567"
    assert short_digest("0123456789abcdef") == "01234567"
    path = ("spec", "tables", "t", "source", "digest")
    change = FieldChange(path, None, "sha256:" + "a" * 64, Consequence.METADATA, Privacy.NEUTRAL)
    assert before_and_after(change) == ("not set", "sha256:aaaaaaaa")


def test_a_direction_is_a_sign_and_a_word() -> None:
    change = FieldChange(PATH, 20, 15, Consequence.RERUN_ALL, Privacy.WEAKER)
    assert (direction(change), direction(change, ascii_only=True)) == ("▼ weaker", "v weaker")
    neutral = FieldChange(("metadata", "owner"), "a", "b", Consequence.METADATA, Privacy.NEUTRAL)
    assert direction(neutral) == ""


def test_names_leave_out_the_level_that_all_fields_share() -> None:
    assert field_name(PATH) == "tables.t.avatarization.k"
    assert field_name(("metadata", "owner")) == "metadata.owner"


def test_counts_agree_with_their_nouns() -> None:
    assert [count(1, "set"), count(2, "set"), count(1, "box", "boxes"), count(0, "box", "boxes")] == [
        "1 set", "2 sets", "1 box", "0 boxes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([Privacy.STRONGER, Privacy.WEAKER, Privacy.UNKNOWN], Privacy.WEAKER),
        ([Privacy.STRONGER, Privacy.UNKNOWN], Privacy.UNKNOWN),
        ([Privacy.NEUTRAL, Privacy.STRONGER], Privacy.STRONGER),
        ([Privacy.NEUTRAL], Privacy.NEUTRAL),
        ([], Privacy.NEUTRAL),
    ],
)
def test_the_direction_of_a_change_is_its_most_worrying(fields: list[Privacy], expected: Privacy) -> None:
    moved = tuple(FieldChange(PATH, 1, 2, Consequence.RERUN_ALL, privacy) for privacy in fields)
    change = Change("s", Action.UPDATE, Reason.METADATA_CHANGED, "p", moved, desired=wish())
    assert change.privacy is expected
