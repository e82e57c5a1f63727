"""Tables that do not fit into the memory of a run: peak memory and growth beside the run that holds all rows.

`MEMORY_ROWS` and `MEMORY_MIB` choose the sizes and the budget; the first size is the one that growth is compared with.
"""

from __future__ import annotations

import sys
from typing import Final

from benchmarks import peers
from benchmarks.processes import Measured, measure
from benchmarks.results import machine, table, versions
from benchmarks.synthesis import stages

DEFAULT_ROWS: Final = "1000000,2000000,4000000,8000000"
NCP: Final = 5
WHOLE_AT_MOST: Final = 4_000_000  # rows that are also run whole, where that is possible at all


def section() -> str:
    """Measure the sizes, in batches and whole."""
    rows = peers.numbers("MEMORY_ROWS", DEFAULT_ROWS)
    budget = peers.numbers("MEMORY_MIB", "512")[0]
    found = {n: large(n, budget) for n in rows}
    whole = {n: peers.ours(n, NCP, 1) for n in rows if n <= WHOLE_AT_MOST}
    first = rows[0]
    lines = [
        [
            f"{n:,}",
            str(one.said["batches"]),
            f"{one.peak:,.0f}",
            f"{whole[n].peak:,.0f}" if n in whole else "not run",
            f"{one.wall:.1f}",
            f"{one.processor:.1f}",
            f"{n / first:.1f}",
            f"{one.processor / found[first].processor:.1f}",
            f"{one.foreign:.2f}",
        ]
        for n, one in found.items()
    ]
    head = ["rows", "batches", "peak MiB", "peak MiB whole", "wall s", "processor s", "rows ×", "processor ×"]
    return "\n\n".join(
        [
            f"""## Memory: tables above the budget of a run

Command: `python -m benchmarks memory`. {versions("numpy", "pyarrow", "pykdtree")}.
{machine()}

`engine.large.run.avatarize_file` from a CSV to all four result files (row-aligned and shuffled avatars, both
projections) with a budget of {budget} MiB, k = {peers.K}, ncp = {NCP}, 14 columns, one run each; the table is that of
the section on synthesis. *Peak whole* is the process that reads, anonymizes and writes the shuffled avatars of the same
table in memory. The budget is for the rows: the program with its libraries, and the pieces that are read and written,
come on top, 256 MiB at most. Growth is that of processor time.""",
            table([*head, "foreign cores"], lines),
            table(["rows", "stages in seconds"], [[f"{n:,}", stages(one)] for n, one in found.items()]),
        ]
    )


def large(rows: int, budget: int) -> Measured:
    """One run of that many rows within a budget of MiB."""
    arguments = [str(peers.table_of(rows)), str(peers.FOLDER), str(peers.K), str(NCP), str(budget)]
    return measure([sys.executable, "-m", "benchmarks.drivers.large", *arguments], 1)
