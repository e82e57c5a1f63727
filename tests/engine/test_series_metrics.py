"""Metrics and figures of series: distances of curves by hand, attacks on projected rows, no curve of a person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.links.measure import measure_privacy_view
from avatar_gitops.engine.links.model import Link, LinkedTable, LinkMethod
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, PrivacyParams, SignalParams
from avatar_gitops.engine.series.figures import series_plots
from avatar_gitops.engine.series.measure import SeriesPair, joint_view, measure_series_signal, pair_series, series_view
from avatar_gitops.engine.series.model import SeriesTable
from avatar_gitops.engine.series.run import avatarize_series

LINK = Link("people", "id", "pulse", "person", LinkMethod.TIME_SERIES)
PEOPLE = 60
POINTS = 8


def people() -> LinkedTable:
    ages = np.random.default_rng(3).integers(20, 80, PEOPLE)
    rows = pa.table({"id": np.arange(PEOPLE), "age": ages})
    return LinkedTable("people", rows, (ColumnSpec("id", primary_key=True),), AvatarParams(k=5))


def pulse(values: np.ndarray) -> pa.Table:
    count = len(values)
    times = np.tile(np.arange(POINTS), count)
    return pa.table({"person": np.repeat(np.arange(count), POINTS), "t": times, "beat": values.ravel()})


def waves() -> np.ndarray:
    random = np.random.default_rng(8)
    return random.normal(size=(PEOPLE, 1)) + random.normal(size=(PEOPLE, 1)) * np.sin(np.arange(POINTS))


def pair(original: np.ndarray, avatar: np.ndarray) -> SeriesPair:
    table = SeriesTable("pulse", pulse(original), "person", "t")
    avatars = {"people": people().rows, "pulse": pulse(avatar)}
    [made] = pair_series({"people": people()}, [LINK], [table], avatars)
    return made


def test_equal_series_are_at_no_distance() -> None:
    values = measure_series_signal(pair(waves(), waves()), SignalParams(), 1).values
    assert [values[f"{what}_hellinger_{how}"] for what in ("pointwise", "density") for how in ("mean", "std")] == [
        0
    ] * 4


def test_distances_of_curves_are_those_computed_by_hand() -> None:
    low, high = np.zeros((PEOPLE, POINTS)), np.zeros((PEOPLE, POINTS))
    low[: PEOPLE // 2, 0] = 1.0  # at the first point half the originals are at 1; all avatars are at 0
    measured = measure_series_signal(pair(low, high), SignalParams(), 1)
    at_first = np.sqrt(1 - np.sqrt(0.5))
    assert measured.values["pointwise_hellinger_mean"] == pytest.approx(at_first / POINTS)
    assert measured.values["pointwise_hellinger_std"] == pytest.approx(np.std([at_first] + [0.0] * (POINTS - 1)))
    share = 1 / (2 * POINTS)
    assert measured.values["density_hellinger_mean"] == pytest.approx(np.sqrt(1 - np.sqrt(1 - share)))
    assert measured.values["density_hellinger_std"] == 0
    assert measured.targets["pointwise_hellinger_mean"] == "< 0.1"
    assert measured.notes["density_hellinger_mean"].startswith("By variable: beat 0.")


def test_a_person_is_found_by_a_series_that_was_kept() -> None:
    kept = measure_privacy_view(series_view(pair(waves(), waves())), PrivacyParams(), 1)
    assert kept.values["hidden_rate"] == 0
    turned = measure_privacy_view(series_view(pair(waves(), np.roll(waves(), 1, axis=0))), PrivacyParams(), 1)
    assert turned.values["hidden_rate"] == 100


def test_people_and_series_are_measured_together() -> None:
    view = joint_view(pair(waves(), waves()), people(), people().rows)
    assert (view.table, view.reference) == ("people", "pulse")
    assert set(view.original.column_names) > {"age", "pulse beat 1"}
    assert measure_privacy_view(view, PrivacyParams(), 1).values["hidden_rate"] == 0


def test_avatars_of_series_stay_near_as_a_whole_and_hide_people() -> None:
    table = SeriesTable("pulse", pulse(waves()), "person", "t")
    made = avatarize_series([people()], [LINK], [table], 1)
    avatars = {name: result.unshuffled for name, result in made.items()}
    [measured] = pair_series({"people": people()}, [LINK], [table], avatars)
    signal = measure_series_signal(measured, SignalParams(), 1)
    assert 0 < (signal.values["pointwise_hellinger_mean"] or 0) < 0.45
    assert 50 < (measure_privacy_view(series_view(measured), PrivacyParams(), 1).values["hidden_rate"] or 0) <= 100


@pytest.mark.parametrize("normalized", [False, True])
def test_figures_show_bands_of_people_and_curves_of_avatars(normalized: bool) -> None:
    original, avatar = waves(), waves() + 100
    made = pair(original, avatar)
    [plot] = series_plots(
        made.projected.fitted, made.projected.curves, made.avatar_curves, normalized=normalized, seed=1
    )
    assert plot.variable == "beat"
    assert plot.time[-1] == (1 if normalized else POINTS - 1)
    scale = (original.mean(), original.std()) if normalized else (0.0, 1.0)
    assert plot.mean == pytest.approx((original.mean(axis=0) - scale[0]) / scale[1])
    shown = np.vstack([plot.mean, plot.bands, plot.avatar_curves])
    curves_of_people = (original - scale[0]) / scale[1]
    assert np.abs(shown[:, None] - curves_of_people[None]).max(axis=2).min() > 1e-6
    assert plot.avatar_curves.size <= 10_000
    assert (np.diff(plot.bands, axis=0) >= 0).all()


def test_too_few_people_have_no_bands() -> None:
    made = pair(waves(), waves())
    few = pair_series(
        {"people": people()},
        [LINK],
        [SeriesTable("pulse", pulse(waves()[:5]), "person", "t")],
        {"people": people().rows, "pulse": pulse(waves())},
    )[0]
    [plot] = series_plots(few.projected.fitted, few.projected.curves, made.avatar_curves, normalized=False, seed=1)
    assert np.isnan(plot.mean).all()
    assert np.isnan(plot.bands).all()
    assert len(plot.avatar_curves) == 50
