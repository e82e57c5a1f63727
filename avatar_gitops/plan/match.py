"""Which server sets are ours, by name, and which names belong to somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from avatar_gitops.plan.observed import Annotation, ServerSet
from avatar_gitops.plan.versions import newest_first


@dataclass(frozen=True, slots=True)
class Matched:
    """Our versions by set name, newest first, and the sets of others by display name."""

    ours: Mapping[str, tuple[ServerSet, ...]]
    foreign: Mapping[str, tuple[ServerSet, ...]]


def match(sets: Iterable[ServerSet], project: str) -> Matched:
    """Sort what the server lists; only the project mark makes a set ours, its name comes from the set mark."""
    ours: dict[str, list[ServerSet]] = {}
    foreign: dict[str, list[ServerSet]] = {}
    for version in newest_first(sets):
        if version.project == project:
            ours.setdefault(version.annotations.get(Annotation.SET, version.display_name), []).append(version)
        else:
            foreign.setdefault(version.display_name, []).append(version)
    return Matched(_frozen(ours), _frozen(foreign))


def _frozen(groups: Mapping[str, list[ServerSet]]) -> Mapping[str, tuple[ServerSet, ...]]:
    return {name: tuple(groups[name]) for name in sorted(groups)}
