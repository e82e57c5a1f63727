"""The programs of the benchmarks run on the engine as it is, and tell their stages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def run(*command: str) -> dict[str, Any]:
    """What a driver says."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_drivers_run_from_a_made_up_table_to_its_metrics(tmp_path: Path) -> None:
    table, avatars, aligned = (str(tmp_path / name) for name in ("in.csv", "out.csv", "aligned.csv"))
    assert run("benchmarks.drivers.adult", "300", table) == {"rows": 300, "distinct": 300}
    made = run("benchmarks.drivers.avatars", table, avatars, "5", "3", aligned)
    assert made["rows"] == 300
    assert set(made["stages"]) == {"import", "read", "fit", "search + draw", "restore", "write"}
    distances = run("benchmarks.drivers.measures", table, aligned, "3", "distances")["values"]
    assert 50 < distances["hidden rate %"] <= 100
