"""The workspace as the executor sees it: inputs as they are now, artifacts and locks that survive a crash."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar_gitops.app import artifacts
from avatar_gitops.app.summaries import summary
from avatar_gitops.plan.desired import DesiredSet, TableInput
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.plan.outcome import RunResult
from avatar_gitops.workspace import files, locks

REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True)
class Publisher:
    """Implements `ports.Workspace` on a project folder; `read_inputs` gives the data files as they are now."""

    root: Path
    out: Path
    commit: str
    read_inputs: Callable[[DesiredSet], tuple[TableInput, ...]]

    def inputs(self, desired: DesiredSet) -> tuple[TableInput, ...]:
        """The data files as they are now."""
        return self.read_inputs(desired)

    def publish(self, desired: DesiredSet, lock: Lock, result: RunResult) -> Lock:
        """Replace `out/<set>/` as a whole, then write the lock; the lock is what makes a version the published one."""
        contents = {f"avatars/{avatars.name}": avatars.content for avatars in result.avatars.values()}
        contents |= {a.name: a.content for a in artifacts.documents(desired, result, lock.gates, self.commit)}
        contents["summary.md"] = summary(desired, result, lock.gates, published=True).encode()
        contents[artifacts.SUMS] = artifacts.sums(contents)
        written = replace(lock, outputs=artifacts.digests(contents))
        self._replace(desired.name, contents)
        locks.write(self.root, written)
        return written

    def update(self, desired: DesiredSet, lock: Lock) -> None:
        """Write the lock only."""
        locks.write(self.root, lock)

    def remove(self, name: str, path: str) -> None:
        """Remove the lock and the artifacts of a deleted set."""
        if path:
            locks.remove(self.root, path)
        shutil.rmtree(self.out / name, ignore_errors=True)

    def failed(self, desired: DesiredSet, result: RunResult, gates: Sequence[GateResult]) -> None:
        """Keep what a rejected run measured in `out/<set>/rejected/`; its avatars stay on the server."""
        folder = self.out / desired.name / REJECTED
        folder.mkdir(parents=True, exist_ok=True)
        content = artifacts.json_bytes(artifacts.metrics(desired, result))
        files.write_atomic(folder / "metrics.json", content)
        files.write_atomic(folder / "summary.md", summary(desired, result, gates, published=False).encode())

    def _replace(self, name: str, contents: dict[str, bytes]) -> None:
        """Write the folder beside the old one and swap; what a crash left behind is cleaned first."""
        target, fresh, old = self.out / name, self.out / f".{name}.new", self.out / f".{name}.old"
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
