"""The house style, as far as a program can hold it: sizes, names, first lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "avatar_gitops"
MODULES = sorted(PACKAGE.rglob("*.py"))
DRAWERS = {"utils", "util", "common", "misc", "helpers", "manager"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_is_short_named_well_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert path.stem not in DRAWERS
    assert ast.get_docstring(ast.parse(text)), "the first line says what the module is for"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    for function in functions(path):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < 50, function.name
        takes = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        own = [argument for argument in takes if argument.arg not in {"self", "cls"}]
        decorated = bool(function.decorator_list)  # a command or a route: its parameters are its options
        assert decorated or len(own) <= 6, function.name


def test_no_line_is_hidden_from_coverage() -> None:
    hidden = [name(path) for path in MODULES if "pragma: no cover" in path.read_text(encoding="utf-8")]
    assert hidden == []
