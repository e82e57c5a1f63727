"""Whose a version is, beyond its marks: names that changed, runs that locks name, versions that were adopted.

A version's marks are written once and never change, so everything that happens to a set later is said in git.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from avatar_gitops.plan.blocks import Adopted, Blocks
from avatar_gitops.plan.desired import DesiredSet, Digests
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.observed import Annotation, ServerSet
from avatar_gitops.plan.versions import digests
from avatar_gitops.spec.models import Job

Locks = Mapping[str, Lock]
Wanted = Mapping[str, DesiredSet]


@dataclass(frozen=True, slots=True)
class Claims:
    """What git says about versions.

    `names` maps a name that a set had to the one it has, `runs` the id of a version to its set, and `marks` the id of
    an adopted version to the marks that it would carry if this project had made it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def name(self, name: str) -> str:
        """The name that a set has now."""
        return self.names.get(name, name)


def claims(blocks: Blocks, locks: Locks, wanted: Wanted, sets: Iterable[ServerSet], project: str) -> Claims:
    """What the project file and the locks say about the versions on the server."""
    known = {version.id: version for version in sets}
    names = _names(blocks, locks, wanted)
    by_name = _by_name(locks, names)
    marks: dict[str, Mapping[str, str]] = {}
    runs: dict[str, str] = {}
    for name, lock in by_name.items():
        for version_id, made_from in lock.adopted.items():
            if version_id in known and known[version_id].project != project:
                marks[version_id] = _marks(known[version_id], name, project, made_from)
    for entry in blocks.adopted:
        version, name = known.get(entry.id.lower()), names.get(entry.set, entry.set)
        if version is None or version.id in marks or not may_adopt(entry, version, project):
            continue
        if version.project == project:
            runs[version.id] = name
            continue
        said = _made_from(version, by_name.get(name), wanted.get(name), known)
        if entry.differs and name not in by_name:
            said = Digests("", "", "", "", "")
        if said is not None:
            marks[version.id] = _marks(version, name, project, said)
    for name, lock in sorted(by_name.items()):
        kept = (known[version_id] for version_id in lock.earlier if version_id in known)
        runs |= {version.id: name for version in kept if version.project == project}
    for lock in sorted(locks.values(), key=lambda lock: (names.get(lock.set, lock.set) == lock.set, lock.set)):
        runs |= {version.id: names.get(lock.set, lock.set) for version in _base_chain(lock, known, project)}
    return Claims(names, runs, marks)


def may_adopt(entry: Adopted, version: ServerSet, project: str) -> bool:
    """Whether nobody else marked the version, or the project says that it takes over what others marked."""
    return entry.take_over or version.project in {None, project}


def adopted(versions: Iterable[ServerSet]) -> Mapping[str, Digests]:
    """What a lock has to remember of versions that carry no marks of ours: their digests, where they are known."""
    found = {version.id: digests(version) for version in versions if version.adopted}
    return {version_id: made_from for version_id, made_from in found.items() if made_from.spec}


def earlier(name: str, versions: Iterable[ServerSet]) -> tuple[str, ...]:
    """Ids of versions that a lock has to remember because they were made under another name."""
    return tuple(sorted(v.id for v in versions if v.annotations.get(Annotation.SET, name) != name))


def _names(blocks: Blocks, locks: Locks, wanted: Collection[str]) -> Mapping[str, str]:
    """Old name to name now, through any number of moves; a name that a spec has again is nobody's old name."""
    moves = {old: lock.set for lock in locks.values() for old in lock.moved_from}
    moves |= {entry.from_: entry.to for entry in blocks.moved}
    moves = {old: new for old, new in moves.items() if old not in wanted}
    found = {}
    for old in moves:
        name, seen = old, set[str]()
        while name in moves and name not in seen:
            seen.add(name)
            name = moves[name]
        if name not in seen:
            found[old] = name
    return found


def _by_name(locks: Locks, names: Mapping[str, str]) -> Locks:
    """Locks under the names that their sets have now; one that stands under its own name comes first."""
    moved = {names[lock.set]: lock for lock in locks.values() if lock.set in names}
    return {**moved, **{name: lock for name, lock in locks.items() if name not in names}}


def _base_chain(lock: Lock, known: Mapping[str, ServerSet], project: str) -> Iterator[ServerSet]:
    """The published version of ours and those that it builds on, whatever name and purpose they were made with."""
    version, seen = known.get(lock.run), set[str]()
    while version is not None and version.id not in seen and version.project == project:
        seen.add(version.id)
        yield version
        version = known.get(version.base_set or "")


def _made_from(
    version: ServerSet, lock: Lock | None, desired: DesiredSet | None, known: Mapping[str, ServerSet]
) -> Digests | None:
    """What a version to adopt was made from: the spec beside it says so.

    When something newer was published already, nobody does. None = there is neither lock nor spec.
    """
    if lock is None:
        return desired.digests if desired else None
    published = known.get(lock.run)
    since = published.created_at if published else _moment(lock.started)
    newer = since is None or since >= version.created_at
    return desired.digests if desired and not newer else Digests("", "", "", "", "")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _marks(version: ServerSet, name: str, project: str, made_from: Digests) -> Mapping[str, str]:
    present = {job.parameters for job in version.jobs}
    return {
        Annotation.PROJECT: project,
        Annotation.SET: name,
        Annotation.SPEC_DIGEST: made_from.spec,
        Annotation.STANDARD_DIGEST: made_from.standard,
        Annotation.METRICS_DIGEST: made_from.metrics,
        Annotation.REPORTS_DIGEST: made_from.reports,
        Annotation.INPUT_DIGEST: made_from.input,
        Annotation.JOBS: ",".join(job for job in Job if job in present),
        Annotation.ADOPTED: "true",
    }
