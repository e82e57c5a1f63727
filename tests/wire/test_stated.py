"""What a spec states, in an annotation that anybody may have written."""

from __future__ import annotations

import pytest

from avatar_gitops.wire.stated import STATED, Stated, stated


def test_what_is_stated_is_read_again() -> None:
    said = Stated(
        owner="data@example.org",
        purpose="L'étude « cœur »\nde 2026",
        direct_identifiers={"people": ("email",)},
        input_digests={"people": "sha256:01"},
        sources={"purpose": "pia.purpose, configs/x.yaml:31"},
    )
    assert stated(said.annotation()) == said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"purpose": 3}', '{"purpose": ""}', '{"direct_identifiers": ["a"]}'])
def test_annotations_that_cannot_be_read_state_nothing(text: str) -> None:
    assert stated({STATED: text}) == Stated()


def test_what_newer_programs_state_is_passed_over() -> None:
    assert stated({STATED: '{"owner": "a", "newer": 1}'}) == Stated(owner="a")
    assert stated({}) == Stated()
    assert Stated().annotation() == {}
