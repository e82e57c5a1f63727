"""Donor audit from the output alone: does an avatar lean on a single person other than its own?

The weights of a draw are known only while it happens. What anybody can compute afterwards is the distance of an avatar
to the nearest two originals that are not its own. Weights of the method fall with the inverse of the distance
(Guillaudeux et al., npj Digital Medicine 6, 37, 2023, Methods), so the nearer one of the two has the share
d2 / (d1 + d2): 0.5 when both are as near, 1 when the avatar is a copy of somebody. Own-record metrics cannot see this.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.search import build_index, without_surplus
from avatar_gitops.engine.search import nearest as nearest_points

DOMINANT: Final = 0.9


def audit_donors(pair: Pair, ledger: Ledger) -> None:
    """Share of avatars with a dominant donor, in percent, and the median distance to the nearest donor."""
    if pair.rows < 3:
        for name in ("dominated_avatars_rate", "donor_distance"):
            ledger.absent(name, "Fewer than three rows.")
        return
    nearest, second = nearest_donors(pair.original_points, pair.avatar_points, pair.origins)
    dominated = dominance(nearest, second) > DOMINANT
    ledger.rate("dominated_avatars_rate", 100.0 * float(dominated.mean()), len(dominated))
    ledger.median("donor_distance", nearest)


def nearest_donors(originals: Floats, avatars: Floats, origins: Rows) -> tuple[Floats, Floats]:
    """Distances of avatar i to the nearest two originals other than original `origins[i]`."""
    kept = without_surplus(originals, 3)
    squared, found = nearest_points(build_index(originals[kept]), avatars, min(3, len(kept)))
    distances, own = np.sqrt(squared), kept[found] == origins[:, None]
    # the own original goes last; where it is not among the three, the third is not needed
    first = np.argsort(own, axis=1, kind="stable")[:, :2]
    chosen = np.take_along_axis(distances, first, axis=1)
    return chosen[:, 0], chosen[:, 1]


def dominance(nearest: Floats, second: Floats) -> Floats:
    """Share of the nearer of two donors, 0.5 to 1; two at distance 0 are equal."""
    total = nearest + second
    return np.divide(second, total, out=np.full_like(total, 0.5), where=total > 0)
