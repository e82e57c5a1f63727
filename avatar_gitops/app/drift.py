"""`drift`: how the server differs from what was applied. Given a reader of the server, so that it cannot change it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

from avatar_gitops.app.clock import SystemClock, today
from avatar_gitops.app.inputs import ROLES, digest_key
from avatar_gitops.app.loading import AppliedProject, load_applied
from avatar_gitops.app.notifying import Sender, notify_drift
from avatar_gitops.app.servers import open_server
from avatar_gitops.client.gateway import reader
from avatar_gitops.errors import UsageError
from avatar_gitops.events import Listener, Stream
from avatar_gitops.plan.blocks import Blocks
from avatar_gitops.plan.desired import input_name
from avatar_gitops.plan.drift import Drift, Seen, narrowed, passed, standing
from avatar_gitops.plan.drift import drift as find_drift
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.model import Action, Change, Reason
from avatar_gitops.plan.observed import Observed
from avatar_gitops.plan.select import Selection, chosen
from avatar_gitops.ports import RunReader
from avatar_gitops.spec.facts import scheme
from avatar_gitops.spec.models import Job
from avatar_gitops.workspace.inputs import file_digest, local_path
from avatar_gitops.workspace.shelf import FolderShelf

EVERYTHING: Final = Selection()


def drift(
    project: Path | None, server: str | None, listener: Listener | None = None, selection: Selection = EVERYTHING
) -> Drift:
    """Compare the lock files with the server and with the files on disk. The specs need not be valid.

    Webhooks that ask for drift are told of it when all sets were compared. Raises UsageError for a selection that asks
    for more than lock files say.
    """
    applied = load_applied(project)
    stream, clock = Stream.of(listener), SystemClock()
    with (
        open_server(applied.root, applied.project, server) as connection,
        closing(
            reader(connection.base_url, connection.api_key, clock=clock, verify=connection.verify_tls, listener=stream)
        ) as remote,
    ):
        remote.remember(FolderShelf(applied.root))
        found = compare(applied, connection.name, remote, selection)
    if selection.everything:
        notify_drift(Sender.of(applied.root, applied.project, found.server, os.environ, (stream, clock)), found)
    return found


def compare(applied: AppliedProject, server: str, remote: RunReader, selection: Selection = EVERYTHING) -> Drift:
    """The drift of a project on a server that answers."""
    wanted = _selected(applied, selection)
    observed = replace(remote.observe(applied.name), server=server)
    key = digest_key(applied.project, os.environ, required=False)
    seen = Seen(
        inputs={name: dict(_inputs(applied.root, lock, key)) for name, lock in wanted.items()},
        artifacts={name: dict(_artifacts(applied.out, lock)) for name, lock in wanted.items()},
        expired=frozenset(_expired(applied, wanted, observed, remote)),
    )
    found = find_drift(applied.locks.values(), observed, applied.name, seen, Blocks.of(applied.project))
    return passed(narrowed(found, wanted, len(wanted)), applied.project.spec.ignore_drift, today())


def _selected(applied: AppliedProject, selection: Selection) -> Mapping[str, Lock]:
    """The locks that a selection means, by what they say; they know neither git nor the state of a plan."""
    for text in (*selection.select, *selection.exclude):
        if text.partition(":")[0] in {"git", "state", "weaker"} and ":" in text:
            raise UsageError(f"`{text}` cannot be used here", hint="NAME, path:GLOB, label:KEY[=VALUE] or owner:TEXT")
    changes = [
        Change(lock.set, Action.UNCHANGED, Reason.NOTHING_CHANGED, lock.path, lock=lock)
        for lock in applied.locks.values()
    ]
    names = chosen(changes, selection)
    return {name: lock for name, lock in applied.locks.items() if name in names}


def _expired(
    applied: AppliedProject, wanted: Mapping[str, Lock], observed: Observed, remote: RunReader
) -> Iterator[str]:
    """Sets whose published run is listed but has no results any more; one question for each set."""
    now = standing(applied.locks.values(), observed, applied.name, Blocks.of(applied.project))
    for name, lock in wanted.items():
        ours = now.ours(lock)
        if lock.run not in {owned.id for owned in ours}:
            continue
        finished = {job.name for owned in ours for job in owned.jobs if job.done and not job.failed}
        jobs = [lock.jobs[job] for job in Job if lock.jobs.get(job) in finished]
        if jobs and not remote.has_results(jobs[0]):
            yield name


def _inputs(root: Path, lock: Lock, key: bytes | None) -> Iterator[tuple[str, str]]:
    """Digests of the data files that the published run was made from, as far as they are here."""
    uris = _uris(lock)
    for item in lock.inputs:
        uri = uris.get(item.table, "")
        keyed = item.digest.startswith("hmac-")
        path = local_path(root, uri) if uri and scheme(uri) is None else None
        if path is not None and path.is_file() and not (keyed and key is None):
            yield item.table, file_digest(path, key if keyed else None)


def _uris(lock: Lock) -> Mapping[str, str]:
    """Input to the place that the published spec gave for it."""
    found: dict[str, str] = {}
    for name, table in lock.spec.get("spec", {}).get("tables", {}).items():
        for role in ROLES:
            found[input_name(name, role)] = str((table.get(role) or {}).get("uri", ""))
    return found


def _artifacts(out: Path, lock: Lock) -> Iterator[tuple[str, str]]:
    """Digests of the published files that are here."""
    for name in lock.outputs:
        path = local_path(out, f"{lock.set}/{name}")
        if path is not None and path.is_file():
            yield name, file_digest(path)
