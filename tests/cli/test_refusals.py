"""Codes of refusals, their titles and their pages belong together, and no page is missing."""

from __future__ import annotations

import re
from pathlib import Path

from avatar_gitops.cli.commands.explain import pages, title
from avatar_gitops.errors import REFUSALS, RemoteUnavailable

SOURCE = Path(__file__).parents[2] / "avatar_gitops"
CODE = re.compile(r"R\d{3}")


def used_codes() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]
    given = {code for text in texts for code in re.findall(r'= ?"(R\d{3})"', text)}
    return given | {RemoteUnavailable("no answer").code or ""}


def test_every_code_of_a_refusal_is_used_and_every_used_one_has_a_title() -> None:
    assert used_codes() == set(REFUSALS)


def test_every_code_of_a_refusal_has_a_page_and_every_page_a_code() -> None:
    assert {code for code in pages() if CODE.fullmatch(code)} == set(REFUSALS)


def test_a_page_of_a_refusal_has_its_title_an_example_each_way_and_a_neighbour() -> None:
    for code, text in REFUSALS.items():
        page = pages()[code]
        assert title(page) == f"{code}  {text}"
        assert "Exit code" in page
        assert page.index("\nWrong\n") < page.index("\nRight\n") < page.index("\nSee also: ")
        neighbours = re.findall(r"R\d{3} [^,\n]+", page.split("See also: ")[1])
        assert neighbours
        assert all(REFUSALS[near[:4]] == near[5:] and near[:4] != code for near in neighbours)


def test_codes_of_refusals_are_public_and_only_change_on_purpose() -> None:
    assert " ".join(REFUSALS) == "R003 R004 R005 R006 R007 R008 R009 R010"
