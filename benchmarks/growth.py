"""How avatars and their metrics grow with the rows: up to two million, whole, beside the law of n log n.

`GROWTH_ROWS` chooses the sizes; the first is the one that the others are compared with.
"""

from __future__ import annotations

import math
from typing import Final

from benchmarks import peers
from benchmarks.results import machine, table, versions
from benchmarks.synthesis import stages

DEFAULT_ROWS: Final = "100000,200000,500000,1000000,2000000"
NCP: Final = 5
FEW: Final = 1_000


def section() -> str:
    """Measure the sizes."""
    rows = peers.numbers("GROWTH_ROWS", DEFAULT_ROWS)
    for n in (FEW, *rows):
        peers.table_of(n)
    found = {n: peers.ours(n, NCP, 3) for n in rows}
    first, fixed = rows[0], peers.ours(FEW, NCP, 5)
    lines = []
    for n, one in found.items():
        law = n * math.log(n) / (first * math.log(first))
        wall = (one.wall - fixed.wall) / (found[first].wall - fixed.wall)
        processor = (one.processor - fixed.processor) / (found[first].processor - fixed.processor)
        lines.append(
            [
                f"{n:,}",
                f"{one.wall:.2f}",
                f"{one.processor:.2f}",
                f"{one.peak:,.0f}",
                f"{one.peak * 2**20 / n:,.0f}",
                f"{wall:.1f}",
                f"{processor:.1f}",
                f"{law:.1f}",
                f"{one.foreign:.2f}",
            ]
        )
    largest = max(rows)
    head = ["rows", "wall s", "processor s", "peak MiB", "peak bytes a row", "wall ×", "processor ×", "n log n ×"]
    return "\n\n".join(
        [
            f"""## Growth: from {first:,} to {largest:,} rows, whole

Command: `python -m benchmarks growth`. {versions("numpy", "pyarrow", "pykdtree")}.
{machine()}

The engine from a CSV to a CSV as in the section on synthesis, k = {peers.K}, ncp = {NCP}, all rows in one piece,
medians of up to 3 runs. × is the cost beside that of {first:,} rows, both without what {FEW:,} rows cost, which is
the start of the program; `n log n ×` is what that law would give.""",
            table([*head, "foreign cores"], lines),
            table(["rows", "stages in seconds"], [[f"{n:,}", stages(one)] for n, one in found.items()]),
        ]
    )
