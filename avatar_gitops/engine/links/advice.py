"""Links that the names of keys suggest; no value of a table is looked at."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops.engine.links.model import Link

_ALIKE: Final = 0.6


class Confidence(StrEnum):
    """How far a name says where a foreign key leads."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(slots=True, frozen=True)
class KeyedTable:
    """The declared keys of one table."""

    name: str
    primary_key: str | None
    foreign_keys: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class LinkAdvice:
    """Suggested links with their confidence, and for each foreign key without one the tables it may lead to."""

    links: Mapping[Link, Confidence]
    unlinked: Mapping[tuple[str, str], tuple[str, ...]]


def advise_links(tables: Sequence[KeyedTable], present: Sequence[Link] = ()) -> LinkAdvice:
    """A link for each foreign key, not yet linked, whose name points at one table with a primary key.

    High: it has the name of the parent's primary key, or there is one possible parent only. Medium: it contains the
    name of the parent. Low: its name is like that of the parent or of its key. Where several parents are equally
    likely, and where a link would be the second between two tables or close a circle, none is suggested.
    """
    links: dict[Link, Confidence] = {}
    unlinked: dict[tuple[str, str], tuple[str, ...]] = {}
    ranks: list[tuple[int, str, str, Link | None, tuple[str, ...]]] = []
    for child in tables:
        covered = {link.foreign_key for link in present if link.child == child.name}
        for key in (key for key in child.foreign_keys if key not in covered):
            level, parents = _likely(key, [t for t in tables if t.primary_key and t.name != child.name])
            link = None
            if len(parents) == 1 and parents[0].primary_key is not None:
                link = Link(parents[0].name, parents[0].primary_key, child.name, key)
            names = tuple(parent.name for parent in parents)
            ranks.append((list(Confidence).index(level), child.name, key, link, names))
    for rank, child_name, key, link, names in sorted(ranks, key=lambda item: item[0]):
        if link is not None and _fits(link, [*present, *links]):
            links[link] = list(Confidence)[rank]
        else:
            unlinked[child_name, key] = names
    return LinkAdvice(links, unlinked)


def _likely(key: str, parents: Sequence[KeyedTable]) -> tuple[Confidence, list[KeyedTable]]:
    """The most likely parents of a foreign key and how sure that is; none when no name is like it."""
    if len(parents) == 1:
        return Confidence.HIGH, list(parents)
    exact = [parent for parent in parents if _folded(parent.primary_key) == _folded(key)]
    if exact:
        return Confidence.HIGH, exact
    inside = [parent for parent in parents if _stem(parent.name) in _folded(key)]
    if inside:
        longest = max(len(_stem(parent.name)) for parent in inside)
        return Confidence.MEDIUM, [parent for parent in inside if len(_stem(parent.name)) == longest]
    alike = {parent.name: _likeness(key, parent) for parent in parents}
    best = max(alike.values(), default=0.0)
    return Confidence.LOW, [parent for parent in parents if best >= _ALIKE and alike[parent.name] == best]


def _likeness(key: str, parent: KeyedTable) -> float:
    names = (_folded(parent.primary_key), _stem(parent.name), _stem(parent.name) + _folded(parent.primary_key))
    return max(difflib.SequenceMatcher(None, _folded(key), name).ratio() for name in names)


def _folded(name: str | None) -> str:
    return re.sub(r"[\W_]", "", (name or "").casefold())


def _stem(table: str) -> str:
    """A table name without the ending of an English or French plural."""
    folded = _folded(table)
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") else folded


def _fits(link: Link, others: Sequence[Link]) -> bool:
    """Whether a link leaves the graph without circles and with one link for each pair."""
    if any({link.parent, link.child} == {other.parent, other.child} for other in others):
        return False
    reached, waiting = set(), [link.child]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += [other.child for other in others if other.parent == name and other.child not in reached]
    return link.parent not in reached
