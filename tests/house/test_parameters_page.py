"""The page on parameters names every field that a run can say, and tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from avatar_gitops.cli.commands.explain import pages
from avatar_gitops.spec import fields

ROOT: Final = Path(__file__).parents[2]
TABLE: Final = "spec.tables.*."
LEFT_TO_THEMSELVES: Final = ("sample.", "source.", "avatars.", "holdout.")  # a path, or uri, format, digest and options


def rows() -> list[tuple[str, str, str]]:
    """Guide, fields and test of each row."""
    lines = [line for line in pages()["PARAMETERS"].splitlines() if line.startswith("| ") and "`" in line]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == 3 for row in cells)
    return [(row[0], row[1], row[2]) for row in cells]


def said() -> set[str]:
    """Every field that some row names."""
    return {name for _, names, _ in rows() for name in re.findall(r"`([^`]+)`", names)}


def wanted() -> list[str]:
    """Fields of a run that make or measure something, as the page writes them: below the table, or below `spec`."""
    found = []
    for row in fields.rows():
        path = ".".join(row.pattern)
        name = path.removeprefix(TABLE) if path.startswith(TABLE) else path.removeprefix("spec.")
        ours = path.startswith(("metadata", "inputs", "spec.lifecycle", "spec.gates", "spec.matrix", "spec.from_"))
        below = path.startswith(TABLE) and name.startswith(LEFT_TO_THEMSELVES)
        if path.startswith("spec.") and not ours and not below and not row.whole:
            found.append(name)
    return sorted(set(found) - {"columns.*.tag", "pia.purpose", "pia.controller", "pia.legal_basis", "pia.retention"})


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("name", wanted())
def test_a_field_is_on_the_page(name: str) -> None:
    group, _, last = name.rpartition(".")
    shared = group.replace("privacy_metrics", "avatarization").replace("signal_metrics", "avatarization")
    assert {name, f"{shared}.{last}", f"{group}.*", f"{shared}.*"} & said(), name


def test_every_test_of_the_page_exists() -> None:
    for guide, _, test in rows():
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", test):
            assert name in functions_of(file), f"{guide}: {file}::{name}"
        assert "`tests/" in test, f"{guide} names no test"
