"""How the server, and what is on disk, differ from what was applied.

Locks are compared, not specs: a change in git that waits for its apply is a plan and no drift.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Final

from avatar_gitops.plan import versions
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.claims import Claims, claims
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.match import Matched, match
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob, ServerSet
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import DriftKind as Kind
from avatar_gitops.spec.project import IgnoredDrift

__all__ = ["Drift", "Finding", "Ignored", "Kind", "Seen", "Standing", "drift", "narrowed", "passed", "standing"]

NO_BLOCKS: Final = Blocks()


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference of one set; `detail` is safe to show and `path` the set's spec file.

    `lapsed` is the last day (ISO text) on which an entry of `ignore_drift` that is over now let it pass.
    """

    set: str
    kind: Kind
    detail: str
    path: str
    lapsed: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that does not count, and the entry of the project file that says so."""

    finding: Finding
    entry: IgnoredDrift


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at beside the list of the server, by set name.

    `inputs` maps an input to its digest now, `artifacts` a published file to its digest now; what could not be compared
    (no such file here, a URL, another digest key) is not in them. `expired` are sets whose results the server removed.
    """

    inputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    artifacts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    expired: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Drift:
    """All differences that count, by set, and those that are ignored.

    `checked` counts the sets that were compared, `left_out` those that were not selected, `unseen` names inputs that
    were not compared, and `unused` are entries of `ignore_drift` that ignore nothing.
    """

    project: str
    server: str
    checked: int
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    unused: tuple[IgnoredDrift, ...] = ()
    left_out: int = 0

    @property
    def sets(self) -> tuple[str, ...]:
        """The sets that differ."""
        return tuple(dict.fromkeys(finding.set for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Standing:
    """What the server lists, sorted by what marks and git say about it."""

    claims: Claims
    matched: Matched

    def ours(self, lock: Lock) -> tuple[ServerSet, ...]:
        """Our versions of the set of a lock, newest first, also when a move of it waits for its apply."""
        return self.matched.ours.get(self.claims.name(lock.set), ())


def standing(locks: Iterable[Lock], observed: Observed, project: str, blocks: Blocks) -> Standing:
    """Whose the listed sets are, as far as that can be told without the specs."""
    claimed = claims(blocks, {lock.set: lock for lock in locks}, {}, observed.sets, project)
    return Standing(claimed, match(observed.sets, project, claimed))


def drift(locks: Iterable[Lock], observed: Observed, project: str, seen: Seen, blocks: Blocks = NO_BLOCKS) -> Drift:
    """What differs from what was applied, for every set that has a lock."""
    ordered = sorted(locks, key=lambda lock: lock.set)
    now = standing(ordered, observed, project, blocks)
    findings = [
        Finding(lock.set, kind, detail, lock.path)
        for lock in ordered
        for kind, detail in sorted(_differences(lock, now, observed, seen), key=_rank)
    ]
    unseen = tuple(
        f"{lock.set}/{item.table}"
        for lock in ordered
        for item in lock.inputs
        if item.table not in seen.inputs.get(lock.set, {})
    )
    return Drift(project, observed.server, len(ordered), tuple(findings), unseen)


def narrowed(found: Drift, names: Collection[str], checked: int) -> Drift:
    """The part of a drift that concerns some sets."""
    return replace(
        found,
        checked=checked,
        left_out=found.checked - checked,
        findings=tuple(one for one in found.findings if one.set in names),
        unseen=tuple(name for name in found.unseen if name.partition("/")[0] in names),
    )


def passed(found: Drift, entries: Sequence[IgnoredDrift], today: date) -> Drift:
    """Findings that entries of `ignore_drift` name do not count up to and including the day that the entry says.

    Entries that name nothing are told only when all sets were compared.
    """
    counted, ignored, used = [], [], set()
    for finding in found.findings:
        mine = [index for index, entry in enumerate(entries) if _names(entry, finding)]
        used.update(mine)
        last = max((entries[index] for index in mine), key=lambda entry: entry.expires, default=None)
        if last is not None and last.expires >= today.isoformat():
            ignored.append(Ignored(finding, last))
        else:
            counted.append(finding if last is None else replace(finding, lapsed=last.expires))
    unused = [entry for index, entry in enumerate(entries) if index not in used and not found.left_out]
    return replace(found, findings=tuple(counted), ignored=tuple(ignored), unused=tuple(unused))


def _names(entry: IgnoredDrift, finding: Finding) -> bool:
    return entry.kind is finding.kind and fnmatchcase(finding.set, entry.set)


def published(lock: Lock, observed: Observed) -> ServerSet | None:
    """The version that a lock names, whoever owns it now."""
    return next((version for version in observed.sets if version.id == lock.run), None)


Difference = tuple[Kind, str]
STAGES: Final = {
    Annotation.STANDARD_DIGEST: Job.STANDARD,
    Annotation.METRICS_DIGEST: Job.PRIVACY_METRICS,
    Annotation.REPORTS_DIGEST: Job.REPORT,
}


def _rank(difference: Difference) -> int:
    return list(Kind).index(difference[0])


def _differences(lock: Lock, now: Standing, observed: Observed, seen: Seen) -> Iterator[Difference]:
    ours, others = now.ours(lock), now.matched.foreign.get(lock.set, ())
    version = next((item for item in ours if item.id == lock.run), None) or published(lock, observed)
    others = tuple(item for item in others if item.id != lock.run)
    if version is None:
        yield _gone(lock, ours, others)
    elif version not in ours:
        owner = version.project or "nobody"
        yield Kind.EDITED, f"the owner mark of the published run {_short(lock.run)} was changed: it belongs to {owner}"
    else:
        yield from _marks(lock, version)
        yield from _jobs(lock, version, ours)
        if others:
            owners = ", ".join(sorted({item.project or "nobody" for item in others}))
            yield Kind.AMBIGUOUS, f"another set on the server has the same name (owner: {owners})"
        if lock.set in seen.expired:
            yield Kind.RESULTS_EXPIRED, f"the server removed the results of the published run {_short(lock.run)}"
    yield from _engine(lock, observed.engine)
    yield from _inputs(lock, seen.inputs.get(lock.set, {}))
    yield from _artifacts(lock, seen.artifacts.get(lock.set, {}))


def _gone(lock: Lock, ours: Sequence[ServerSet], others: Sequence[ServerSet]) -> Difference:
    run = f"the published run {_short(lock.run)} is not on the server any more"
    if ours:
        return Kind.MISSING, f"{run}; there is another one of ours, {_short(ours[0].id)}"
    if others:
        return Kind.FOREIGN, f"{run}; the name belongs to {others[0].project or 'nobody'} now"
    return Kind.MISSING, run


def _marks(lock: Lock, version: ServerSet) -> Iterator[Difference]:
    """Marks that no longer say what the published jobs were made from; a version's marks are written once."""
    made_from = versions.digests(version)
    if lock.digests.input != made_from.input:
        yield Kind.EDITED, f"annotation {Annotation.INPUT_DIGEST} is not what was applied"
        return
    for mark, job in STAGES.items():
        if job.value in lock.jobs and not versions.serves(job, made_from, lock.digests):
            yield Kind.EDITED, f"annotation {mark} is not what was applied"
            return


def _jobs(lock: Lock, version: ServerSet, ours: Sequence[ServerSet]) -> Iterator[Difference]:
    """Published jobs that are gone or ended badly, and a newer run that failed."""
    known = {job.name: job for owned in ours for job in owned.jobs}
    gone = sorted(name for name, job in lock.jobs.items() if job not in known)
    if gone:
        yield Kind.MISSING, f"jobs of the published run are not on the server any more: {', '.join(gone)}"
    bad = _failed(known[job] for job in lock.jobs.values() if job in known)
    if bad:
        yield Kind.JOB_FAILED, f"jobs of the published run are marked as failed: {', '.join(bad)}"
    newer = ours[: ours.index(version)]
    for other in newer:
        if names := _failed(versions.own(other).values()):
            yield Kind.JOB_FAILED, f"the newer run {_short(other.id)} failed: {', '.join(names)}"
            return


def _failed(jobs: Iterable[ServerJob]) -> list[str]:
    return sorted({job.parameters for job in jobs if versions.failed(job)})


def _engine(lock: Lock, now: str | None) -> Iterator[Difference]:
    if now and lock.engine and now != lock.engine:
        yield Kind.ENGINE_CHANGED, f"made by {lock.engine}, and the server has {now} now"


def _inputs(lock: Lock, now: Mapping[str, str]) -> Iterator[Difference]:
    changed = _changed({item.table: item.digest for item in lock.inputs}, now)
    if changed:
        yield Kind.INPUT_CHANGED, f"the data of {', '.join(changed)} are not those that were anonymized"


def _artifacts(lock: Lock, now: Mapping[str, str]) -> Iterator[Difference]:
    changed = _changed(lock.outputs, now)
    if changed:
        yield Kind.ARTIFACT_CHANGED, f"published files were changed after the run: {_listed(changed)}"


def _changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return sorted(name for name, digest in then.items() if name in now and now[name] != digest)


def _listed(names: Collection[str], most: int = 3) -> str:
    shown = ", ".join(list(names)[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _short(run: str) -> str:
    return run[:8]
