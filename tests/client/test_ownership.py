"""Whose a version is, from documents that anybody may have written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.client import ownership
from avatar_gitops.client.compile import to_yaml
from avatar_gitops.client.ownership import annotations_of
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.observed import Annotation
from avatar_gitops.wire.stated import STATED
from tests.support.planning import wish


def test_what_was_written_is_read_back() -> None:
    written = marks(wish(), "hospital", "c0ffee", "0.1.0", "base")
    found = annotations_of(to_yaml(wish(), written))
    assert {name: value for name, value in found.items() if name in written} == written


@pytest.mark.parametrize(
    "documents",
    [
        "",
        "kind: AvatarSchema\n",
        "kind: AvatarSchema\nannotations: {avatar-gitops/project: x}\n",
        "kind: AvatarMetadata\nannotations: [avatar-gitops/project]\n",
        "avatar-gitops/: [",
        "- avatar-gitops/project\n",
        "kind: &a AvatarMetadata\nannotations: !!python/object:os.system {avatar-gitops/project: x}\n",
        "kind: AvatarMetadata\nannotations: {avatar-gitops/project: null}\n",
    ],
)
def test_documents_of_others_are_nobodys(documents: str) -> None:
    assert annotations_of(documents) == {}


def test_flow_style_and_any_order_are_understood_and_notes_of_others_are_left_out() -> None:
    documents = "kind: Other\n--- \n{annotations: {avatar-gitops/project: h, n: 1}, kind: AvatarMetadata}\n"
    assert annotations_of(documents) == {"avatar-gitops/project": "h"}


def test_our_own_documents_are_read_without_the_slow_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = to_yaml(wish(), marks(wish(), "hospital", "c0ffee", "0.1.0", "base"))
    monkeypatch.setattr(ownership, "_as_yaml", lambda text: pytest.fail("parsed as YAML"))
    assert annotations_of(documents)[Annotation.COMMIT] == "c0ffee"


def test_what_a_spec_states_is_no_mark() -> None:
    assert STATED in to_yaml(wish(), {})
    assert annotations_of(to_yaml(wish(), {})) == {}


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20))
def test_both_ways_of_reading_agree(value: str) -> None:
    documents = to_yaml(wish(), {"avatar-gitops/path": value})
    assert annotations_of(documents)["avatar-gitops/path"] == value
