"""A project of many specs, and a server that holds a finished run of each; what the scale benchmark measures."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.app.loading import load
from avatar_gitops.client.compile import to_yaml
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import GateResult, Lock
from avatar_gitops.server.accounts import ensure_administrator, issue_key
from avatar_gitops.server.database import create_tables, job_parents, jobs, open_database, sets, writing
from avatar_gitops.server.sets import JOB_KINDS, WELL_KNOWN
from avatar_gitops.server.state import StateFolder, write_private
from avatar_gitops.workspace.locks import write_lock
from benchmarks.shapes import SHAPES

PROJECT: Final = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {name: fleet}
spec: {server: env, prune: owned}
"""
PARENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "standard": (),
    "privacy_metrics": ("standard",),
    "signal_metrics": ("standard",),
    "report": ("privacy_metrics", "signal_metrics"),
    "report_pia": ("privacy_metrics", "signal_metrics"),
}


@dataclass(frozen=True, slots=True)
class Fleet:
    """A project folder, its spec files and the state folder of its server."""

    root: Path
    specs: tuple[Path, ...]
    state: StateFolder

    @property
    def client_env(self) -> dict[str, str]:
        """Address and key of the server, as the command line wants them."""
        lines = self.state.client_env.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


def make(folder: Path, number: int, foreign: int = 0) -> Fleet:
    """A project of `number` specs with a finished, published run of each, and `foreign` sets of somebody else."""
    root = folder / "project"
    (root / "data").mkdir(parents=True)
    (root / "configs").mkdir()
    (root / "avatar-gitops.yaml").write_text(PROJECT, encoding="utf-8")
    people = "".join(f"{20 + row % 60},{'FM'[row % 2]},{1000 + row % 95},{row % 7}\n" for row in range(400))
    (root / "data" / "people.csv").write_text("age,sex,zone,visits\n" + people, encoding="utf-8")
    specs = []
    for index in range(number):
        specs.append(root / "configs" / f"team-{index % 20:02}" / f"set-{index:04}.yaml")
        specs[-1].parent.mkdir(exist_ok=True)
        specs[-1].write_text(SHAPES[index % len(SHAPES)].replace("NUMBER", f"{index:04}"), encoding="utf-8")
    fleet = Fleet(root, tuple(specs), StateFolder(folder / "state"))
    _fill(fleet, foreign)
    return fleet


def _fill(fleet: Fleet, foreign: int) -> None:
    """Rows as the server itself writes them, and the lock of each published run."""
    fleet.state.create()
    engine = open_database(fleet.state.database)
    create_tables(engine)
    owner = ensure_administrator(engine)
    assert owner is not None, "a new platform has an administrator"
    _, key = issue_key(engine, owner.id, "benchmark", 30)
    write_private(fleet.state.client_env, f"AVATAR_BASE_URL=\nAVATAR_API_KEY={key}\n")
    rows = _Rows(owner.id)
    desired = load(fleet.root).desired
    for item in desired:
        write_lock(fleet.root, rows.add(item, "fleet"))
    for index in range(foreign):
        rows.add(desired[index % len(desired)], "another-project", f"theirs-{index:04}")
    with writing(engine) as connection:
        for table, content in ((sets, rows.sets), (jobs, rows.jobs), (job_parents, rows.parents)):
            connection.execute(table.insert(), content)
    engine.dispose()


class _Rows:
    """Rows of finished runs, one minute apart."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.at = datetime.now(UTC) - timedelta(days=30)
        self.sets: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.parents: list[dict[str, Any]] = []

    def add(self, item: DesiredSet, project: str, name: str = "") -> Lock:
        """One version with its jobs; returns the lock of publishing it."""
        self.at += timedelta(minutes=1)
        when = self.at.isoformat(timespec="microseconds")
        set_id = str(uuid.uuid4())
        documents = to_yaml(item, marks(item, project, "4f2a91c", __version__))
        row = {"id": set_id, "user_id": self.owner, "display_name": name or item.name}
        self.sets.append(row | {"documents": documents, "created_at": when})
        made = {job.value: str(uuid.uuid4()) for job in item.run.spec.jobs}
        for job, job_id in made.items():
            status = {"status": "finished", "exception": "", "progress": 1.0, "created_at": when, "finished_at": when}
            of = {"name": job_id, "user_id": self.owner, "set_id": set_id, "parameters_name": job}
            self.jobs.append(of | status | {"kind": JOB_KINDS[WELL_KNOWN[job]] if job in WELL_KNOWN else job})
            parents = [made[parent] for parent in PARENTS[job] if parent in made]
            self.parents += [{"job": job_id, "parent": it, "position": at} for at, it in enumerate(parents)]
        return _lock(item, set_id, when, made)


def _lock(item: DesiredSet, run: str, when: str, made: Mapping[str, str]) -> Lock:
    metrics = {"hidden_rate": 93.125, "local_cloaking": 7.0, "hellinger_mean": 0.0523, "dcr_median": 0.1318}
    more = {"nndr_median": 0.6995, "correlation_difference_ratio": 4.25, "column_direct_match_protection": 71.5}
    gates = tuple(GateResult(gate, str(rule), 93.125, True) for gate, rule in item.run.spec.gates.items())
    names = ("avatars/people.csv", "metrics.json", "report.pdf", "report_pia.docx", "summary.md")
    return Lock(
        set=item.name,
        path=item.path,
        digests=item.digests,
        spec=item.resolved,
        inputs=item.inputs,
        run=run,
        started=when,
        finished=when,
        jobs=made,
        engine="1.4.0",
        outputs=dict.fromkeys(names, f"sha256:{'0123456789abcdef' * 4}"),
        metrics={"people": metrics | more},
        gates=gates,
        commit="4f2a91c",
        noise={"people": {"hidden_rate": 1.25, "local_cloaking": 0.5}},
    )


@contextmanager
def serving(fleet: Fleet) -> Iterator[dict[str, str]]:
    """The server as a process of its own, and the environment of commands that use it."""
    command = [sys.executable, "-m", "benchmarks.counting", str(fleet.state.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().strip()
            yield fleet.client_env | {"AVATAR_BASE_URL": base_url}
        finally:
            process.terminate()
