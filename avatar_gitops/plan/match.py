"""Which server sets are ours, by name, and which names belong to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from avatar_gitops.plan.claims import Claims
from avatar_gitops.plan.observed import Annotation, ServerSet
from avatar_gitops.plan.versions import newest_first

Groups = Mapping[str, tuple[ServerSet, ...]]
MARKS_ONLY: Final = Claims()


@dataclass(frozen=True, slots=True)
class Matched:
    """Our versions and our previews by set name, newest first, and the sets of others by display name."""

    ours: Groups
    foreign: Groups
    previews: Groups


def match(sets: Iterable[ServerSet], project: str, claims: Claims = MARKS_ONLY) -> Matched:
    """Sort what the server lists.

    The project mark makes a set ours and the set mark names it, unless git claims it. A preview that was published is
    a version like any other.
    """
    ours: dict[str, list[ServerSet]] = {}
    foreign: dict[str, list[ServerSet]] = {}
    previews: dict[str, list[ServerSet]] = {}
    for listed in newest_first(sets):
        taken = claims.marks.get(listed.id)
        version = listed if taken is None else replace(listed, annotations=taken)
        if version.project != project:
            foreign.setdefault(version.display_name, []).append(version)
            continue
        marked = version.annotations.get(Annotation.SET, version.display_name)
        name = claims.runs.get(version.id) or claims.name(marked)
        group = previews if version.preview and version.id not in claims.runs else ours
        group.setdefault(name, []).append(version)
    return Matched(_frozen(ours), _frozen(foreign), _frozen(previews))


def _frozen(groups: Mapping[str, list[ServerSet]]) -> Groups:
    return {name: tuple(groups[name]) for name in sorted(groups)}
