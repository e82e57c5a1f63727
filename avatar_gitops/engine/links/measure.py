"""Privacy and utility of linked tables, block by block."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avatar_gitops.engine.augmented import Means, measure_means
from avatar_gitops.engine.controlled import WORST, control
from avatar_gitops.engine.groups import HIDDEN
from avatar_gitops.engine.intervals import Interval, holding, mean_interval, median_interval, wilson_percent
from avatar_gitops.engine.links.people import rank_people
from avatar_gitops.engine.links.views import Computation, View
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import Metrics, PrivacyParams, SignalParams
from avatar_gitops.engine.privacy import measure_pair, measure_privacy
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.surroundings import Whole
from avatar_gitops.engine.targets import meta_privacy
from avatar_gitops.engine.threads import single_threaded_algebra


def measure_privacy_view(view: View, params: PrivacyParams, seed: int) -> Metrics:
    """Privacy metrics of one view.

    Where several rows belong to one person, singling out asks for the person: a row is hidden when the nearest avatar
    is tied to somebody else, and its cloak are the avatars of others at least as near as the nearest avatar of its
    person. The other metrics are those of the rows. Rows that belong to nobody are not looked for. Groups of people
    are compared where a row is a person.
    """
    if view.origins is not None:
        return _augmented(view, view.origins, params, seed)
    if view.computation is not Computation.STANDALONE:
        # a second run of one table says nothing about several, and groups are those of one table
        params = replace(params, shadow=None, groups=())
    if view.whole is not None:
        return _among_all(view, view.whole, params, seed)
    if view.people is None or not (view.people[0] >= 0).any():
        return measure_privacy(view.original, view.avatars, view.columns, params, seed, view.holdout)
    everybody = replace(params, groups=())
    measured = measure_privacy(view.original, view.avatars, view.columns, everybody, seed, view.holdout)
    found = _by_person(view, view.people, measured, everybody, seed)
    return _ungrouped(found) if params.groups else found


def measure_signal_view(view: View, params: SignalParams, seed: int) -> Metrics:
    """Utility metrics of one view."""
    return measure_signal(view.original, view.avatars, view.columns, params, seed, view.origins)


@single_threaded_algebra
def _augmented(view: View, origins: np.ndarray, params: PrivacyParams, seed: int) -> Metrics:
    pair = pair_up(view.original, view.avatars, view.columns, params.space, seed, origins)
    if view.computation is not Computation.STANDALONE:
        return measure_means(pair, Means(view.computation), params, seed)
    return measure_pair(pair, params, seed, control(view.original, view.columns, pair, view.holdout, params, seed))


@single_threaded_algebra
def _among_all(view: View, whole: Whole, params: PrivacyParams, seed: int) -> Metrics:
    pair = whole.pair(view.original, view.avatars, params.space, seed)
    against = control(view.original, view.columns, pair, view.holdout, params, seed)
    return measure_pair(pair, params, seed, against, whole.around(pair))


@single_threaded_algebra
def _by_person(
    view: View, people: tuple[np.ndarray, np.ndarray], measured: Metrics, params: PrivacyParams, seed: int
) -> Metrics:
    pair = pair_up(view.original, view.avatars, view.columns, params.space, seed)
    somebody = np.flatnonzero(people[0] >= 0)
    closer, tied, found = rank_people(
        pair.original_points[somebody], people[0][somebody], pair.avatar_points, people[1]
    )
    n = len(somebody)
    cloaks = (closer + tied).astype(np.float64)
    random = stream(seed, "", f"bootstrap {view.computation} {view.reference}")
    figures: dict[str, tuple[float, Interval]] = {}
    for name, percent in (
        ("hidden_rate", 100.0 * float((~found).mean())),
        ("hidden_rate_strict", 100.0 * float((closer > 0).mean())),
        ("local_cloaking_zero_share", 100.0 * float((cloaks == 0).mean())),
    ):
        figures[name] = percent, wilson_percent(percent, n)
    for name, counts in (("local_cloaking", cloaks), ("local_cloaking_without_ties", closer.astype(np.float64))):
        figures[name] = float(np.median(counts)), median_interval(counts, random)
    figures["local_cloaking_mean"] = float(cloaks.mean()), mean_interval(cloaks)
    known = {name: figure for name, figure in figures.items() if name in measured.values}
    values = {**measured.values, **{name: value for name, (value, _) in known.items()}}
    return replace(
        measured,
        values=values,
        intervals={**measured.intervals, **{name: holding(value, ends) for name, (value, ends) in known.items()}},
        population={**measured.population, **dict.fromkeys(known, n)},
        notes={name: note for name, note in measured.notes.items() if name not in known},
        meta=meta_privacy(values, measured.targets),
    )


def _ungrouped(measured: Metrics) -> Metrics:
    gone = (HIDDEN, WORST)
    why = "Groups of people are compared where each row is a person."
    return replace(
        measured,
        values={**measured.values, **dict.fromkeys(gone)},
        notes={**measured.notes, **dict.fromkeys(gone, why)},
    )
