"""Run the benchmarks of this folder, all or those named, and write their sections of RESULTS.md.

A benchmark is a module with a function `section() -> str` that measures and returns Markdown; it raises `Unavailable`
when something it needs is not there, and its old section stays.
"""

from __future__ import annotations

import importlib
import sys
import time
from pathlib import Path

from benchmarks.results import Unavailable, write_section


def names() -> list[str]:
    """Benchmarks of this folder."""
    paths = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in paths if "\ndef section() -> str:" in path.read_text(encoding="utf-8"))


def main(wanted: list[str]) -> int:
    """Run benchmarks; the exit code is 1 when one of them could not run or is unknown."""
    code = 0
    for name in wanted or names():
        if name not in names():
            print(f"{name}: no such benchmark; there are {', '.join(names())}", file=sys.stderr)
            return 1
        module = importlib.import_module(f"benchmarks.{name}")
        start = time.perf_counter()
        try:
            write_section(name, module.section())
        except Unavailable as missing:
            print(f"{name}: not run. {missing}", file=sys.stderr)
            code = 1
        else:
            print(f"{name}: {time.perf_counter() - start:.0f} s, written to benchmarks/RESULTS.md")
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
