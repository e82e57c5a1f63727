"""As many missing values among avatars as among originals.

Whether a value of an avatar is missing is drawn from its neighbours like any category. Rows that miss a value lie apart
from the others, so that they are neighbours of few, and the drawn share comes out too small: on the guide's adult table
8.5 % instead of 10 %, and less in more dimensions. Where the share is off by more than chance explains, the flags are
drawn again, and as many of those that differ are taken as are lacking. Every flag is still one that a neighbour has;
none is taken from the avatar's own original.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.frame import Frame
from avatar_gitops.engine.generation import Donors, draw_avatars
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.params import AvatarParams
from avatar_gitops.engine.streams import stream

ROUNDS: Final = 8
_CHANCE: Final = 2.0  # standard errors of a share


def draw_keeping_shares(
    donors: Donors, points: Floats, params: AvatarParams, names: tuple[int, str], origins: Rows
) -> tuple[Floats, Codes]:
    """Like `draw_avatars`, with missing values as frequent as those of the originals around which avatars are drawn."""
    seed, label = names
    numbers, codes = draw_avatars(donors, points, params, seed, label, origins)
    flags = donors.indicators
    if not flags.shape[1]:
        return numbers, codes
    alone = Donors(Frame(np.empty((len(flags), 0)), np.empty((len(flags), 0), dtype=np.int32)), flags)

    def again(number: int) -> Codes:
        return draw_avatars(alone, points, params, seed, f"{label}\x1fmissing again {number}", origins)[1]

    own = codes.shape[1] - flags.shape[1]
    random = stream(seed, label, "missing values")
    codes[:, own:] = keep_shares(codes[:, own:], flags[origins].mean(axis=0), again, random)
    return numbers, codes


def keep_shares(drawn: Codes, wanted: Floats, again: Callable[[int], Codes], random: np.random.Generator) -> Codes:
    """Flags (rows x columns, 1 is missing) with the wanted shares, as far as neighbours have such flags.

    `again` draws flags anew for a round. Columns whose share is within chance are left as they were drawn.
    """
    rows = len(drawn)
    if drawn.size == 0:
        return drawn
    slack = _CHANCE * np.sqrt(wanted * (1 - wanted) * rows)
    target = np.rint(wanted * rows).astype(np.int64)
    wrong = np.flatnonzero(np.abs(drawn.sum(axis=0) - target) > slack)
    kept = drawn.copy(order="F")
    for number in range(ROUNDS):
        if len(wrong) == 0:
            break
        other = again(number)
        for column in wrong:
            lacking = int(target[column] - kept[:, column].sum())
            flag = 1 if lacking > 0 else 0
            pool = np.flatnonzero((kept[:, column] != flag) & (other[:, column] == flag))
            kept[random.permutation(pool)[: abs(lacking)], column] = flag
        wrong = wrong[kept[:, wrong].sum(axis=0) != target[wrong]]
    return kept
