"""Privacy metrics of one table of avatars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.attacks import knowledge_protection, linkability_protection
from avatar_gitops.engine.census import take_census
from avatar_gitops.engine.controlled import attack_with_control, control
from avatar_gitops.engine.distances import ratio
from avatar_gitops.engine.donors import audit_donors
from avatar_gitops.engine.groups import Grouping, find_grouping, hidden_worst
from avatar_gitops.engine.holdout import Sides
from avatar_gitops.engine.inference import infer
from avatar_gitops.engine.intervals import mean_interval, wilson
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.engine.pair import Pair, combine, pair_up
from avatar_gitops.engine.params import ColumnSpec, Metrics, PrivacyParams
from avatar_gitops.engine.surroundings import AmongRows, Surroundings
from avatar_gitops.engine.targets import meta_privacy, targets
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError


@single_threaded_algebra
def measure_privacy(
    original: pa.Table,
    avatars: pa.Table,
    columns: Sequence[ColumnSpec],
    params: PrivacyParams,
    seed: int,
    holdout: pa.Table | None = None,
) -> Metrics:
    """Privacy metrics of row-aligned avatars (row i is the avatar of original row i).

    `holdout` are people of the same population from whom no avatar was made; membership inference and the risks over a
    control (`engine.controlled`) need them, or a shadow run (`params.shadow`).

    All distances are exact and taken in a space fitted on the originals, missing indicators included. Higher is safer.
    What unused rows would score (`references`, the thresholds of
    `closest_rate`) is read from the originals themselves: each original against all the others, which is what a new
    person of the same population would see. Keys of older and newer platforms are both given
    (`correlation_protection_rate` is `knowledge_protection_rate`). Raises EngineError when the tables do not fit or a
    named variable is not modelled.
    """
    pair = pair_up(original, avatars, columns, params.space, seed)
    return measure_pair(pair, params, seed, control(original, columns, pair, holdout, params, seed))


def measure_pair(
    pair: Pair,
    params: PrivacyParams,
    seed: int,
    against: tuple[Sides | None, str | None],
    around: Surroundings | None = None,
) -> Metrics:
    """The same for tables that are paired already; `against` is what `engine.controlled.control` gave.

    `around` says who lies around the rows of the pair, when they are some of a larger table.

    Where an original has several avatars, any of them is its own.
    """
    if not 0 < params.quantile_threshold < 100:
        raise EngineError("quantile_threshold must be a percentage between 0 and 100.")
    for name in (*params.known_variables, *([params.target] if params.target else [])):
        if name not in pair.space.layout.names:
            raise EngineError(
                f"The privacy metrics name the variable {name!r}, which is not a modelled column of the table.",
                hint="Name columns that are neither dropped, nor keys, nor empty.",
            )
    grouping = find_grouping(pair.space.layout, params.groups)
    ledger = Ledger(seed)
    surroundings = around or AmongRows(pair, seed)
    _singling_out(pair, surroundings, grouping, ledger)
    _direct_matches(pair, ledger)
    _closeness(pair, surroundings, params.quantile_threshold, ledger)
    _linkability(pair, params.known_variables, ledger)
    _inference(pair, params, ledger)
    audit_donors(pair, ledger)
    take_census(pair, params.known_variables, ledger)
    attack_with_control(*against, params, ledger)
    wanted = targets(params.recipient, ledger.references)
    judged = {name: wanted[name] for name in ledger.values if name in wanted}
    return Metrics(
        ledger.values,
        ledger.intervals,
        ledger.population,
        ledger.notes,
        judged,
        meta_privacy(ledger.values, judged),
        ledger.references,
    )


def _singling_out(pair: Pair, around: Surroundings, grouping: Grouping, ledger: Ledger) -> None:
    """Hidden rate and local cloaking; the published ones count an equally near avatar as a hiding place.

    `hidden_rate` lets the first of equally near avatars win, `hidden_rate_strict` says hidden only if another avatar is
    strictly nearer. `local_cloaking` counts other avatars at most as far as the own one; without ties, those just as
    far are left out (in large tables: copies of the own avatar).
    """
    n = pair.rows
    rank, own_ties = around.rank_own()
    hidden = (rank.closer > 0) | rank.earlier
    ledger.rate("hidden_rate", 100.0 * float(hidden.mean()), n)
    hidden_worst(pair.original, grouping, hidden, ledger)
    ledger.rate("hidden_rate_strict", 100.0 * float((rank.closer > 0).mean()), n)
    cloaks = (rank.closer + rank.tied - own_ties).astype(np.float64)
    ledger.median("local_cloaking", cloaks)
    ledger.median("local_cloaking_without_ties", rank.closer.astype(np.float64))
    ledger.add("local_cloaking_mean", float(cloaks.mean()), n, mean_interval(cloaks))
    ledger.rate("local_cloaking_zero_share", 100.0 * float((cloaks == 0).mean()), n)
    _categorical_hidden_rate(pair, ledger)


def _categorical_hidden_rate(pair: Pair, ledger: Ledger) -> None:
    """Of the originals that are alone with their categories, how many are not given away by their own avatar."""
    name = "categorical_hidden_rate"
    if not pair.space.layout.categories:
        ledger.absent(name, "The table has no categorical column.")
        return
    both = np.vstack([pair.original.codes, pair.avatar.codes])
    ids = combine(list(both.T))
    original, avatar = ids[: pair.rows], ids[pair.rows :]
    wide = int(ids.max()) + 1
    alone = np.bincount(original, minlength=wide)[original] == 1
    own = np.bincount(pair.origins[avatar == original[pair.origins]], minlength=pair.rows)
    found = alone & (own > 0) & (np.bincount(avatar, minlength=wide)[original] == own)
    uniques = int(alone.sum())
    if uniques == 0:
        ledger.add(name, 100.0, 0)
        ledger.notes[name] = "No original is alone with its combination of categories."
        return
    ledger.rate(name, 100.0 * (1.0 - float(found.sum()) / uniques), uniques)
    if uniques < 30:
        ledger.notes[name] = "Insufficient: fewer than 30 originals are alone with their combination of categories."


def _direct_matches(pair: Pair, ledger: Ledger) -> None:
    """Values and whole rows of the originals that reappear.

    Column: the least, over columns, of 100 (1 - m u / n), where m is the share of rows whose avatar has the same value
    and u the number of different values; a missing value never matches. Row: 100 minus the percentage of originals
    that appear among the avatars.
    """
    n = pair.rows
    originals, avatars = pair.values()
    protection, intervals = [], []
    for original, avatar in zip(originals, avatars, strict=True):
        kinds = len(np.unique(original[original >= 0]))
        own = original[pair.origins]
        same = int(((own == avatar) & (own >= 0)).sum())
        low, high = wilson(same, len(avatar))
        protection.append(100.0 * max(0.0, 1.0 - same / len(avatar) * kinds / n))
        intervals.append((100.0 * max(0.0, 1.0 - high * kinds / n), 100.0 * max(0.0, 1.0 - low * kinds / n)))
    worst = int(np.argmin(protection))
    name = "column_direct_match_protection"
    ledger.add(name, protection[worst], n, intervals[worst])
    ledger.notes[name] = f"Worst column: {pair.space.layout.names[worst]}."
    ids = combine([np.concatenate(sides) for sides in zip(originals, avatars, strict=True)])
    copied = np.isin(ids[:n], ids[n:])
    ledger.rate("row_direct_match_protection", 100.0 * (1.0 - float(copied.mean())), n)


def _closeness(pair: Pair, around: Surroundings, quantile: float, ledger: Ledger) -> None:
    """How near avatars come to originals, against how near originals come to each other."""
    n = pair.rows
    nearest, second = around.around_avatars()
    ratios = ratio(nearest, second)
    ledger.median("distance_to_closest", nearest)
    ledger.median("closest_distances_ratio", ratios)
    for name, values in (("distance_to_closest_p5", nearest), ("closest_distances_ratio_p5", ratios)):
        ledger.add(name, float(np.percentile(values, 5)), n)
    if n < 3:
        ledger.absent("closest_rate", "Fewer than three rows.")
        return
    fresh, fresh_second = around.around_originals()
    fresh_ratios = ratio(fresh, fresh_second)
    close = nearest < np.percentile(fresh, quantile)
    isolated = ratios < np.percentile(fresh_ratios, quantile)
    ledger.rate("closest_rate", 100.0 * (1.0 - float((close & isolated).mean())), n)
    ledger.notes["closest_rate"] = "Thresholds: each original against all the others stands for a row never used."
    for name, values in (("distance_to_closest_p5", fresh), ("closest_distances_ratio_p5", fresh_ratios)):
        ledger.references[name] = float(np.percentile(values, 5))
    ledger.references["distance_to_closest"] = float(np.percentile(fresh, 5))
    ledger.references["closest_distances_ratio"] = 0.8 * float(np.median(fresh_ratios))


def _linkability(pair: Pair, known: tuple[str, ...], ledger: Ledger) -> None:
    if known:
        for name in ("correlation_protection_rate", "knowledge_protection_rate"):
            ledger.rate(name, knowledge_protection(pair, known), pair.rows)
    else:
        for name in ("correlation_protection_rate", "knowledge_protection_rate"):
            ledger.absent(name, "No known variables are given.")
    if len(pair.space.layout.names) < 2:
        ledger.absent("linkability_protection_rate", "The table has fewer than two modelled columns.")
    else:
        ledger.rate("linkability_protection_rate", linkability_protection(pair, known), pair.rows)


def _inference(pair: Pair, params: PrivacyParams, ledger: Ledger) -> None:
    names = ("inference_continuous", "inference_categorical", "inference_accuracy_ratio")
    known = tuple(name for name in params.known_variables if name != params.target)
    if params.target is None or len(pair.space.layout.names) < 2:
        for name in names:
            ledger.absent(name, "No target is given." if params.target is None else "There is nothing to infer from.")
        return
    found = infer(pair, known, params.target, ledger.seed)
    if found is None:
        for name in names:
            ledger.absent(name, "Too few rows have the target.")
        return
    mine, other = names[:2] if found.continuous else names[1::-1]
    ledger.absent(other, f"The target is {'a number' if found.continuous else 'a category'}.")
    if found.continuous:
        ledger.add(mine, found.error, found.judged)
    else:
        ledger.rate(mine, found.error, found.judged)
    ledger.add(names[2], found.ratio, found.judged, found.interval)
