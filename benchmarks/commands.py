"""How long commands take as whole processes, beside a bare interpreter in the same run."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.results import table, versions

RUNS: Final = 11
SPECS: Final = 200

PROJECT: Final = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: bench}\n"
SPEC: Final = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: set-NUMBER
  owner: bench@example.org
spec:
  seed: NUMBER
  tables:
    people:
      source: data/people.csv
      columns:
        city: {type: category, tag: quasi_identifier}
      avatarization: {k: 10, ncp: 5}
      privacy_metrics: {known_variables: [age], target: city}
  gates: {hidden_rate: ">= 90", hellinger_mean: "<= 0.1"}
"""


def section() -> str:
    """Measure start-up and validation."""
    program = [sys.executable, "-m", "avatar_gitops"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        specs = _project(root)
        commands = {
            "bare interpreter": [sys.executable, "-c", "pass"],
            "avatar-gitops --help": [*program, "--help"],
            "avatar-gitops validate, 1 file": [*program, "validate", str(specs[0])],
            f"avatar-gitops validate, {SPECS} specs": [*program, "validate", "--project", str(root)],
        }
        seconds = {name: _median(command) for name, command in commands.items()}
    floor = seconds["bare interpreter"]
    rows = [[name, f"{1000 * value:.0f}", f"{value / floor:.1f}"] for name, value in seconds.items()]
    return "\n\n".join(
        [
            f"""## Commands: start-up and validation

Command: `python -m benchmarks commands`. {versions("click", "pydantic", "ruamel.yaml", "jsonschema")}.
Whole process, start to exit, median of {RUNS} runs after one that is not counted.""",
            table(["command", "wall ms", "ratio to the interpreter"], rows),
        ]
    )


def _project(root: Path) -> list[Path]:
    (root / "avatar-gitops.yaml").write_text(PROJECT, encoding="utf-8")
    (root / "configs").mkdir()
    (root / "data").mkdir()
    people = "".join(f"{20 + row % 60},{'Lyon' if row % 3 else 'Nantes'}\n" for row in range(100))
    (root / "data" / "people.csv").write_text("age,city\n" + people, encoding="utf-8")
    paths = []
    for number in range(SPECS):
        path = root / "configs" / f"set-{number}.yaml"
        path.write_text(SPEC.replace("NUMBER", str(number)), encoding="utf-8")
        paths.append(path)
    return paths


def _median(command: list[str]) -> float:
    return statistics.median([_once(command) for _ in range(RUNS + 1)][1:])


def _once(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start
