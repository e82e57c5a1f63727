"""Which previews a label replaces: its own, and never one that is published or that another version builds on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from avatar_gitops.app.promotion import check_label, labelled
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from tests.support.planning import PROJECT, a_version, wish

pytestmark = pytest.mark.slow

ITEM = wish("ants")


def preview(number: int, label: str = "pr-1", project: str = PROJECT) -> ServerSet:
    made = a_version(ITEM, number, project=project)
    return replace(made, annotations={**made.annotations, Annotation.PREVIEW.value: label})


def test_only_unpublished_previews_of_the_label_go() -> None:
    published, base = preview(1), preview(2)
    gone = preview(3)
    others = (a_version(ITEM, 4), preview(5, "pr-2"), preview(6, project="others"), a_version(ITEM, 7, base=base))
    found = Observed("prod", (published, base, gone, *others))
    assert labelled(found, PROJECT, "pr-1", {published.id}) == [gone]


@pytest.mark.parametrize("label", ["avatar-gitops trial", "two\nlines", "x" * 101])
def test_a_label_that_cannot_name_previews_is_refused(label: str) -> None:
    check_label("pr-12 of médecine")
    check_label("")
    with pytest.raises(UsageError, match="--label"):
        check_label(label)
