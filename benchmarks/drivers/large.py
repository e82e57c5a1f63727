"""Avatars of a table above a budget of memory. Usage: python -m benchmarks.drivers.large IN FOLDER K NCP MIB."""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402

from avatar_gitops.engine.large import run  # noqa: E402
from avatar_gitops.engine.large.source import open_source  # noqa: E402
from avatar_gitops.engine.params import AvatarParams, Limits, Space  # noqa: E402
from benchmarks.drivers.stages import Stages  # noqa: E402


def main() -> None:
    """From the file to the four result files, which are deleted in the end."""
    source, parent, k, ncp, budget = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
    stages = Stages(_STARTED)
    stages.mark("import")
    for function, stage in (("survey", "survey"), ("_encode", "encode"), ("fit_shelves", "fit"), ("_write", "write")):
        stages.watch(run, function, stage, "search + draw")
    with TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        paths = [folder / f"{part}.csv" for part in ("unshuffled", "shuffled", "originals", "avatars")]
        output = run.Output(paths[0], paths[1], paths[2], paths[3], folder)
        limits = Limits(memory=budget << 20)
        made = run.avatarize_file(open_source(source), (), AvatarParams(k, Space(ncp=ncp)), (1, ""), limits, output)
        stages.mark("search + draw")
    stages.print(batches=made.avatars.facts.batches)


if __name__ == "__main__":
    main()
