"""The programs that are measured beside each other: ours, a plain script, and SDV in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.processes import Measured, measure
from benchmarks.results import Unavailable

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / ".bench"
K: Final = 20
SDV: Final = ("torch==2.13.0", "sdv==2.0.0")  # SDV imports torch, whatever it is asked to do


def numbers(name: str, default: str) -> tuple[int, ...]:
    """A list of whole numbers from the environment: `SYNTHESIS_ROWS=1000,10000`."""
    text = os.environ.get(name, default)
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise Unavailable(f"{name} should be whole numbers with commas, such as {default}.") from None


def table_of(rows: int) -> Path:
    """The CSV with so many made-up rows; made by a process of its own, once, and kept in `.bench`."""
    path = FOLDER / "data" / f"adult-{rows}.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        command = [sys.executable, "-m", "benchmarks.drivers.adult", str(rows), str(part)]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        part.rename(path)
    return path


def ours(rows: int, ncp: int, runs: int, *, keep: Path | None = None) -> Measured:
    """The engine: read_table, avatarize, write_table. `keep` takes the row-aligned avatars."""
    command = [sys.executable, "-m", "benchmarks.drivers.avatars", str(table_of(rows)), str(FOLDER / "avatars.csv")]
    return measure([*command, str(K), str(ncp), *([str(keep)] if keep else [])], runs)


def plain(rows: int, ncp: int, runs: int) -> Measured:
    """The straightforward script."""
    program = str(ROOT / "benchmarks" / "drivers" / "plain.py")
    return measure([sys.executable, program, str(table_of(rows)), str(FOLDER / "plain.csv"), str(K), str(ncp)], runs)


def copula(rows: int, runs: int) -> Measured:
    """SDV GaussianCopula: fit, and sample as many rows."""
    program = str(ROOT / "benchmarks" / "drivers" / "copula.py")
    return measure([str(sdv_python()), program, str(table_of(rows)), str(FOLDER / "sdv.csv")], runs)


def sdv_python() -> Path:
    """The interpreter of the environment of SDV, which is made at its first use."""
    python = FOLDER / "sdv" / "bin" / "python"
    ready = FOLDER / "sdv" / "ready"
    if not ready.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "sdv")], check=True, capture_output=True)
            for requirement in SDV:
                pip = [str(python), "-m", "pip", "install", "--quiet", requirement]
                subprocess.run(pip, check=True, capture_output=True)
            ready.write_text("\n".join(SDV), encoding="utf-8")
        except (OSError, subprocess.CalledProcessError):
            raise Unavailable(f"{' and '.join(SDV)} could not be installed into {FOLDER / 'sdv'} with pip.") from None
    return python
