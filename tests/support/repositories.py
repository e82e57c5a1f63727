"""Strategy for what git says on one day: specs, what was renamed, removed and limited in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from hypothesis import strategies as st

from avatar_gitops.plan.blocks import Blocks, Moved, Removed
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.planner import Options
from avatar_gitops.spec.days import day
from avatar_gitops.spec.project import Prune
from tests.support.planning import wish
from tests.support.wishes import specs
from tests.support.world import CALM

NAMES = ("ants", "bees", "wasps")
DAYS = ("2026-01-10", "2026-01-20")


@dataclass(frozen=True)
class Repository:
    """What git says on one day."""

    desired: tuple[DesiredSet, ...]
    blocks: Blocks
    today: date
    prune: Prune

    def options(self, **changed: Any) -> Options:
        consent = frozenset(() if self.desired else NAMES)
        found = replace(CALM, blocks=self.blocks, today=self.today, prune=self.prune, allow_delete=consent)
        return replace(found, **changed)

    def lives(self, item: DesiredSet) -> bool:
        last = day(item.run.spec.lifecycle.delete_after)
        return last is None or self.today <= last


@st.composite
def repositories(draw: st.DrawFn) -> Repository:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    desired = []
    for name in names:
        spec = draw(specs())
        lifecycle = {**spec["lifecycle"], "delete_after": draw(st.sampled_from([None, None, *DAYS]))}
        desired.append(wish(name, **{**spec, "lifecycle": lifecycle}))
    moved, removed, free = [], [], list(names)
    for old in sorted(set(NAMES) - set(names)):
        fate = draw(st.sampled_from(["moved", "kept", "deleted", "unsaid"]))
        if fate == "moved" and free:
            target = free.pop(draw(st.integers(0, len(free) - 1)))
            moved.append(Moved.model_validate({"from": old, "to": target, "date": "2026-01-01"}))
        if fate in {"kept", "deleted"}:
            removed.append(Removed(set=old, date="2026-01-01", keep_results=fate == "kept"))
    today = draw(st.sampled_from([date(2026, 1, 5), date(2026, 1, 10), date(2026, 1, 15), date(2026, 2, 1)]))
    blocks = Blocks(tuple(moved), tuple(removed))
    return Repository(tuple(desired), blocks, today, draw(st.sampled_from(Prune)))
