"""Strategies for what may be said about a set, and for the specs in git at one time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.planner import Options
from avatar_gitops.spec.models import Job
from tests.support.planning import an_input, wish
from tests.support.world import CALM

NAMES = ("ants", "bees")
JOBS = st.one_of(
    st.just([job.value for job in Job]),
    st.lists(st.sampled_from([job.value for job in Job]), min_size=1, unique=True),
)


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """What may be said about a set: one field of each consequence class, jobs, lifecycle, data."""
    known = draw(st.sampled_from([["age"], ["age", "sex"]]))
    return {
        "table": {
            "avatarization": {"k": draw(st.sampled_from([10, 20]))},
            "privacy_metrics": {"known_variables": known},
        },
        "pia": {"language": draw(st.sampled_from(["en", "fr"]))},
        "metadata": {"owner": draw(st.sampled_from(["anna", "ben"]))},
        "jobs": draw(JOBS),
        "gates": draw(st.sampled_from([{}, {"hidden_rate": ">= 90"}])),
        "lifecycle": {"keep_versions": draw(st.integers(1, 3))},
        "data": an_input(draw(st.sampled_from("ab"))),
    }


@st.composite
def wishes(draw: st.DrawFn) -> tuple[DesiredSet, ...]:
    """The specs in git at one time."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return tuple(wish(name, **draw(specs())) for name in names)


def allowed(desired: Sequence[DesiredSet]) -> Options:
    """Options that let every plan through."""
    return replace(CALM, allow_delete=frozenset(NAMES)) if not desired else CALM
