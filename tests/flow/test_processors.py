"""Processors through the command line: checked before a run, kept in avatars, said in the plan and in reports."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.flow import Cli

Unique = Callable[[str], str]

SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata:
  name: {name}
spec:
  seed: 7
  tables:
    stays:
      source: data/stays.csv
      columns: {{who: {{identifier: true}}}}
      processors:
        - {{kind: proportions, variable_names: [own, refunded], reference: cost}}
        - {{kind: perturbation, perturbation_level: {{ward: {level}}}}}
      avatarization:
        k: 5
        avatarization_processors_parameters:
          - {{id_variable: who, target_start_variable: came, target_end_variable: left}}
  gates: {{hidden_rate: ">= 5"}}
"""


def write_spec(cli: Cli, name: str, level: float) -> None:
    random = np.random.default_rng(4)
    lines = ["who,came,left,ward,cost,own,refunded"]
    for person in range(40):
        day = int(random.integers(0, 100))
        for _ in range(int(random.integers(1, 5))):
            came = day + int(random.integers(1, 30))
            day = came + int(random.integers(1, 9))
            cost = int(random.integers(50, 500))
            ward = random.choice(["a", "b", "c"])
            lines.append(f"{person},{came},{day},{ward},{cost},{cost // 4},{cost - cost // 4}")
    (cli.root / "data" / "stays.csv").write_text("\n".join(lines) + "\n")
    (cli.root / "configs").mkdir(exist_ok=True)
    (cli.root / "configs" / f"{name}.yaml").write_text(SPEC.format(name=name, level=level))


@pytest.mark.slow
def test_processors_run_hold_and_are_said(cli: Cli, unique: Unique) -> None:
    name = unique("stays")
    write_spec(cli, name, 0.9)
    assert cli("validate").code == 0
    assert "P025" in cli("policy", "check").text
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    with (cli.root / "out" / name / "avatars" / "stays.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(int(row["own"]) + int(row["refunded"]) == int(row["cost"]) for row in rows)
    assert all(int(row["came"]) <= int(row["left"]) for row in rows)
    write_spec(cli, name, 0.5)
    plan = json.loads(cli("plan", "--format", "json").text)
    assert '"weaker"' in json.dumps(plan)
