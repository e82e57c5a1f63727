"""Avatars with the engine, from a CSV to a CSV. Usage: python -m benchmarks.drivers.avatars IN OUT K NCP [ALIGNED]."""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import sys  # noqa: E402

from avatar_gitops.engine import batches, run  # noqa: E402
from avatar_gitops.engine.params import AvatarParams, Space  # noqa: E402
from avatar_gitops.engine.tables import read_table, write_table  # noqa: E402
from benchmarks.drivers.stages import Stages  # noqa: E402


def main() -> None:
    """Read, anonymize, write; the stages inside `avatarize` are told by watching the functions that it calls."""
    source, target, k, ncp = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    stages = Stages(_STARTED)
    stages.mark("import")
    for function in ("fit_layout", "encode", "fit_space"):
        stages.watch(run, function, "fit", "restore")
    stages.watch(batches, "draw_keeping_shares", "search + draw", "restore")
    table = read_table(source)
    stages.mark("read")
    avatars = run.avatarize(table, (), AvatarParams(k, Space(ncp=ncp)), seed=1)
    stages.mark("restore")
    write_table(avatars.shuffled, target)
    stages.mark("write")
    if len(sys.argv) > 5:
        write_table(avatars.unshuffled, sys.argv[5])
    stages.print(rows=avatars.shuffled.num_rows)


if __name__ == "__main__":
    main()
