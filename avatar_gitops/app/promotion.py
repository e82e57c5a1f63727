"""Previews that are kept: the full run of a changed spec, made before the merge and published by the apply after it.

The run is made from the same desired set as a plan makes, so its marks hold the digests that the planner looks for; the
mark of a preview keeps every plan of another content away from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar_gitops.app.loading import load, load_applied
from avatar_gitops.app.plan import Consent, compare
from avatar_gitops.app.servers import Connection, open_server
from avatar_gitops.app.trials import OWN, Bench, TrialFailed, follow, launch
from avatar_gitops.client.gateway import Gateway, connect
from avatar_gitops.errors import AvatarGitOpsError, RemoteUnavailable, UsageError
from avatar_gitops.plan.jobs import wanted
from avatar_gitops.plan.model import Action, Change, Plan, Reason, Selection
from avatar_gitops.plan.observed import Annotation, Observed, ServerJob, ServerSet
from avatar_gitops.plan.prediction import Basis, Preview, SetPreview
from avatar_gitops.ports import Clock
from avatar_gitops.spec.models import Job
from avatar_gitops.spec.project import Project

LONGEST_LABEL: Final = 100
HOSTED: Final = (
    "--promote runs the whole spec before the merge, which an embedded platform does for free; "
    "this server is a hosted one, where it would spend credits on a change that nobody has approved"
)


@dataclass(frozen=True, slots=True)
class Target:
    """The server that apply will use."""

    root: Path
    connection: Connection
    gateway: Gateway
    clock: Clock


@contextmanager
def target(root: Path, project: Project, server: str | None, wanted_: bool, clock: Clock) -> Iterator[Target | None]:
    """The server to keep previews on; None when that is not wanted. Raises UsageError for a hosted platform."""
    if not wanted_:
        yield None
        return
    with open_server(root, project, server) as connection:
        gateway = connect(connection.base_url, connection.api_key, root=root, clock=clock, verify=connection.verify_tls)
        with closing(gateway):
            if gateway.observe(project.metadata.name).engine is None:
                raise UsageError(HOSTED, hint="leave --promote out; apply runs the spec there after the merge")
            yield Target(root, connection, gateway, clock)


def check_label(label: str) -> None:
    """Raise UsageError for a label that cannot name previews."""
    if len(label) > LONGEST_LABEL or not label.isprintable() or label.startswith(OWN):
        raise UsageError(
            f"--label takes up to {LONGEST_LABEL} printable characters that do not begin with `{OWN.strip()}`"
        )


def promote(made: Preview, to: Target, label: str, tell: Callable[[str], None]) -> Preview:
    """Make the full run of each set that the plan would launch or relaunch, unless something speaks against it."""
    if all(_objection(one) for one in made.sets):
        return replace(made, sets=tuple(_noted(one, _objection(one)) for one in made.sets))
    loaded = load(to.root)
    names = frozenset(one.set for one in made.sets if not _objection(one))
    planned = compare(loaded, to.connection, to.gateway, Consent(), Selection(only=names))
    bench = Bench(to.gateway, to.clock, made.project, loaded.commit, keep=True)
    published = frozenset(lock.run for lock in loaded.locks.values())
    sets = []
    for one in made.sets:
        objection = _objection(one)
        if objection:
            sets.append(_noted(one, objection))
            continue
        done = _promoted(one, planned.plan, bench, label, tell)
        if done.promoted and label:
            _replace(done, planned.observed, bench, label, published)
        sets.append(done)
    return replace(made, sets=tuple(sets))


def _objection(one: SetPreview) -> str:
    """Why the full run of a set is not made; empty when nothing speaks against it."""
    if one.error:
        return "not promoted: the run failed"
    if one.basis is Basis.SAMPLE:
        return "not promoted: it ran on a sample, and only a run on the data can be published"
    if one.failing:
        return "not promoted: a gate would fail, so that apply could not publish it"
    return ""


def _noted(one: SetPreview, note: str) -> SetPreview:
    return replace(one, notes=(*one.notes, note))


def _promoted(one: SetPreview, plan: Plan, bench: Bench, label: str, tell: Callable[[str], None]) -> SetPreview:
    change = next((change for change in plan.changes if change.set == one.set), None)
    if change is not None and change.reason is Reason.PREVIEWED and change.current is not None:
        return replace(one, promoted=change.current.id)
    if change is None or change.action not in {Action.LAUNCH, Action.RELAUNCH}:
        return _noted(one, f"not promoted: apply would not run it ({_why(change)})")
    tell(one.set)
    try:
        return replace(one, promoted=_run(change, bench, label).id)
    except RemoteUnavailable:
        raise
    except AvatarGitOpsError as error:
        return _noted(one, f"not promoted: {error.message}")


def _why(change: Change | None) -> str:
    return change.reason.value.replace("_", " ") if change else "not in the plan"


def _run(change: Change, bench: Bench, label: str) -> ServerSet:
    """All jobs of the spec, in a version that the planner takes once the spec is merged; deleted when one fails."""
    assert change.desired is not None
    started: dict[Job, ServerJob] = {}
    try:
        version = launch(change.desired, wanted(change.desired.run), label or _default(bench), bench, started)
        follow(change.set, started, bench)
    except BaseException as error:
        if started and (isinstance(error, TrialFailed) or not isinstance(error, AvatarGitOpsError)):
            bench.server.delete([job.name for job in started.values()])
        raise
    return version


def _default(bench: Bench) -> str:
    return bench.commit[:12] or "not committed"


def _replace(one: SetPreview, before: Observed, bench: Bench, label: str, published: frozenset[str]) -> None:
    """Delete what this label held of the set so far."""
    old = labelled(before, bench.project, label, {one.promoted, *published})
    mine = [version for version in old if version.annotations.get(Annotation.SET) == one.set]
    bench.server.delete([job.name for version in mine for job in version.jobs])


def labelled(found: Observed, project: str, label: str, keep: Collection[str]) -> list[ServerSet]:
    """Previews of a label; never one that is published, or that another version builds on."""
    used = {version.base_set for version in found.sets}
    return [
        version
        for version in found.sets
        if version.project == project
        and version.annotations.get(Annotation.PREVIEW) == label
        and version.id not in used
        and version.id not in keep
    ]


def discard(project: Path | None, server: str | None, label: str, clock: Clock) -> tuple[str, ...]:
    """Delete what was promoted under a label and is not published; returns the names of the sets that had some."""
    applied = load_applied(project)
    with open_server(applied.root, applied.project, server) as connection:
        verify = connection.verify_tls
        gateway = connect(connection.base_url, connection.api_key, root=applied.root, clock=clock, verify=verify)
        with closing(gateway):
            published = {lock.run for lock in applied.locks.values()}
            old = labelled(gateway.observe(applied.name), applied.name, label, published)
            gateway.delete([job.name for version in old for job in version.jobs])
    return tuple(sorted({version.annotations.get(Annotation.SET, version.display_name) for version in old}))
