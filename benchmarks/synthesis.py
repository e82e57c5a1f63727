"""Avatars beside a plain script and SDV GaussianCopula: whole processes from a CSV to a CSV, in the same run.

`SYNTHESIS_ROWS`, `SYNTHESIS_NCP` and `SYNTHESIS_RUNS` choose what is measured; `SYNTHESIS_PLAIN_NCP` the axes with
which the plain script runs above 100,000 rows, where it takes minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchmarks import peers
from benchmarks.processes import Measured
from benchmarks.results import machine, table, versions

LONG: Final = 100_000
DEFAULT_ROWS: Final = "1000,10000,100000,1000000"

Key = tuple[int, int]


def section() -> str:
    """Measure all three."""
    rows = peers.numbers("SYNTHESIS_ROWS", DEFAULT_ROWS)
    axes = peers.numbers("SYNTHESIS_NCP", "5,10,20")
    runs = peers.numbers("SYNTHESIS_RUNS", "5")[0]
    long_axes = peers.numbers("SYNTHESIS_PLAIN_NCP", "5,10")
    peers.sdv_python()
    for n in rows:
        peers.table_of(n)
    ours: dict[Key, Measured] = {}
    plain: dict[Key, Measured] = {}
    copula: dict[int, Measured] = {}
    for n in rows:
        copula[n] = peers.copula(n, runs)
        for ncp in axes:
            ours[n, ncp] = peers.ours(n, ncp, runs)
            if n <= LONG or ncp in long_axes:
                plain[n, ncp] = peers.plain(n, ncp, runs)
    return "\n\n".join(
        [
            _introduction(runs),
            "### Wall time and ratios",
            _ratios(ours, plain, copula),
            "### Memory, processor time and runs",
            _resources(ours, plain, copula),
            "### Where the time goes, in seconds",
            _stages(ours, plain, copula),
        ]
    )


def _introduction(runs: int) -> str:
    names = ("numpy", "pyarrow", "pykdtree", "saiph", "scikit-learn", "pandas")
    return f"""## Synthesis: whole processes beside SDV GaussianCopula and a plain script

Command: `python -m benchmarks synthesis`. {versions(*names)}; {", ".join(peers.SDV)}, in an environment of its own.
{machine()}

Every figure is of a whole process, start to exit, imports included, from a CSV file to a CSV file; medians of up to
{runs} runs, fewer for slow ones. The table is made up in the shape of the Adult data: 6 numbers and 8 categories, 94
dimensions, nearly all rows distinct (`benchmarks/drivers/adult.py`). Avatars: k = {peers.K}, exact neighbours, all
components kept. The plain script is `benchmarks/drivers/plain.py` (pandas, saiph, scikit-learn). SDV fits with its
defaults and samples as many rows; `ncp` means nothing to it. *Foreign* is the number of cores that other processes
kept busy meanwhile: above about 0.1 the wall times of that row are too long."""


def _ratios(ours: Mapping[Key, Measured], plain: Mapping[Key, Measured], copula: Mapping[int, Measured]) -> str:
    lines = []
    for (n, ncp), one in ours.items():
        other = plain.get((n, ncp))
        lines.append(
            [
                f"{n:,}",
                str(ncp),
                str(one),
                str(other) if other else "not run",
                str(copula[n]),
                f"{other.wall / one.wall:.1f}" if other else "",
                f"{copula[n].wall / one.wall:.1f}",
            ]
        )
    head = ["rows", "ncp", "ours", "plain script", "SDV", "plain / ours", "SDV / ours"]
    return table(head, lines)


def _resources(ours: Mapping[Key, Measured], plain: Mapping[Key, Measured], copula: Mapping[int, Measured]) -> str:
    return table(
        ["program", "rows", "ncp", "processor s", "peak MiB", "foreign cores", "runs"],
        [
            [
                name,
                f"{n:,}",
                ncp,
                f"{one.processor:.2f}",
                f"{one.peak:,.0f}",
                f"{one.foreign:.2f}",
                str(one.runs),
            ]
            for name, n, ncp, one in _all(ours, plain, copula)
        ],
    )


def _stages(ours: Mapping[Key, Measured], plain: Mapping[Key, Measured], copula: Mapping[int, Measured]) -> str:
    return table(
        ["program", "rows", "ncp", "stages"],
        [[name, f"{n:,}", ncp, stages(one)] for name, n, ncp, one in _all(ours, plain, copula)],
    )


def stages(one: Measured) -> str:
    """The stages of a program in the order in which they happened, and what is left: start and exit of the process."""
    parts = [f"{name} {seconds:.3f}" for name, seconds in one.stages.items()]
    return ", ".join([*parts, f"start and exit {one.wall - sum(one.stages.values()):.3f}"])


def _all(
    ours: Mapping[Key, Measured], plain: Mapping[Key, Measured], copula: Mapping[int, Measured]
) -> list[tuple[str, int, str, Measured]]:
    pairs = [("ours", ours), ("plain script", plain)]
    found = [(name, n, str(ncp), one) for name, cases in pairs for (n, ncp), one in cases.items()]
    return [*found, *(("SDV", n, "", one) for n, one in copula.items())]
