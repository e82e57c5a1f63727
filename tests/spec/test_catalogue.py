"""Codes, their titles and their pages belong together, and no page is missing."""

from __future__ import annotations

import re
from pathlib import Path

from avatar_gitops.cli.commands.explain import pages, title
from avatar_gitops.spec.catalogue import TITLES
from avatar_gitops.spec.gates import METRICS
from avatar_gitops.spec.models import GATE_PATTERN

SOURCE = Path(__file__).parents[2] / "avatar_gitops"
OURS = re.compile(r"[YSX]\d{3}")


def used_codes() -> set[str]:
    files = [path for part in ("spec", "policy", "app") for path in (SOURCE / part).glob("*.py")]
    texts = [file.read_text() for file in files if file.name != "catalogue.py"]
    return {code for text in texts for code in re.findall(r'"([YSX]\d{3})"', text)}


def test_every_code_is_used_and_every_used_code_has_a_title() -> None:
    assert used_codes() == set(TITLES)


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    assert {code for code in pages() if OURS.fullmatch(code)} == set(TITLES)


def test_a_page_has_its_title_an_example_each_way_and_a_neighbour() -> None:
    for code, page in pages().items():
        if OURS.fullmatch(code):
            assert title(page) == f"{code}  {TITLES[code]}"
            assert page.index("\nWrong\n") < page.index("\nRight\n") < page.index("\nSee also: ")
            neighbours = re.findall(r"[YSX]\d{3}", page.split("See also: ")[1])
            assert neighbours
            assert set(neighbours) <= set(TITLES) - {code}


def test_codes_are_public_and_only_change_on_purpose() -> None:
    assert " ".join(TITLES) == (
        "Y001 Y002 Y003 Y004 Y005 Y006 Y007 Y008 Y009 Y010 Y012 Y013 Y014 "
        "S001 S002 S003 S004 S005 S006 S007 S008 S009 S010 S020 "
        "X001 X002 X003 X004 X005 X006 X007 X008 X009 X010 X011 X012 X013 X014 X015 X016 X017 X018 X019 X020 "
        "X021 X022 X023 X024 X025 X026 X027 X028 X029 X030 X031 X032 X033 X034 X035 X036 X037 X038 X040 X041 X042 "
        "X050 X051 X052 X053 X054 X060 X061 X062 X063 X064 X065 X066 "
        "X070 X071 X072 X073 X074 X075 X076"
    )


def test_metric_names_can_stand_in_a_spec() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{1,63}", name) for name in METRICS)
    assert re.match(GATE_PATTERN, ">= 90")
