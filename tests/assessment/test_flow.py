"""The way of the data in the impact assessment is that of the method of each table."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import pytest

from avatar_gitops.assessment import AssessmentFacts, TableFacts, assess, pia_markdown
from avatar_gitops.assessment.document import Paragraph, text_of
from avatar_gitops.assessment.facts import Language, Provenance, Scalar
from avatar_gitops.assessment.phrases_pia import PIA_PHRASES
from avatar_gitops.assessment.pia_flow import flow
from avatar_gitops.assessment.voice import Voice

Make = Callable[[Language], AssessmentFacts]


def told(*tables: TableFacts, language: Language = "en") -> list[str]:
    facts = AssessmentFacts("s", tables, language=language, provenance=Provenance(engine="E 1"))
    blocks = flow(Voice(language, PIA_PHRASES), facts)
    assert all(isinstance(block, Paragraph) and block.source for block in blocks)
    return [text_of(block.content) for block in blocks if isinstance(block, Paragraph)]


def made(parameters: Mapping[str, Scalar]) -> TableFacts:
    return TableFacts("t", parameters=parameters)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"k": 5}, ("Each original that is used has one avatar.",)),
        (
            {"k": 5, "holdout_share": 0.2},
            ("A share of 20% of the originals is kept apart", "Each original that is used has one avatar."),
        ),
        ({"k": 5, "data_augmentation.augmentation_strategy": 2}, ("a person can have several avatars",)),
        (
            {"data_augmentation.augmentation_strategy": 2, "data_augmentation.should_anonymize_original_table": False},
            ("recipients get the originals with the avatars",),
        ),
    ],
)
def test_an_avatar_table_says_who_has_how_many_avatars(parameters: Mapping[str, Scalar], said: tuple[str, ...]) -> None:
    (text,) = told(made(parameters))
    assert all(part in text for part in said)
    assert "The table before shuffling links each avatar to its person" in text
    assert ("has one avatar" in text) == (said[-1] == "Each original that is used has one avatar.")


def test_nothing_links_the_rows_of_a_private_release() -> None:
    (text,) = told(TableFacts("t", method="fast_dp"))
    assert "No new row belongs to a person, and no table links them." in text
    assert "shuffl" not in text


def test_nobody_here_knows_how_avatars_from_elsewhere_were_made() -> None:
    (text,) = told(TableFacts("t", method="none"))
    assert text.startswith("The avatars were made elsewhere, in a way that is unknown to this document.")
    assert "shuffl" not in text


def test_tables_that_go_other_ways_are_named_and_the_same_way_is_told_once() -> None:
    first, second, third = (TableFacts(name, parameters={"k": 5}) for name in "abc")
    assert len(told(first, second)) == 1
    both = told(first, dataclasses.replace(second, method="open_dp"), third)
    assert [text[:10] for text in both] == ["Table a. T", "Table b. T"]
    assert both[0].startswith("Table a. Table c. The engine (E 1)")


def test_only_a_table_of_avatars_has_an_unshuffled_one(facts: Make) -> None:
    avatar = facts("en")
    private = dataclasses.replace(avatar, tables=(dataclasses.replace(avatar.tables[0], method="open_dp"),))
    for word in ("Retention of the originals and of the unshuffled table", "| originals and unshuffled table |"):
        assert word in pia_markdown(avatar)
        assert word not in pia_markdown(private)
    assert assess(private).tables
    assert "| Retention of the originals |" in pia_markdown(private)
