"""Who agreed to a change, and whose word counts: never that of its author alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from avatar_gitops.policy.model import Waiver


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approves a change, who wrote it, and who has to approve.

    `required` names people or groups; `people` says who is in a group. A group of which nobody is listed, such as a
    team of GitHub, cannot be asked for its members, so that nobody counts for it.
    """

    given: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def counting(self) -> tuple[str, ...]:
        """Those whose approval is enough by itself: not an author and, where approvers are required, one of them."""
        own, wanted = _keys(self.authors), self._wanted()
        return tuple(
            name
            for name in dict.fromkeys(self.given)
            if key(name) and key(name) not in own and (not self.required or key(name) in wanted)
        )

    @property
    def own(self) -> tuple[str, ...]:
        """Authors who approve their own change."""
        authors = _keys(self.authors)
        return tuple(name for name in dict.fromkeys(self.given) if key(name) in authors)

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Required teams whose members nobody has listed."""
        listed = _keys(self.people)
        return tuple(name for name in self.required if "/" in name and key(name) not in listed)

    def _wanted(self) -> frozenset[str]:
        groups = {key(name): members for name, members in self.people.items()}
        names: list[str] = []
        for name in self.required:
            names += groups.get(key(name), () if "/" in name else (name,))
        return _keys(names)


def key(name: str) -> str:
    """A name as it is compared: without `@`, whatever its case."""
    return name.strip().removeprefix("@").casefold()


def _keys(names: Iterable[str]) -> frozenset[str]:
    return frozenset(filter(None, map(key, names)))


def by_their_author(
    waivers: Iterable[Waiver], base: Collection[Waiver] | None, authors: Iterable[str]
) -> tuple[Waiver, ...]:
    """Waivers that a change adds and that its own author answers for; `base` are those before it.

    A waiver that lasts longer, or covers more, than before is a new one. With `base` None nothing is known of the time
    before, so that every waiver of an author counts as added.
    """
    own = _keys(authors)
    before = {_grant(waiver) for waiver in base or ()}
    return tuple(waiver for waiver in waivers if key(waiver.owner) in own and _grant(waiver) not in before)


def _grant(waiver: Waiver) -> tuple[object, ...]:
    """What a waiver allows and who answers for it; reason, ticket and place may change."""
    return waiver.rule, frozenset(waiver.sets), key(waiver.owner), waiver.granted, waiver.expires
