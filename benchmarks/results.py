"""The file of results: one section for each benchmark, replaced when that benchmark runs again."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).parent / "RESULTS.md"
_HEADER: Final = """# Results

Written by `make bench` (`python -m benchmarks [NAME ...]`); a section changes only when its benchmark runs.
"""


class Unavailable(Exception):
    """A benchmark cannot run here; the text says what is missing and how to give it."""


def versions(*packages: str) -> str:
    """Python and package versions, as one line of Markdown."""
    parts = [f"Python {platform.python_version()}", *(f"{name} {metadata.version(name)}" for name in packages)]
    return ", ".join(parts)


def machine() -> str:
    """What the measurements were taken on, and when."""
    model = "an unknown processor"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    return f"{os.cpu_count()} cores ({model}), {datetime.now(UTC):%Y-%m-%d %H:%M} UTC."


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Replace or append the section of one benchmark."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.strip()}\n{end}\n"
    old = path.read_text(encoding="utf-8") if path.exists() else _HEADER
    if begin in old:
        before, rest = old.split(begin, 1)
        new = before + section + rest.split(end, 1)[1].lstrip("\n")
        if rest.split(end, 1)[1].strip():
            new = before + section + "\n" + rest.split(end, 1)[1].lstrip("\n")
    else:
        new = f"{old.rstrip()}\n\n{section}"
    path.write_text(new, encoding="utf-8")
