"""Metrics across links: what each view holds, people found through several rows, hand-computed aggregates."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.engine.distances import rank_own
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.links import people
from avatar_gitops.engine.links.aggregates import aggregate
from avatar_gitops.engine.links.measure import measure_privacy_view, measure_signal_view
from avatar_gitops.engine.links.people import rank_people
from avatar_gitops.engine.links.run import avatarize_linked
from avatar_gitops.engine.links.views import Computation, Pairs, View, pair_tables, privacy_views, signal_views
from avatar_gitops.engine.params import ColumnSpec, ColumnType, PrivacyParams, SignalParams
from avatar_gitops.errors import EngineError
from tests.engine.hospital import LINKS, hospital

Named = dict[tuple[str, str, str | None], View]


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    avatars = avatarize_linked(hospital(), LINKS, 5)
    return pair_tables(hospital(), {name: made.unshuffled for name, made in avatars.items()}, LINKS)


@pytest.fixture(scope="module")
def views(pairs: Pairs) -> Named:
    return {(view.table, view.computation.value, view.reference): view for view in privacy_views(pairs)}


def test_privacy_asks_for_every_person_above_a_table(views: Named) -> None:
    bottom, top, full = (kind.value for kind in (
        Computation.TO_BOTTOM_ID_PROPAGATED, Computation.TO_TOP_ENRICHED, Computation.FULL_ENRICHED
    ))  # fmt: skip
    pairs = [("patient", "ward"), ("visit", "patient"), ("visit", "doctor"), ("visit", "ward")]
    expected = {(child, kind, parent) for child, parent in pairs for kind in (bottom, full)}
    assert set(views) == expected | {(parent, top, child) for child, parent in pairs}


def test_utility_looks_at_each_pair_in_both_directions(pairs: Pairs) -> None:
    found = {(view.table, view.computation.value, view.reference) for view in signal_views(pairs)}
    assert len(found) == 8
    assert ("visit", "to_bottom_information_propagated", "ward") in found
    assert ("ward", "to_top_enriched", "visit") in found


def test_full_rows_carry_the_attributes_of_all_ancestors(views: Named) -> None:
    view = views["visit", "full_enriched", "patient"]
    names = ["visit", "patient_id", "doctor", "cost", "patient_id.age", "patient_id.sex", "patient_id.ward.beds"]
    assert view.original.column_names == [*names, "doctor.years"]
    by_key = {row["id"]: row for row in hospital()[1].rows.to_pylist()}
    for row in view.original.slice(0, 20).to_pylist():
        assert row["patient_id.age"] == by_key[row["patient_id"]]["age"]


def test_people_are_followed_over_two_links(pairs: Pairs, views: Named) -> None:
    view = views["visit", "to_bottom_id_propagated", "ward"]
    assert view.people is not None
    patients = {row["id"]: row["ward"] for row in pairs.originals["patient"].to_pylist()}
    wards = pairs.originals["ward"]["ward"].to_pylist()
    expected = [wards.index(patients[key]) for key in pairs.originals["visit"]["patient_id"].to_pylist()]
    assert view.people[0].tolist() == expected


def test_every_view_is_measured(views: Named, pairs: Pairs) -> None:
    for view in views.values():
        measured = measure_privacy_view(view, PrivacyParams(), 1)
        assert measured.values["hidden_rate"] is not None
        low, high = measured.intervals["hidden_rate"]
        assert low <= measured.values["hidden_rate"] <= high
        assert measured.meta is not None
    for view in signal_views(pairs):
        assert measure_signal_view(view, SignalParams(), 1).values["hellinger_mean"] is not None


def test_rows_of_nobody_are_not_looked_for(views: Named, pairs: Pairs) -> None:
    view = views["visit", "full_enriched", "doctor"]
    measured = measure_privacy_view(view, PrivacyParams(), 1)
    visits = pairs.originals["visit"]
    assert measured.population["hidden_rate"] == visits.num_rows - visits["doctor"].null_count
    assert measured.population["closest_rate"] == visits.num_rows


def test_originals_as_their_own_avatars_hide_nobody() -> None:
    tables = hospital()
    same = pair_tables(tables, {table.name: table.rows for table in tables}, LINKS)
    for view in privacy_views(same):
        if view.computation is Computation.FULL_ENRICHED and view.reference == "patient":
            measured = measure_privacy_view(view, PrivacyParams(), 1)
            assert measured.values["hidden_rate_strict"] == 0
            assert measured.values["distance_to_closest"] == 0


def test_avatars_whose_keys_do_not_hold_together_are_told(pairs: Pairs) -> None:
    broken = dict(pairs.avatars)
    rows = broken["visit"]
    at = rows.column_names.index("patient_id")
    broken["visit"] = rows.set_column(at, "patient_id", pa.array([-5] * rows.num_rows))
    with pytest.raises(EngineError, match="'patient_id' are no key of table 'patient'"):
        pair_tables(hospital(), broken, LINKS)


def test_one_row_for_each_person_is_the_ordinary_rank() -> None:
    random = np.random.default_rng(1)
    originals, avatars = random.normal(size=(200, 3)), random.normal(size=(200, 3))
    persons = np.arange(200)
    closer, tied, found = rank_people(originals, persons, avatars, persons)
    plain = rank_own(originals, avatars)
    assert (closer == plain.closer).all()
    assert (tied == plain.tied).all()
    assert (found == ((plain.closer == 0) & ~plain.earlier)).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 99))
def test_ranks_of_people_are_those_of_a_plain_search(rows: int, persons: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    originals, avatars = (random.integers(0, 4, (rows, 2)).astype(float) for _ in range(2))
    owners, theirs = random.integers(0, persons, rows), random.integers(-1, persons, rows)
    closer, tied, found = rank_people(originals, owners, avatars, theirs)
    for row in range(rows):
        apart = np.sqrt(((avatars - originals[row]) ** 2).sum(axis=1))
        mine = theirs == owners[row]
        if not mine.any():
            assert (closer[row], tied[row], found[row]) == (rows, 0, False)
            continue
        nearest = apart[mine].min()
        assert closer[row] == (apart < nearest - 1e-9).sum()
        assert tied[row] == ((np.abs(apart - nearest) < 1e-9) & ~mine).sum()
        if closer[row] == 0:
            first = np.flatnonzero(np.abs(apart - nearest) < 1e-9)[0]
            assert found[row] == mine[first]


def test_large_and_small_families_are_ranked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    originals, avatars = (np.round(random.normal(size=(300, 2)), 1) for _ in range(2))
    owners, theirs = random.integers(0, 3, 300), random.integers(-1, 3, 300)
    small = rank_people(originals, owners, avatars, theirs)
    monkeypatch.setattr(people, "_PERSON_CELLS", 0)
    large = rank_people(originals, owners, avatars, theirs)
    monkeypatch.setattr(people, "_BRUTE_CELLS", 0)
    by_tree = rank_people(originals, owners, avatars, theirs)
    assert all((a == b).all() for a, b in zip(small, large, strict=True))
    assert all((a == b).all() for a, b in zip(small[:2], by_tree[:2], strict=True))


def test_aggregates_by_hand() -> None:
    children = pa.table(
        {
            "cost": [1.0, 3.0, None, 10.0],
            "kind": ["a", "b", "a", None],
            "day": pa.array([0, 86_400, 172_800, 0], pa.timestamp("s")),
        }
    )
    specs = [ColumnSpec("kind", ColumnType.CATEGORY)]
    layout = fit_layout(children, specs)
    found = aggregate(layout, encode(layout, children), np.array([0, 0, 2, -1]), 3)
    plain = {name: values.to_pylist() for name, values in found.items()}
    assert plain == {
        "count": [2, 0, 1],
        "mean of cost": [2, None, None],
        "spread of cost": [1, None, None],
        "first day": [0, None, 172_800],
        "last day": [86_400, None, 172_800],
        "share 1 of kind": [0.5, None, 1],
        "share 2 of kind": [0.5, None, 0],
    }


def test_columns_of_many_modalities_give_the_most_frequent_one() -> None:
    kinds = [f"{i:02d}" for i in range(25)] + ["03", "07", "07", "03"]
    children = pa.table({"kind": kinds})
    layout = fit_layout(children, [])
    owners = np.array([2] * 25 + [0, 0, 0, 0])
    found = aggregate(layout, encode(layout, children), owners, 3)
    assert found["mode of kind"].to_pylist() == ["modality 4", None, "modality 1"]
