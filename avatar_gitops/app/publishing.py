"""The workspace as the executor sees it: inputs as they are now, artifacts and locks that survive a crash."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from avatar_gitops.app import artifacts
from avatar_gitops.app.loading import Loaded
from avatar_gitops.app.summaries import summary
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.workspace import files
from avatar_gitops.workspace.locks import lock_path, write_lock

REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Implements `ports.Workspace` on the project folder."""

    loaded: Loaded

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        """The data files as they are now."""
        return self.loaded.inputs(desired)

    def publish(self, desired: DesiredSet, lock: Lock, result: RunResult) -> Lock:
        """Replace `out/<set>/` as a whole, then write the lock; the lock is what makes a version the published one."""
        contents = {avatars.name: avatars.content for avatars in result.avatars.values()}
        contents |= self._documents(desired, lock, result)
        contents[artifacts.SUMS] = artifacts.sums(contents)
        self._replace(desired.name, contents)
        written = replace(lock, outputs=artifacts.digests(contents))
        self._write_lock(written)
        return written

    def update(self, desired: DesiredSet, lock: Lock) -> None:
        """Write the lock, and, if the artifacts are here, the documents again: they say owner and purpose."""
        folder = self.loaded.out / desired.name
        if (folder / "metrics.json").is_file():
            contents = {
                path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*")
                if path.is_file() and path.name != artifacts.SUMS and REJECTED not in path.parts
            }
            contents |= self._documents(desired, lock, _measured(lock, contents["metrics.json"]))
            contents[artifacts.SUMS] = artifacts.sums(contents)
            self._replace(desired.name, contents)
            lock = replace(lock, outputs=artifacts.digests(contents))
        self._write_lock(lock)

    def remove(self, name: str, path: str) -> None:
        """Remove the lock and the artifacts of a deleted set."""
        if path:
            files.remove(lock_path(self.loaded.root, path))
        shutil.rmtree(self.loaded.out / name, ignore_errors=True)

    def failed(self, desired: DesiredSet, result: RunResult, gates: Sequence[GateResult]) -> None:
        """Keep what a rejected run measured in `out/<set>/rejected/`; its avatars stay on the server."""
        folder = self.loaded.out / desired.name / REJECTED
        folder.mkdir(parents=True, exist_ok=True)
        files.write_atomic(
            folder / "metrics.json", artifacts.json_bytes(artifacts.metrics(desired.name, result.blocks))
        )
        files.write_atomic(folder / "summary.md", summary(desired, result, gates, published=False))

    def _documents(self, desired: DesiredSet, lock: Lock, result: RunResult) -> dict[str, bytes]:
        made = artifacts.documents(desired, result, lock.gates, self.loaded.commit)
        text = summary(desired, result, lock.gates, published=True)
        return {artifact.name: artifact.content for artifact in made} | {"summary.md": text.encode()}

    def _write_lock(self, lock: Lock) -> None:
        """Write the lock; when the spec has moved, the lock beside its old place goes."""
        write_lock(self.loaded.root, lock)
        before = self.loaded.locks.get(lock.set)
        if before is not None and before.path != lock.path:
            files.remove(lock_path(self.loaded.root, before.path))

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


def _measured(lock: Lock, metrics: bytes) -> RunResult:
    """The result of a published run as far as documents need it."""
    return RunResult(
        set_id=lock.run,
        jobs=lock.jobs,
        avatars={},
        blocks=artifacts.blocks(metrics),
        reports=(),
        engine=lock.engine,
        started=lock.started,
        finished=lock.finished,
    )
