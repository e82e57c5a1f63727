"""Census of what is rare: modalities, extremes and combinations with few holders, and which of them come back.

A modality with one holder can never be on that person's own avatar but can be on others'; its mere presence shows that
the holder was used. Combinations of quasi-identifiers are counted before (uniques: Sweeney's k-anonymity, 2002) and
after: uniques that are unique again (RepU of Raab, Nowok and Dibben, arXiv 2406.16826), and the k-map, the smallest
number of originals behind a combination that the avatars show (El Emam and Dankar, JAMIA 15(5), 2008). An avatar with a
rare value need not describe its holder: these are shares to look at, without targets.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from avatar_gitops.engine.columns import Codes
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.engine.pair import Pair, combine

Ids = npt.NDArray[np.int64]

RARE: Final = 5
_NO_QUASI_IDENTIFIERS: Final = "No known variables are given."


def take_census(pair: Pair, known: tuple[str, ...], ledger: Ledger) -> None:
    """Shares in percent of what is rare among originals and of what of it avatars show; `known` quasi-identify."""
    originals, avatars = pair.values()
    m = len(pair.space.layout.numbers)
    _modalities(originals[m:], avatars[m:], pair, ledger)
    _extremes(originals[:m], avatars[:m], ledger)
    chosen = [at for at, name in enumerate(pair.space.layout.names) if name in known]
    if not chosen:
        for name in ("unique_combinations_rate", "replicated_uniques_rate", "k_map"):
            ledger.absent(name, _NO_QUASI_IDENTIFIERS)
        return
    both = combine([np.concatenate([originals[at], avatars[at]]) for at in chosen])
    _combinations(both[: pair.rows], both[pair.rows :], ledger)


def _modalities(originals: list[Codes], avatars: list[Codes], pair: Pair, ledger: Ledger) -> None:
    """Modalities with 1 to RARE - 1 holders: how many of all, and how many of them an avatar has."""
    rare = released = everything = 0
    for original, avatar, size in zip(originals, avatars, pair.space.layout.sizes, strict=True):
        held, shown = (np.bincount(side[side >= 0], minlength=size)[:size] for side in (original, avatar))
        few = (held > 0) & (held < RARE)
        everything += int((held > 0).sum())
        rare += int(few.sum())
        released += int((few & (shown > 0)).sum())
    _share(ledger, "rare_modalities_rate", rare, everything, "The table has no categorical column.")
    _share(ledger, "rare_modalities_released_rate", released, rare, f"No modality has fewer than {RARE} holders.")


def _extremes(originals: list[Codes], avatars: list[Codes], ledger: Ledger) -> None:
    """Smallest and largest numbers that one original alone has, and how many of them an avatar has."""
    alone = released = 0
    for original, avatar in zip(originals, avatars, strict=True):
        known = original[original >= 0]
        # codes are ranks of the printed numbers; a column may have no known value at all
        for end in {int(known[at]) for at in (known.argmin(), known.argmax())} if known.size else ():
            if int((known == end).sum()) == 1:
                alone += 1
                released += int((avatar == end).any())
    _share(ledger, "extremes_released_rate", released, alone, "No smallest or largest number is held by one row alone.")


def _combinations(originals: Ids, avatars: Ids, ledger: Ledger) -> None:
    wide = int(max(originals.max(), avatars.max())) + 1
    held, shown = (np.bincount(side, minlength=wide) for side in (originals, avatars))
    n = len(originals)
    ledger.rate("unique_combinations_rate", 100.0 * float((held == 1).sum()) / n, n)
    ledger.rate("replicated_uniques_rate", 100.0 * float(((held == 1) & (shown == 1)).sum()) / n, n)
    back = (held > 0) & (shown > 0)
    if back.any():
        ledger.add("k_map", float(held[back].min()), n)
    else:
        ledger.absent("k_map", "No combination of the originals comes back.")


def _share(ledger: Ledger, name: str, part: int, whole: int, otherwise: str) -> None:
    if whole:
        ledger.add(name, 100.0 * part / whole, whole)
    else:
        ledger.absent(name, otherwise)
