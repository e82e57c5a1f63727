"""The threat model names tests that exist, for every threat at least one, and every threat once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / ".github" / "SECURITY.md").read_text(encoding="utf-8")
THREATS = [line for line in PAGE.splitlines() if re.match(r"\| T\d+ \|", line)]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def source(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def test_every_threat_has_a_number_of_its_own() -> None:
    numbers = [line.split("|")[1].strip() for line in THREATS]
    assert len(numbers) > 30
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("line", THREATS, ids=lambda line: str(line.split("|")[1].strip()))
def test_a_threat_is_held_by_tests_that_exist(line: str) -> None:
    _, _, threat, holds, tests, _ = (cell.strip() for cell in line.split("|"))
    assert threat and holds
    found = NAMED.findall(tests)
    assert found, "no test holds this"
    for file, name in found:
        assert (ROOT / file).is_file(), file
        assert not name or re.search(rf"^def {name}\(", source(file), re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize(("file", "name"), NAMED.findall(PAGE))
def test_whatever_the_page_names_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file()
    assert not name or f"def {name}(" in source(file)


def test_the_page_uses_the_boundaries_that_it_defines() -> None:
    defined = set(re.findall(r"\*\*(B\d)\*\*", PAGE))
    assert set(re.findall(r"\bB\d\b", PAGE)) == defined
