"""A thousand specs: `plan` against a server that holds a run of each, and `validate` beside check-jsonschema."""

from __future__ import annotations

import compileall
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import avatar_gitops
from benchmarks import fleet
from benchmarks.counting import COUNTS
from benchmarks.results import Unavailable, table, versions

SPECS: Final = 1000
CHANGED: Final = 10
RUNS: Final = 5
CHECKER: Final = "check-jsonschema==0.39.0"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "avatar-gitops-benchmarks"
SCHEMA: Final = Path(__file__).parents[1] / "schemas" / "run.v1.schema.json"
PROGRAM: Final = (sys.executable, "-m", "avatar_gitops")


@dataclass(frozen=True, slots=True)
class Measured:
    """Median wall and processor seconds of whole processes, and what the last one asked the server for."""

    wall: float
    processor: float
    asked: str = ""
    code: int = 0


def section() -> str:
    """Measure plan and validate."""
    checker = _checker()
    compileall.compile_dir(Path(avatar_gitops.__file__).parent, quiet=1)  # as pip did for the other program
    with tempfile.TemporaryDirectory() as folder:
        made = fleet.make(Path(folder), SPECS)
        plans = _plans(made)
        validations = _validations(made, checker)
    with tempfile.TemporaryDirectory() as folder:
        crowded = _crowded(fleet.make(Path(folder), SPECS, foreign=SPECS))
    rows = [[name, f"{it.wall:.2f}", f"{it.processor:.2f}", it.asked] for name, it in {**plans, **crowded}.items()]
    ours, theirs = validations
    ratio = f"{theirs.wall / ours.wall:.1f}"
    return "\n\n".join(
        [
            _introduction(),
            table(["plan", "wall s", "processor s", "requests"], rows),
            f"### `validate` beside {CHECKER.replace('==', ' ')}, the same {SPECS:,} files in the same run",
            table(
                ["command", "wall s", "processor s", "ratio"],
                [
                    ["avatar-gitops validate", f"{ours.wall:.2f}", f"{ours.processor:.2f}", "1"],
                    ["check-jsonschema", f"{theirs.wall:.2f}", f"{theirs.processor:.2f}", ratio],
                ],
            ),
            _COMPARISON,
        ]
    )


_COMPARISON: Final = """\
check-jsonschema reads each file as YAML and applies `schemas/run.v1.schema.json`. `avatar-gitops validate` reads the
same files, accepts exactly what that schema accepts (a property test holds it), and besides keeps the position of every
value, refuses duplicate keys, looks for secrets, merges layers, opens the header of every table and counts its rows as
far as `k` needs, compares columns, gates and names, and looks at the project file. Lock files are in the folder and
are given to neither."""


def _introduction() -> str:
    names = ("pydantic", "ruamel.yaml", "jsonschema", "httpx", "fastapi", "sqlalchemy")
    return f"""## Scale: {SPECS:,} specs

Command: `python -m benchmarks scale`. {versions(*names)}; {os.cpu_count()} cores.
Whole processes, start to exit, median of {RUNS}. Load average while it ran: {os.getloadavg()[0]:.1f} (the plan and its
server together keep up to 2 cores busy; anything above is other work on the machine).

The server is the embedded platform in a process of its own on the same cores, with a finished, published run of every
spec ({SPECS:,} sets, {_JOBS}) and a lock file beside each spec. Cold means that nothing was remembered from an
earlier command; warm, that a plan ran before."""


_JOBS: Final = "5 jobs each"


def _plans(made: fleet.Fleet) -> dict[str, Measured]:
    with fleet.serving(made) as environment:
        cold = _measure(lambda: _plan(made, environment), before=lambda: _forget(made))
        warm = _measure(lambda: _plan(made, environment))
        for path in made.specs[:CHANGED]:
            path.write_text(path.read_text(encoding="utf-8").replace("seed: ", "seed: 1"), encoding="utf-8")
        changed = _measure(lambda: _plan(made, environment))
    if (cold.code, warm.code, changed.code) != (0, 0, 2):
        raise Unavailable(f"the plans ended with {cold.code}, {warm.code} and {changed.code}, not with 0, 0 and 2")
    return {"cold": cold, "warm": warm, f"warm, {CHANGED} specs changed": changed}


def _crowded(made: fleet.Fleet) -> dict[str, Measured]:
    """The same server when it also lists as many sets of another project under the same key."""
    with fleet.serving(made) as environment:
        cold = _measure(lambda: _plan(made, environment), before=lambda: _forget(made))
        warm = _measure(lambda: _plan(made, environment))
    return {f"cold, {SPECS:,} foreign sets besides": cold, f"warm, {SPECS:,} foreign sets besides": warm}


def _plan(made: fleet.Fleet, environment: dict[str, str]) -> Measured:
    _counts(environment)
    command = [*PROGRAM, "plan", "--project", str(made.root), "--detailed-exitcode"]
    one = _once(command, environment)
    counts = _counts(environment)
    asked = ", ".join(f"{number} × {name}" for name, number in sorted(counts.items()))
    return Measured(one.wall, one.processor, asked, one.code)


def _counts(environment: dict[str, str]) -> dict[str, int]:
    with urllib.request.urlopen(environment["AVATAR_BASE_URL"] + COUNTS) as answer:
        found: dict[str, int] = json.load(answer)
    return found


def _forget(made: fleet.Fleet) -> None:
    for path in (made.root / ".avatar" / "cache").glob("*"):
        path.unlink()


def _validations(made: fleet.Fleet, checker: Path) -> tuple[Measured, Measured]:
    """Ours and theirs, taken in turns."""
    for path in made.root.rglob("*.lock.yaml"):
        path.unlink()
    ours, theirs = [], []
    for _ in range(RUNS):
        ours.append(_once([*PROGRAM, "validate", "--project", str(made.root)], {}))
        theirs.append(_once([str(checker), "--schemafile", str(SCHEMA), *map(str, made.specs)], {}))
    if any(one.code for one in (*ours, *theirs)):
        raise Unavailable("the specs are not valid for both programs")
    return _median(ours), _median(theirs)


def _measure(run: Callable[[], Measured], before: Callable[[], None] = lambda: None) -> Measured:
    found = []
    for _ in range(RUNS):
        before()
        found.append(run())
    return _median(found)


def _median(found: Sequence[Measured]) -> Measured:
    last = found[-1]
    wall, processor = (
        statistics.median(values) for values in zip(*((it.wall, it.processor) for it in found), strict=True)
    )
    return Measured(wall, processor, last.asked, last.code)


def _once(command: Sequence[str], environment: dict[str, str]) -> Measured:
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False)
    wall, after = time.perf_counter() - start, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, used, code=done.returncode)


def _checker() -> Path:
    """check-jsonschema in an environment of its own, made at the first use and kept."""
    folder = CACHE / CHECKER.replace("==", "-")
    program = folder / "bin" / "check-jsonschema"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", CHECKER]
            subprocess.run(pip, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise Unavailable(
                f"{CHECKER} could not be installed with pip; make {program} exist, or set XDG_CACHE_HOME"
            ) from None
    return program
