"""Each law of planning is stated by a property test, and nothing but the profile says how often it is tried in CI."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.laws import EXAMPLES, LAWS, PROFILE

TESTS = Path(__file__).parents[1]


def called(decorator: ast.expr) -> str:
    """Name of a decorator, such as `given` or `pytest.mark.law`."""
    return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)


def stated() -> Iterator[tuple[int, str, list[str]]]:
    """Law, name and decorators of every test that says to state one."""
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "@law(" in text else ():
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if called(decorator) == "law":
                    assert isinstance(decorator, ast.Call)
                    assert isinstance(decorator.args[0], ast.Constant)
                    assert isinstance(decorator.args[0].value, int)
                    yield decorator.args[0].value, node.name, [called(other) for other in node.decorator_list]


STATED = list(stated())


@pytest.mark.parametrize("number", LAWS)
def test_a_law_is_stated_by_a_property_test(number: int) -> None:
    assert [name for law, name, _ in STATED if law == number], f"nothing states that {LAWS[number]}"


@pytest.mark.parametrize(("name", "decorators"), [(name, decorators) for _, name, decorators in STATED])
def test_a_law_is_tried_on_what_is_drawn_as_often_as_the_profile_says(name: str, decorators: list[str]) -> None:
    assert name.startswith("test_")
    assert "given" in decorators
    assert not {"settings", "FAST", "example"}.intersection(decorators)


def test_the_profile_asks_for_as_many_examples_as_promised() -> None:
    assert settings.get_profile(PROFILE).max_examples == EXAMPLES == 1_000
