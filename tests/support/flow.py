"""Projects on disk, the command line on them, and a view of the embedded platform, for the flow tests."""

from __future__ import annotations

import io
import os
import random
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from avatar_gitops.cli import main

FIVE = ["privacy_metrics", "report", "report_pia", "signal_metrics", "standard"]

PROJECT = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {{name: {name}}}
spec: {{server: env{more}}}
"""

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: {name}
spec:
  seed: 7
  tables:
    people:
      source: data/people.csv
      avatarization: {{k: {k}}}
"""


@dataclass(frozen=True)
class Result:
    """What one call of the command line gave."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Cli:
    """A project on disk and the command line on it: called in this process, or as a command to start.

    `stream` makes what it writes to; a plain one has no encoding, so only ASCII signs are written to it.
    """

    root: Path
    environment: dict[str, str] = field(repr=False)
    stream: Callable[[], io.StringIO] = io.StringIO

    def __call__(self, *args: str) -> Result:
        out, err = self.stream(), self.stream()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.root)
            for name in os.environ.keys() - self.environment.keys():
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            code = main.run(list(args))
        return Result(code, out.getvalue(), err.getvalue())

    def command(self, *args: str) -> list[str]:
        """The same call as a process of its own, for tests that kill it."""
        return [sys.executable, "-m", "avatar_gitops", *args]

    def spec(self, name: str, k: int = 10, more: str = "") -> Path:
        path = self.root / "configs" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(SPEC.format(name=name, k=k) + more, encoding="utf-8")
        return path

    def project(self, name: str, more: str = "") -> None:
        (self.root / "avatar-gitops.yaml").write_text(PROJECT.format(name=name, more=more), encoding="utf-8")


@dataclass(frozen=True)
class Platform:
    """A running embedded platform."""

    base_url: str
    api_key: str = field(repr=False)
    state: Path | None = None

    @property
    def log(self) -> bytes:
        """What the server has logged so far."""
        path = self.state / "server.log" if self.state else None
        return path.read_bytes() if path is not None and path.is_file() else b""

    def get(self, path: str, **query: Any) -> Any:
        headers = {"Authorization": f"api-key-v1 {self.api_key}"}
        answer = httpx.get(f"{self.base_url}/api{path}", params=query, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def put(self, name: str, documents: str, jobs: Sequence[str] = ("standard",)) -> str:
        """Make a set as any other client does, launch these jobs after each other, and return its id."""
        headers = {"Authorization": f"api-key-v1 {self.api_key}"}
        at = f"{self.base_url}/api"
        yaml = {**headers, "Content-Type": "application/yaml"}
        answer = httpx.put(f"{at}/resources/{name}", content=documents.encode(), headers=yaml, timeout=30)
        set_id: str = answer.raise_for_status().json()["set_name"]
        after: list[str] = []
        for job in jobs:
            said = {"set_name": set_id, "parameters_name": job, "depends_on": after}
            made = httpx.post(f"{at}/jobs", json=said, headers=headers, timeout=30).raise_for_status().json()
            after = [*after, f"/jobs/{made['name']}"]
        return set_id

    def wait(self, display_name: str, seconds: float = 60) -> None:
        """Until every job of a set is done."""
        end = time.monotonic() + seconds
        while not all(job["done"] for job in self.jobs(display_name)):
            assert time.monotonic() < end
            time.sleep(0.05)

    def delete(self, display_name: str) -> None:
        """Delete all jobs of a set, as somebody in the web application would."""
        headers = {"Authorization": f"api-key-v1 {self.api_key}"}
        for job in self.jobs(display_name):
            httpx.delete(f"{self.base_url}/api/jobs/{job['name']}", headers=headers, timeout=30).raise_for_status()

    def jobs(self, display_name: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.get("/jobs", display_name=display_name)["jobs"]
        return listed


def people(rows: int = 60, seed: int = 1) -> str:
    """A generated table: two numbers and two categories."""
    draw = random.Random(seed)
    lines = ["age,height,city,smoker"]
    for _ in range(rows):
        age = draw.randint(18, 90)
        city = draw.choice(["Lyon", "Nantes", "Paris"])
        lines.append(f"{age},{150 + age / 5 + draw.gauss(0, 8):.1f},{city},{draw.choice(['yes', 'no'])}")
    return "\n".join(lines) + "\n"


def journal_lines(cli: Cli) -> int:
    """Lines of all journals of a project: how far an apply has come."""
    return sum(path.read_text().count("\n") for path in (cli.root / ".avatar" / "journal").glob("*.jsonl"))
