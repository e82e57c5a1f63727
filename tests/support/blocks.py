"""Plans of sets that were renamed, removed, adopted or previewed, or whose time is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from avatar_gitops.plan.blocks import Adopted, Blocks, Moved, Removed
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.observed import Annotation, Observed, ServerSet
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.spec.project import Prune
from tests.support.planning import PROJECT, a_lock, a_version, wish

TODAY = date(2026, 11, 22)
OWNED = Options(prune=Prune.OWNED, today=TODAY)


def moved(*pairs: tuple[str, str]) -> Blocks:
    return Blocks(
        moved=tuple(Moved.model_validate({"from": old, "to": new, "date": "2026-11-01"}) for old, new in pairs)
    )


def removed(name: str, *, keep: bool, reason: str | None = None) -> Blocks:
    return Blocks(removed=(Removed(set=name, date="2026-11-01", keep_results=keep, reason=reason),))


def adopted(name: str, version: ServerSet, *, take_over: bool = False) -> Blocks:
    return Blocks(adopted=(Adopted(set=name, id=version.id, take_over=take_over),))


def uuid(version: ServerSet, number: int = 1) -> ServerSet:
    """The same version under an id as servers give it."""
    return replace(version, id=f"00000000-0000-4000-8000-{number:012x}")


def unmarked(version: ServerSet) -> ServerSet:
    """The same version as somebody would make it by hand."""
    return replace(version, annotations={})


def preview(item: DesiredSet, number: int = 2, **jobs: Any) -> ServerSet:
    """A version that was made to look at before a merge."""
    version = a_version(item, number, **jobs)
    return replace(version, annotations={**version.annotations, Annotation.PREVIEW: "PR 12"})


def planned(
    desired: Sequence[DesiredSet],
    versions: Sequence[ServerSet] = (),
    locks: Sequence[Lock] = (),
    blocks: Blocks | None = None,
    **options: Any,
) -> Plan:
    found = replace(OWNED, blocks=blocks or Blocks(), **options)
    server = Observed("prod", tuple(versions))
    return plan(desired, server, {lock.set: lock for lock in locks}, found, PROJECT, "4f2a91cdeadbeef")


def renamed() -> Plan:
    """A rename that was only said, one whose spec changed too, and one that nobody told of."""
    old, changed, lost = wish("visits-2026"), wish("lab"), wish("claims")
    versions = [a_version(item) for item in (old, changed, lost)]
    locks = [a_lock(item, version) for item, version in zip((old, changed, lost), versions, strict=True)]
    desired = [
        wish("visits", gates={"hidden_rate": ">= 90"}),
        wish("laboratory", table={"avatarization": {"k": 40}}),
        wish("claims-2026"),
    ]
    return planned(desired, versions, locks, moved(("visits-2026", "visits"), ("lab", "laboratory")))


def gone() -> Plan:
    """Removed with and without its results, and by retention: due, protected, over, and soon."""
    kept, dropped = wish("kept"), wish("dropped")
    due = wish("due", lifecycle={"delete_after": "2026-11-21"})
    guarded = wish("guarded", lifecycle={"delete_after": "2026-10-31", "protect": True})
    over = wish("over", lifecycle={"delete_after": "2025-12-31"})
    soon = wish("soon", lifecycle={"delete_after": "2026-12-01"})
    items = [kept, dropped, due, guarded, soon]
    versions = [a_version(item) for item in items]
    locks = [a_lock(item, version) for item, version in zip(items, versions, strict=True)]
    both = (removed("kept", keep=True, reason="the register closed"), removed("dropped", keep=False))
    blocks = Blocks(removed=tuple(entry for block in both for entry in block.removed))
    return planned([due, guarded, over, soon], versions, locks, blocks)


def taken() -> Plan:
    """A set that others made, and a preview that was made from what was merged."""
    item, merged = wish("registry", gates={"hidden_rate": ">= 90"}), wish("merged", table={"avatarization": {"k": 40}})
    made, published = uuid(unmarked(a_version(item))), a_version(wish("merged"))
    other = unmarked(a_version(wish("merged"), 3))
    return planned(
        [item, merged],
        [made, published, preview(merged), other],
        [a_lock(wish("merged"), published)],
        adopted("registry", made),
    )


PLANS: Mapping[str, Any] = {"renamed": renamed, "gone": gone, "taken": taken}
