"""Offline plans against plans with a server: the same change digests where the server is as the locks say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_gitops.plan.blocks import Adopted, Blocks, Moved
from avatar_gitops.plan.context import Base
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action
from avatar_gitops.plan.observed import Observed, ServerSet
from avatar_gitops.plan.offline import moment, published_input, remembered, server_name
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.spec.project import Prune
from tests.support.planning import ALL, PROJECT, a_lock, a_version, an_input, wish

NAMES = ("ants", "bees", "cats")
NEW_NAMES = {"ants": "dogs", "bees": "elks", "cats": "foxes"}
BLOCKS = Blocks(
    moved=tuple(
        Moved.model_validate_json(json.dumps({"from": old, "to": new, "date": "2026-01-01"}))
        for old, new in NEW_NAMES.items()
    )
)
CHANGES: tuple[dict[str, Any], ...] = (
    {},
    {"table": {"avatarization": {"k": 5}}},
    {"table": {"privacy_metrics": {"known_variables": ["age"]}}},
    {"pia": {"language": "fr"}},
    {"metadata": {"owner": "a"}},
    {"lifecycle": {"protect": True}},
    {"jobs": ["standard"]},
    {"data": an_input("b")},
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[DesiredSet], list[ServerSet], dict[str, Lock]]:
    """Some sets were published, and some of them, and others, are desired now, changed or not."""
    desired, versions, locks = [], [], {}
    for name in NAMES:
        before, after = (draw(st.one_of(st.none(), st.sampled_from(CHANGES))) for _ in range(2))
        if before is not None:
            item = wish(name, **before)
            jobs = ["standard"] if before == {"jobs": ["standard"]} else ALL
            versions.append(a_version(item, jobs=jobs))
            locks[name] = a_lock(item, versions[-1])
        if after is not None:
            desired.append(wish(draw(st.sampled_from([name, NEW_NAMES[name]])), **after))
    return desired, versions, locks


@settings(max_examples=150, deadline=None)
@given(stories(), st.sampled_from(Prune))
def test_change_digests_need_no_server(
    story: tuple[list[DesiredSet], list[ServerSet], dict[str, Lock]], prune: Prune
) -> None:
    desired, versions, locks = story
    options = Options(prune=prune, look=True, blocks=BLOCKS)
    online = plan(desired, Observed("prod", tuple(versions)), locks, options, PROJECT)
    offline = plan(desired, remembered(locks.values(), PROJECT, Base("9c1e7d0")), locks, options, PROJECT)
    assert [(change.set, change.digest) for change in offline.changes] == [
        (change.set, change.digest) for change in online.changes
    ]
    assert offline.server == "offline (locks at 9c1e7d0)"
    assert offline.foreign == 0


def test_where_the_locks_are_from() -> None:
    assert server_name(Base("9c1e7d0deadbeef", "main")) == "offline (locks at 9c1e7d0)"
    assert server_name(Base()) == "offline (locks on disk)"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-01-01T01:00:00"])
def test_a_time_that_is_none_is_no_reason_to_stop(text: str) -> None:
    assert moment(text) is None
    lock = replace(a_lock(wish(), a_version(wish())), started=text)
    (version,) = remembered([lock], PROJECT, Base()).sets
    assert version.jobs[0].done


def test_an_input_counts_as_published_where_it_came_from_the_same_place() -> None:
    lock = a_lock(wish(), a_version(wish()))
    assert published_input(lock, "patients", "data/patients.csv") == an_input()
    assert published_input(lock, "patients", "data/other.csv") is None
    assert published_input(lock, "patients#avatars", "data/patients.csv") is None
    assert published_input(lock, "visits", "data/visits.csv") is None


@pytest.mark.parametrize("differs", [False, True])
def test_what_the_project_adopts_is_taken_to_be_on_the_server(differs: bool) -> None:
    theirs = replace(a_version(wish()), id="0" * 8 + "-0000-4000-8000-" + "0" * 12, annotations={})
    entry = Adopted.model_validate_json(json.dumps({"set": "patients", "id": theirs.id, "differs": differs}))
    options = Options(blocks=Blocks(adopted=(entry,)))
    online = plan([wish()], Observed("prod", (theirs,)), {}, options, PROJECT)
    offline = plan([wish()], remembered([], PROJECT, Base(), [entry]), {}, options, PROJECT)
    assert [change.digest for change in offline.changes] == [change.digest for change in online.changes]
    assert offline.changes[0].action is (Action.RELAUNCH if differs else Action.ADOPT)
    lock = a_lock(wish(), theirs)
    assert len(remembered([lock], PROJECT, Base(), [entry]).sets) == 1
