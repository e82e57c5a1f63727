"""The workspace as the executor sees it: inputs as they are now, artifacts and locks that survive a crash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from avatar_gitops.app import artifacts
from avatar_gitops.app.approving import Notes
from avatar_gitops.app.facts import Answered
from avatar_gitops.app.loading import Loaded
from avatar_gitops.app.reports import earlier_facts, project_templates
from avatar_gitops.app.signing import Seal
from avatar_gitops.app.summaries import summary
from avatar_gitops.assessment import AssessmentFacts
from avatar_gitops.audit.statement import ENVELOPE, REPLAY_ENVELOPE, REPLAY_FILE, Origin, run_statement, statement_bytes
from avatar_gitops.audit.statement import FILE as STATEMENT
from avatar_gitops.plan.deletion import FILE as RECEIPT
from avatar_gitops.plan.deletion import Deletion, document
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.ledger import made_by
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.wire.environment import parsed
from avatar_gitops.workspace import files
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.ledger import append_releases
from avatar_gitops.workspace.locks import remove_lock, write_lock

REJECTED: Final = "rejected"
REMADE: Final = frozenset({artifacts.SUMS, STATEMENT, ENVELOPE, REPLAY_FILE, REPLAY_ENVELOPE})
"""Files that tell of all others, so that they are made again with them, or go."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """Implements `ports.Workspace` on the project folder."""

    loaded: Loaded
    approved_by: tuple[str, ...] = ()
    notes: Notes | None = None
    seal: Seal | None = None

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        """The data files as they are now."""
        return self.loaded.inputs(desired)

    def publish(self, desired: DesiredSet, lock: Lock, result: RunResult) -> Lock:
        """Replace `out/<set>/` as a whole, put the release on record, then write the lock.

        The lock is what makes a version the published one, so that what comes before it is done again after a crash.
        """
        if self.notes is not None:
            lock = replace(lock, applied=self.notes.applied(desired.name))
        contents = {avatars.name: avatars.content for avatars in result.avatars.values()}
        contents |= self._documents(desired, lock, result)
        self._attest(lock, result, contents)
        self._replace(desired.name, contents)
        written = replace(lock, outputs=artifacts.digests(contents))
        files_of = {table: written.outputs[avatars.name] for table, avatars in result.avatars.items()}
        append_releases(self.loaded.root, made_by(written, files_of))
        self._write_lock(written)
        return written

    def update(self, desired: DesiredSet, lock: Lock) -> None:
        """Write the lock, and, if the artifacts are here, the documents again: they say owner and purpose."""
        noted = self.notes.applied(desired.name) if self.notes is not None else None
        if noted is not None and (noted.weaker or noted.waivers):
            lock = replace(lock, applied=noted)
        folder = self.loaded.out / desired.name
        if (folder / "metrics.json").is_file():
            contents = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and path.name not in REMADE and REJECTED not in path.parts
            }
            measured = _measured(lock, contents)
            contents |= self._documents(desired, lock, measured, earlier_facts(contents))
            self._attest(lock, measured, contents)
            self._replace(desired.name, contents)
            lock = replace(lock, outputs=artifacts.digests(contents))
        self._write_lock(lock)

    def remove(self, gone: Deletion) -> str:
        """Put a receipt in the place of the artifacts, then remove the lock.

        A receipt of the same run stays: only a crash came between it and the end of the lock.
        """
        receipt = self.loaded.out / gone.set / RECEIPT
        if not (gone.published and _published(receipt) == gone.published):
            self._replace(gone.set, {RECEIPT: artifacts.json_bytes(document(gone, self.approved_by))})
        if gone.path:
            remove_lock(self.loaded.root, gone.path, gone.set)
        return shown(self.loaded.root, receipt)

    def move(self, former: str, name: str) -> None:
        """Move the artifacts of a set that has another name now; what is there under the new name already stays."""
        before, after = self.loaded.out / former, self.loaded.out / name
        if before.is_dir() and not (after / "metrics.json").is_file():
            shutil.rmtree(after, ignore_errors=True)
            before.rename(after)

    def forget(self, former: str, path: str) -> None:
        """Remove the lock and the artifacts that stand under a former name."""
        if path:
            remove_lock(self.loaded.root, path, former)
        shutil.rmtree(self.loaded.out / former, ignore_errors=True)

    def failed(self, desired: DesiredSet, result: RunResult, gates: Sequence[GateResult]) -> None:
        """Keep what a rejected run measured in `out/<set>/rejected/`; its avatars stay on the server."""
        folder = self.loaded.out / desired.name / REJECTED
        folder.mkdir(parents=True, exist_ok=True)
        files.write_atomic(
            folder / "metrics.json", artifacts.json_bytes(artifacts.metrics(desired.name, result.blocks))
        )
        for name, content in summary(desired, result, gates, published=False).items():
            files.write_atomic(folder / name, content)

    def _documents(
        self, desired: DesiredSet, lock: Lock, result: RunResult, earlier: AssessmentFacts | None = None
    ) -> dict[str, bytes]:
        project = self.loaded.project
        told = Answered(lock.gates, lock.applied, self.loaded.commit, tuple(project.spec.reports.signers))
        templates = project_templates(self.loaded.root, project)
        made = artifacts.documents(desired, result, told, earlier, templates)
        told_short = summary(
            desired, result, lock.gates, published=True, applied=lock.applied, templates=templates.folder
        )
        return {artifact.name: artifact.content for artifact in made} | told_short

    def _attest(self, lock: Lock, result: RunResult, contents: dict[str, bytes]) -> None:
        """Add the statement about all files, its signature if the project signs, and the list of digests."""
        server = self.notes.plan.server if self.notes is not None else ""
        origin = Origin(self.loaded.name, server, result.seed, artifacts.environment(result))
        made = statement_bytes(run_statement(lock, artifacts.digests(contents), origin))
        contents[STATEMENT] = made
        if self.seal is not None:
            contents[ENVELOPE] = self.seal(made)
        contents[artifacts.SUMS] = artifacts.sums(contents)

    def _write_lock(self, lock: Lock) -> None:
        """Write the lock; when the spec has moved, the lock beside its old place goes."""
        run = self.loaded.runs.get(lock.set)
        write_lock(self.loaded.root, lock, one_of_many=run is not None and bool(run.matrix))
        before = self.loaded.locks.get(lock.set)
        if before is not None and before.path != lock.path:
            remove_lock(self.loaded.root, before.path, lock.set)

    def _replace(self, name: str, contents: dict[str, bytes]) -> None:
        """Write the folder beside the old one and swap; what a crash left behind is cleaned first."""
        out = self.loaded.out
        target, fresh, old = out / name, out / f".{name}.new", out / f".{name}.old"
        for leftover in (fresh, old):
            shutil.rmtree(leftover, ignore_errors=True)
        for path, content in contents.items():
            file = fresh / path
            file.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(file, content)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def _published(receipt: Path) -> str:
    """The run whose end a receipt tells; empty when there is no receipt that can be read."""
    try:
        return str(json.loads(receipt.read_bytes())["published_run"] or "")
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _measured(lock: Lock, contents: Mapping[str, bytes]) -> RunResult:
    """The result of a published run as far as documents need it, from the lock and the artifacts that it left."""
    said = _object(contents.get("run.json", b""))
    return RunResult(
        set_id=lock.run,
        jobs=lock.jobs,
        avatars={},
        blocks=artifacts.blocks(contents["metrics.json"]),
        reports=(),
        engine=lock.engine,
        started=lock.started,
        finished=lock.finished,
        seed=said.get("seed"),
        environment=parsed(said.get("environment")),
    )


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
