"""The page on the user guides has a row for every line of them, and names tests that exist."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from avatar_gitops.cli.commands.explain import pages

ROOT: Final = Path(__file__).parents[2]
ROW: Final = re.compile(r"\| (\d+)–(\d+) \| (.+?) \| (.+) \|")
CURRENT: Final = (36, 822)  # the lines before are its table of contents
OLDER: Final = (1, 97)


@dataclass(slots=True, frozen=True)
class Row:
    """Lines of a guide, and the tests that show what stands there."""

    first: int
    last: int
    tests: tuple[tuple[str, str], ...]


def rows(at: int) -> list[Row]:
    """The rows of one of the two tables."""
    tables = pages()["GUIDES"].split("| lines | statement | test |")[1:]
    found = []
    for first, last, _, tests in ROW.findall(tables[at]):
        found.append(Row(int(first), int(last), tuple(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", tests))))
    return found


def current_rows() -> list[Row]:
    """The rows of the current guide."""
    return rows(0)


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("at", "lines"), [(0, CURRENT), (1, OLDER)])
def test_every_line_has_exactly_one_row(at: int, lines: tuple[int, int]) -> None:
    found = rows(at)
    assert (found[0].first, found[-1].last) == lines
    assert all(row.first <= row.last for row in found)
    assert all(next_one.first == row.last + 1 for row, next_one in pairwise(found))


@pytest.mark.parametrize("at", [0, 1])
def test_every_row_names_tests_that_exist(at: int) -> None:
    for row in rows(at):
        assert row.tests, f"lines {row.first} to {row.last} name no test"
        for file, name in row.tests:
            assert name in functions_of(file), f"lines {row.first} to {row.last}: {file}::{name}"
