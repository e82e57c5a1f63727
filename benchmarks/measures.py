"""Metrics of large tables: the four distance metrics beside the synthesis, and all metrics and attacks beside SDV.

`MEASURES_ROWS` chooses the sizes for distances and for all metrics: `MEASURES_ROWS=1000000,100000`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from benchmarks import peers
from benchmarks.processes import Measured, measure
from benchmarks.results import Unavailable, machine, table, versions
from benchmarks.synthesis import stages

NCP: Final = 5


def section() -> str:
    """Measure both."""
    sizes = peers.numbers("MEASURES_ROWS", "1000000,100000")
    if len(sizes) != 2:
        raise Unavailable("MEASURES_ROWS should be two numbers: rows for distances, rows for all metrics.")
    large, small = sizes
    peers.sdv_python()
    aligned = {n: peers.FOLDER / "data" / f"aligned-{n}.csv" for n in sizes}
    synthesis = {n: peers.ours(n, NCP, 3, keep=path) for n, path in aligned.items()}
    distances = _measured(large, aligned[large], "distances", 3)
    everything = _measured(small, aligned[small], "all", 3)
    copula = peers.copula(small, 3)
    work, made = _work(distances), _work(synthesis[large])
    return "\n\n".join(
        [
            f"""## Metrics of large tables

Command: `python -m benchmarks measures`. {versions("numpy", "scipy", "pykdtree")}; {", ".join(peers.SDV)}.
{machine()}

Whole processes from two CSV files (originals, and avatars in the same order) to the values, medians of up to 3 runs;
the same table as in the section on synthesis, ncp = {NCP}. All distances are exact and of all rows.""",
            f"### Hidden rate, local cloaking, DCR and NNDR of {large:,} rows",
            table(
                ["program", "wall s", "processor s", "peak MiB", "foreign cores", "stages in seconds"],
                [_row("synthesis", synthesis[large]), _row("the four metrics", distances)],
            ),
            _values(distances),
            f"Without imports and files: synthesis {made:.2f} s, metrics {work:.2f} s: {work / made:.2f} times.",
            f"### All metrics and attacks of {small:,} rows beside the fit of SDV GaussianCopula",
            table(
                ["program", "wall s", "processor s", "peak MiB", "foreign cores", "stages in seconds"],
                [_row("all metrics and attacks", everything), _row("SDV GaussianCopula", copula)],
            ),
            f"The whole process of all metrics takes {everything.wall:.2f} s, the fit of SDV alone"
            f" {copula.stages['fit']:.2f} s: {copula.stages['fit'] / everything.wall:.1f} times as long.",
        ]
    )


def _measured(rows: int, aligned: Path, wanted: str, runs: int) -> Measured:
    program = [sys.executable, "-m", "benchmarks.drivers.measures", str(peers.table_of(rows)), str(aligned)]
    return measure([*program, str(NCP), wanted], runs)


def _row(name: str, one: Measured) -> list[str]:
    seconds = (f"{one.wall:.2f}", f"{one.processor:.2f}", f"{one.peak:,.0f}", f"{one.foreign:.2f}")
    return [name, *seconds, stages(one)]


def _values(one: Measured) -> str:
    return table(["metric", "value"], [[name, f"{value:.4g}"] for name, value in one.said["values"].items()])


def _work(one: Measured) -> float:
    """Seconds without start, imports, reading and writing."""
    return sum(seconds for name, seconds in one.stages.items() if name not in {"import", "read", "write"})
