"""Names of result files; clients cut the table name and the format out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# `_` stays, so a table really called `x_dot_y` cannot be told from `x.y`: the same holds for the hosted platform.
ESCAPES: Final = (("/", "_slash_"), ("&", "_ampersand_"), ("+", "_plus_"), (".", "_dot_"))

FIGURE: Final = ".vl.json"
PAGE: Final = ".html"


def escaped(table: str) -> str:
    """A table name as part of a file name."""
    for sign, word in ESCAPES:
        table = table.replace(sign, word)
    return table


def unescaped(text: str) -> str:
    """The table name that clients read out of a file name."""
    for sign, word in ESCAPES:
        text = text.replace(word, sign)
    return text


def table_file(table: str, what: str, extension: str) -> str:
    """`{table}.{what}-0.{extension}`: one part per table, always."""
    return f"{escaped(table)}.{what}-0.{extension}"


def table_of(filename: str, what: str) -> str:
    """The table that a file made by `table_file` belongs to, in escaped form."""
    return filename.partition(f".{what}-0.")[0]


def metrics_file(table: str, computation: str, what: str, reference: str | None = None) -> str:
    """`{table}_{computation}.{what}.json`, with the other table of a pair after the computation: one entry per file."""
    other = "" if reference is None else f"_{escaped(reference)}"
    return f"{escaped(table)}_{computation}{other}.{what}.json"


def figure_files(table: str, kinds: Sequence[str]) -> list[str]:
    """`{table}.{kind}.vl.json` for each figure of a table; several of one kind are numbered in their order."""
    names = []
    for at, kind in enumerate(kinds):
        number = f"-{kinds[:at].count(kind)}" if kinds.count(kind) > 1 else ""
        names.append(f"{escaped(table)}.{kind}{number}{FIGURE}")
    return names


def page_of(name: str) -> str:
    """The page by which clients know a figure, whose document is what is stored; any other name is its own."""
    return f"{name.removesuffix(FIGURE)}{PAGE}" if name.endswith(FIGURE) else name
