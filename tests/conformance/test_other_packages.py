"""Our risks and distances are those of `anonymeter` and `sdmetrics` on the same tables.

Both packages want an older numpy than ours, so they get an environment of their own. Distances and coverage are equal
but for rounding. Risks come from attacks that draw at random and break ties in their own ways: a rate must lie within
the sum of both half widths of the other's.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from avatar_gitops.engine.attacks import halves
from avatar_gitops.engine.controlled import RISKS
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import AvatarParams, Metrics, PrivacyParams, SignalParams, Space
from avatar_gitops.engine.privacy import measure_privacy
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.signal import measure_signal
from tests.support.official import clean_environment, environment_with

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

PACKAGES = ("anonymeter==1.1.0", "sdmetrics==0.32.0", "numpy<2")
SCRIPT = Path(__file__).with_name("measure_with_others.py")
ROWS = 600


def people(seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    base = random.normal(size=ROWS)
    site = np.where(random.random(ROWS) < 0.5, "north", np.where(base > 0, "south", "east"))
    return pa.table(
        {
            "age": np.round(45 + 12 * base).astype(np.int64),
            "weight": np.round(70 + 9 * base + random.normal(0, 5, ROWS), 1),
            "dose": np.round(np.exp(random.normal(0, 0.5, ROWS)), 2),
            "group": np.where(base + random.normal(0, 0.5, ROWS) > 0.3, "treated", "control"),
            "site": site,
        }
    )


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    used = people(1)
    return {"used": used, "unused": people(2), "avatars": avatarize(used, [], AvatarParams(3), 1).unshuffled}


@pytest.fixture(scope="module")
def theirs(tables: dict[str, pa.Table], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tables")
    for name, table in tables.items():
        pyarrow.csv.write_csv(table, folder / f"{name}.csv")
    space = pair_up(tables["used"], tables["avatars"], [], Space(), 1).space
    python = environment_with("others", PACKAGES)
    command = [str(python), str(SCRIPT), str(folder), json.dumps(halves(space, ()))]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    assert result.returncode == 0, result.stderr[-3000:]
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def ours(tables: dict[str, pa.Table], target: str = "group") -> Metrics:
    return measure_privacy(tables["used"], tables["avatars"], [], PrivacyParams(target=target), 1, tables["unused"])


@pytest.mark.parametrize("name", [*RISKS[:-1], "inference_risk group", "inference_risk weight"])
def test_risks_are_theirs(tables: dict[str, pa.Table], theirs: dict[str, Any], name: str) -> None:
    metric, _, target = name.partition(" ")
    measured = ours(tables, target or "group")
    value, (low, high) = measured.values[metric], measured.intervals[metric]
    their_low, their_high = (100 * end for end in theirs[name]["interval"])
    assert value is not None
    assert abs(value - 100 * theirs[name]["risk"]) <= (high - low) / 2 + (their_high - their_low) / 2, theirs[name]
    assert high - low == pytest.approx(their_high - their_low, abs=8)


def test_distances_and_coverage_are_theirs(tables: dict[str, pa.Table], theirs: dict[str, Any]) -> None:
    found = measure_signal(tables["used"], tables["avatars"], [], SignalParams(), 1).values
    for name in ("kolmogorov_smirnov_mean", "total_variation_mean"):
        assert found[name] == pytest.approx(1 - theirs[name], abs=1e-9)
    for name in ("range_coverage_mean", "category_coverage_mean"):
        assert found[name] == pytest.approx(theirs[name], abs=1e-9)
