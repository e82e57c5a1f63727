"""No module imports itself by way of others, not even inside a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "avatar_gitops"
Graph = dict[str, set[str]]


def module(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """What is imported when the program runs: `if TYPE_CHECKING:` is for readers only."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))


def graph() -> Graph:
    modules = {module(path): path for path in PACKAGE.rglob("*.py")}
    found = {}
    for name, path in modules.items():
        targets = set(imported(path))
        # `from package import module` needs the module, not what the package itself defines
        inner = {target.rpartition(".")[0] for target in targets if target in modules}
        found[name] = {target for target in targets if target in modules and target not in inner} - {name}
    return found


def test_imports_have_no_circle() -> None:
    edges = graph()
    assert len(edges["avatar_gitops.server.work"]) > 3
    TopologicalSorter(edges).prepare()


def test_a_circle_would_be_found() -> None:
    edges = graph()
    edges["avatar_gitops.errors"].add("avatar_gitops.server.work")
    with pytest.raises(CycleError):
        TopologicalSorter(edges).prepare()
