"""Metrics with the engine. Usage: python -m benchmarks.drivers.measures ORIGINALS ALIGNED NCP (distances|all).

`distances` are hidden rate, local cloaking, DCR and NNDR of all rows; `all` is everything that the two metrics jobs of
the platform measure, intervals and attacks included; those that need unused people get them by a shadow run.
"""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import sys  # noqa: E402

import numpy as np  # noqa: E402

from avatar_gitops.engine.distances import nearest_two, rank_own, ratio  # noqa: E402
from avatar_gitops.engine.pair import pair_up  # noqa: E402
from avatar_gitops.engine.params import AvatarParams, PrivacyParams, SignalParams, Space  # noqa: E402
from avatar_gitops.engine.privacy import measure_privacy  # noqa: E402
from avatar_gitops.engine.signal import measure_signal  # noqa: E402
from avatar_gitops.engine.tables import read_table  # noqa: E402
from benchmarks.drivers.stages import Stages  # noqa: E402

KNOWN = ("age", "gender", "race", "native-country")


def main() -> None:
    """Read both tables, measure, print the values."""
    space, wanted = Space(ncp=int(sys.argv[3])), sys.argv[4]
    stages = Stages(_STARTED)
    stages.mark("import")
    originals, avatars = read_table(sys.argv[1]), read_table(sys.argv[2])
    stages.mark("read")
    if wanted == "distances":
        pair = pair_up(originals, avatars, (), space, 1)
        stages.mark("fit and project")
        rank = rank_own(pair.original_points, pair.avatar_points)
        stages.mark("hidden rate and local cloaking")
        nearest, second = nearest_two(pair.original_points, pair.avatar_points)
        values = {
            "hidden rate %": 100 * float(((rank.closer > 0) | rank.earlier).mean()),
            "local cloaking": float(np.median(rank.closer + rank.tied)),
            "DCR median": float(np.median(nearest)),
            "NNDR median": float(np.median(ratio(nearest, second))),
        }
        stages.mark("DCR and NNDR")
        stages.print(values=values)
        return
    made = AvatarParams(20, space)
    params = PrivacyParams(space=space, known_variables=KNOWN, target="income", recipient="internal", shadow=made)
    privacy = measure_privacy(originals, avatars, (), params, 1)
    stages.mark("privacy metrics and attacks")
    signal = measure_signal(originals, avatars, (), SignalParams(space), 1)
    stages.mark("signal metrics")
    stages.print(values={**privacy.values, **signal.values})


if __name__ == "__main__":
    main()
