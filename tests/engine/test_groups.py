"""Groups of people: the worst one by hand, small ones left out, intervals that grow with their number, nobody named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from avatar_gitops.engine.distances import rank_own
from avatar_gitops.engine.groups import widened, z_of_each
from avatar_gitops.engine.intervals import wilson
from avatar_gitops.engine.links.measure import measure_privacy_view
from avatar_gitops.engine.links.views import Computation, View
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import Metrics, PrivacyParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic

HIDDEN, ATTACKED = "hidden_rate_worst_group", "membership_auc_worst_group"
PLACES = ["canary-east"] * 200 + ["canary-west"] * 90 + ["canary-isle"] * 9 + [None]


def people(seed: int) -> pa.Table:
    """300 of them: 200 and 90 with a place, 9 in a small one, one without."""
    return synthetic(300, seed=seed).append_column("place", pa.array(PLACES))


def half_released(used: pa.Table) -> pa.Table:
    """Avatars of strangers, but those in the west are the originals."""
    rows = np.arange(300)
    rows[:200] += 300
    rows[290:] += 300
    return pa.concat_tables([used, people(7)]).take(pa.array(rows))


def measured(groups: tuple[str, ...] = ("place",), unused: pa.Table | None = None) -> Metrics:
    used = people(1)
    return measure_privacy(used, half_released(used), [], PrivacyParams(groups=groups), 1, unused)


def test_the_worst_group_is_the_one_whose_rows_were_released() -> None:
    found, used = measured(unused=people(3)), people(1)
    pair = pair_up(used, half_released(used), [], Space(), 1)
    rank = rank_own(pair.original_points, pair.avatar_points)
    west = ((rank.closer > 0) | rank.earlier)[200:290]
    assert found.values[HIDDEN] == pytest.approx(100 * west.mean())
    assert found.population[HIDDEN] == 90
    assert (found.values[HIDDEN] or 0) < 50 < (found.values["hidden_rate"] or 0)
    assert (found.values[ATTACKED] or 0) > 0.8 > (found.values["membership_auc"] or 0)
    for name in (HIDDEN, ATTACKED):
        assert found.notes[name] == "Worst of 2 groups: one of place. 2 with fewer than 30 people are left out."
        low, high = found.intervals[name]
        assert low <= (found.values[name] or 0) <= high


def test_no_modality_is_named() -> None:
    assert "canary" not in repr(measured(unused=people(3)))


def test_without_groups_or_without_people_to_compare_nothing_is_claimed() -> None:
    assert HIDDEN not in measured(()).values
    assert measured().values[ATTACKED] is None
    few = synthetic(60).append_column("place", pa.array(["a", "b", "c"] * 20))
    found = measure_privacy(few, few, [], PrivacyParams(groups=("place",)), 1, few)
    assert found.values[HIDDEN] is None
    assert found.notes[HIDDEN] == "No group has 30 people."
    assert found.values[ATTACKED] is None


def test_the_interval_of_the_worst_is_as_wide_as_the_number_of_groups_asks() -> None:
    assert z_of_each(1) == pytest.approx(norm.ppf(0.975))
    assert widened(0.6, (0.5, 0.8), 1) == pytest.approx((0.5, 0.8))
    low, high = widened(0.6, (0.5, 0.8), 5)
    assert (0.6 - low) / 0.1 == pytest.approx((high - 0.6) / 0.2)
    assert norm.cdf(z_of_each(1) * (0.6 - low) / 0.1) == pytest.approx(1 - 0.025 / 5)
    share = (measured().values[HIDDEN] or 0) / 100
    assert measured().intervals[HIDDEN] == pytest.approx([100 * end for end in wilson(share * 90, 90, z_of_each(2))])


@given(st.integers(1, 60))
def test_more_groups_never_make_an_interval_narrower(groups: int) -> None:
    assert z_of_each(groups + 1) > z_of_each(groups)


def test_one_group_of_everybody_is_everybody() -> None:
    used, unused = (table.append_column("all", pa.array(["x"] * 300)) for table in (people(1), people(3)))
    found = measure_privacy(used, used, [], PrivacyParams(groups=("all",)), 1, unused)
    assert found.values[HIDDEN] == found.values["hidden_rate"]
    assert found.values[ATTACKED] == found.values["membership_auc"]


def test_an_attack_without_groups_is_the_same_attack() -> None:
    with_groups, without = measured(unused=people(3)), measured((), people(3))
    assert {name: value for name, value in with_groups.values.items() if "worst" not in name} == without.values


@pytest.mark.parametrize("name", ["age", "nowhere"])
def test_what_is_no_category_has_no_groups(name: str) -> None:
    with pytest.raises(EngineError, match=f"compare groups of '{name}', which is not a modelled categorical column"):
        measured((name,))


def test_rows_that_share_a_person_are_not_compared_by_group() -> None:
    used = people(1)
    own = np.arange(300) // 2
    view = View("t", Computation.STANDALONE, None, used, half_released(used), (), people=(own, own))
    found = measure_privacy_view(view, PrivacyParams(groups=("place",)), 1)
    assert found.values[HIDDEN] is None
    assert found.notes[HIDDEN] == "Groups of people are compared where each row is a person."
