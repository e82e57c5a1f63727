"""Releases by source: how often data were released, to whom, with which columns and how much epsilon in sum.

A release is a table of avatars with bytes of its own: the same bytes published again tell nobody anything new, and a
release once made stays made, also when its set is deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.noise import family, lock_family
from avatar_gitops.spec.policies import LedgerLimits

__all__ = ["Ledger", "Release", "Source", "made_by", "overlap", "with_locks", "would_make"]


@dataclass(frozen=True, slots=True)
class Release:
    """One table of avatars that was released, or that a plan would release; then `run` is empty.

    `source` is the address of the data without its query, `data` their digest, `parameters` that of everything but the
    seed. `epsilon` is None where the method promises no differential privacy. `avatars` is the digest of the file.
    """

    set: str
    table: str
    source: str
    data: str
    rows: str
    columns: tuple[str, ...]
    recipient: str
    method: str
    epsilon: float | None
    parameters: str
    run: str = ""
    job: str = ""
    avatars: str = ""
    when: str = ""
    commit: str = ""
    approved_by: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes it another release: its bytes; where they are not known, the job that made them."""
        return self.avatars or f"{self.job or self.run or 'planned'} {self.set} {self.table}"


@dataclass(frozen=True, slots=True)
class Source:
    """All releases that hang together by the digest of their data or by its address, oldest first."""

    releases: tuple[Release, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Addresses under which the data were found."""
        return tuple(dict.fromkeys(release.source for release in self.releases))

    @property
    def distinct(self) -> tuple[Release, ...]:
        """Releases with bytes of their own."""
        return tuple({release.key: release for release in reversed(self.releases)}.values())[::-1]

    @property
    def versions(self) -> int:
        """How many different contents the data had."""
        return len({release.data for release in self.releases})

    @property
    def recipients(self) -> tuple[str, ...]:
        """Who received something, in the order of the first time."""
        return tuple(dict.fromkeys(release.recipient for release in self.releases))

    @property
    def epsilon(self) -> float:
        """Sum over the releases that promise differential privacy.

        Basic composition: mechanisms with epsilon 1 to n on the same data are together differentially private with the
        sum (Dwork and Roth, The Algorithmic Foundations of Differential Privacy, 2014, corollary 3.15). It counts as if
        the data of all versions were about the same people.
        """
        return sum(release.epsilon for release in self.distinct if release.epsilon is not None)

    @property
    def unbounded(self) -> int:
        """Releases that promise no epsilon; for them the sum says nothing."""
        return sum(release.epsilon is None for release in self.distinct)

    @property
    def common(self) -> tuple[str, ...]:
        """Columns that more than one release holds, by name."""
        several = self.distinct
        names = dict.fromkeys(name for release in several for name in release.columns)
        return tuple(sorted(name for name in names if sum(name in release.columns for release in several) > 1))


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was released so far, what a plan would release, and how much the policy allows."""

    releases: tuple[Release, ...] = ()
    planned: tuple[Release, ...] = ()
    limits: LedgerLimits = field(default_factory=LedgerLimits)

    def sources(self) -> tuple[Source, ...]:
        """The releases of each source, by its first address."""
        groups = _connected(sorted(self.releases, key=lambda release: (release.when, release.set, release.table)))
        return tuple(sorted((Source(tuple(group)) for group in groups), key=lambda source: source.names))

    def around(self, release: Release) -> Source:
        """The source of one release that a plan would make: earlier ones, those planned with it, and itself."""
        others = [other for other in self.planned if (other.set, other.table) != (release.set, release.table)]
        groups = _connected([*self.releases, *others, release])
        return Source(tuple(next(group for group in groups if any(item is release for item in group))))


def overlap(one: Release, other: Release) -> float:
    """Share of the columns of the smaller release that are also in the other one; 0 when one is not known."""
    smaller = min(len(one.columns), len(other.columns))
    return len(set(one.columns) & set(other.columns)) / smaller if smaller else 0.0


def would_make(desired: DesiredSet) -> tuple[Release, ...]:
    """The releases that a run of this spec makes."""
    return tuple(_releases(desired.name, desired.resolved, desired.inputs, family(desired).standard))


def made_by(lock: Lock, avatars: Mapping[str, str] | None = None) -> tuple[Release, ...]:
    """The releases that a published run made; `avatars` maps table to the digest of its file."""
    digests = avatars or {}
    approved = lock.applied.approved_by if lock.applied else ()
    return tuple(
        replace(
            release,
            run=lock.run,
            job=lock.jobs.get("standard", ""),
            avatars=digests.get(release.table, ""),
            when=lock.finished,
            commit=lock.commit,
            approved_by=approved,
        )
        for release in _releases(lock.set, lock.spec, lock.inputs, lock_family(lock).standard)
    )


def with_locks(releases: Iterable[Release], locks: Iterable[Lock]) -> tuple[Release, ...]:
    """The record, and what the locks know that it does not: runs from before there was a record."""
    known = tuple(releases)
    runs = {(release.set, part) for release in known for part in (release.run, release.job) if part}
    missing = [
        release
        for lock in locks
        for release in made_by(lock)
        if not runs & {(release.set, release.run), (release.set, release.job)}
    ]
    return (*known, *missing)


def _releases(name: str, spec: Mapping[str, Any], inputs: Sequence[TableInput], parameters: str) -> Iterator[Release]:
    facts = {item.table: item for item in inputs}
    recipient = str(spec["spec"].get("pia", {}).get("data_recipient", "unknown"))
    for table, said in sorted(spec["spec"]["tables"].items()):
        method, found = said.get("avatarization"), facts.get(table)
        if not method or found is None:
            continue
        shown, epsilon = _method(method)
        dropped = {column for column, part in said.get("columns", {}).items() if part.get("drop")}
        yield Release(
            set=name,
            table=table,
            source=str(said.get("source", {}).get("uri", "")).partition("?")[0],
            data=found.digest,
            rows=found.rows,
            columns=tuple(column for column in found.columns if column not in dropped),
            recipient=recipient,
            method=shown,
            epsilon=epsilon,
            parameters=parameters,
        )


def _method(method: Mapping[str, Any]) -> tuple[str, float | None]:
    for kind in ("open_dp", "fast_dp"):
        if kind in method:
            epsilon = float(method[kind]["epsilon"])
            return f"{kind} epsilon {epsilon:g}", epsilon
    return f"k {method.get('k')}", None


def _connected(releases: Iterable[Release]) -> list[list[Release]]:
    """Groups of releases that share the digest of their data or its address, directly or through others."""
    groups: list[tuple[set[str], list[Release]]] = []
    for release in releases:
        marks, members = {mark for mark in (release.data, release.source) if mark}, [release]
        apart = []
        for group in groups:
            if group[0] & marks:
                marks |= group[0]
                members = [*group[1], *members]
            else:
                apart.append(group)
        groups = [*apart, (marks, members)]
    return [sorted(members, key=lambda release: (not release.when, release.when)) for _, members in groups]
