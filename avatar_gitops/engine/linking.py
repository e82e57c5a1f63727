"""Linkability and inference as risks over a control, after Giomi et al., PoPETs 2023(2), sections 5.2 and 5.3.

Linkability: an attacker holds two sets of columns of the same people and looks for the nearest avatars on each; a link
succeeds when the two searches have an avatar in common. Inference: the nearest avatar on the known columns tells the
target; a category must be equal, a number within 5 % of the true one. Distances are Gower's, as there.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from avatar_gitops.engine.attacks import halves
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.gower import Rows, known_columns, nearest_rows
from avatar_gitops.engine.holdout import Placed, Sides, sample
from avatar_gitops.engine.risk import Risk, rate, risk
from avatar_gitops.engine.streams import stream

ATTACKS: Final = 2_000
NEIGHBOURS: Final = (1, 5)
TOLERANCE: Final = 0.05
_FEWEST: Final = 250
_COMPARISONS: Final = 2e8


def linkability_risks(sides: Sides, known: tuple[str, ...], seed: int) -> tuple[Risk, ...]:
    """The risk for each of `NEIGHBOURS`; the two sets are the known variables and the rest, else two halves."""
    random = stream(seed, "", "linkability")
    avatars = sides.avatars.take(random.permutation(sides.avatars.rows))  # so that ties are broken by chance
    size = _attacks(sides)
    people = [side.take(sample(side.rows, size, random)) for side in (sides.members, sides.others)]
    parts = halves(sides.space, known)
    found = []
    for side in people:
        pairs = [
            nearest_rows(
                known_columns(sides.space, avatars, names), known_columns(sides.space, side, names), NEIGHBOURS[-1]
            )
            for names in parts
        ]
        found.append(pairs)
    guesses = [random.integers(0, avatars.rows, found[0][0].shape) for _ in parts]
    risks = []
    for k in NEIGHBOURS:
        main, control, baseline = (rate(_common(pairs, k), size) for pairs in (*found, guesses))
        risks.append(risk(main, control, size, baseline))
    return tuple(risks)


def inference_risk(sides: Sides, known: tuple[str, ...], target: str, seed: int) -> Risk | None:
    """The risk that avatars tell the target; None when too few people of either side have one."""
    random = stream(seed, "", "inference risk")
    names = known or tuple(name for name in sides.space.layout.names if name != target)
    secrets = [_secret(sides, rows, target) for rows in (sides.members, sides.others, sides.avatars)]
    usable = [np.flatnonzero(~np.isnan(secret)) for secret in secrets]
    size = min(_attacks(sides), len(usable[0]), len(usable[1]))
    if size < 20 or len(usable[2]) == 0:
        return None
    shown = random.permutation(usable[2])
    avatars = known_columns(sides.space, sides.avatars.take(shown), names)
    continuous = target in {column.name for column in sides.space.layout.numbers}
    origin = next((float(c.origin) for c in sides.space.layout.numbers if c.name == target), 0.0)
    successes = []
    for side, secret, rows in zip((sides.members, sides.others), secrets[:2], usable[:2], strict=True):
        asked = rows[sample(len(rows), size, random)]
        nearest = nearest_rows(avatars, known_columns(sides.space, side.take(asked), names), 1)[:, 0]
        successes.append(_right(secret[asked] + origin, secrets[2][shown[nearest]] + origin, continuous))
        if side is sides.members:
            guessed = secrets[2][random.choice(usable[2], size)] + origin
            baseline = rate(_right(secret[asked] + origin, guessed, continuous), size)
    main, control = (rate(won, size) for won in successes)
    return risk(main, control, size, baseline)


def _attacks(sides: Sides) -> int:
    """Attacks on each side: at most `ATTACKS`, fewer where each one compares very many cells."""
    cells = sides.avatars.rows * len(sides.space.layout.names)
    most = int(np.clip(_COMPARISONS / cells, _FEWEST, ATTACKS))
    return min(most, sides.members.rows, sides.others.rows)


def _common(pairs: list[Rows], k: int) -> int:
    one, two = (found[:, :k] for found in pairs)
    return int((one[:, :, None] == two[:, None, :]).any(axis=(1, 2)).sum())


def _secret(sides: Sides, rows: Placed, target: str) -> Floats:
    layout = sides.space.layout
    at = layout.names.index(target)
    if at < len(layout.numbers):
        return np.round(rows.frame.numbers[:, at], layout.numbers[at].decimals)
    codes = rows.frame.codes[:, at - len(layout.numbers)]
    return np.where(codes < 0, np.nan, codes.astype(np.float64))


def _right(truth: Floats, guess: Floats, continuous: bool) -> int:
    if not continuous:
        return int((truth == guess).sum())
    return int((np.abs(guess - truth) <= TOLERANCE * np.abs(truth)).sum())
