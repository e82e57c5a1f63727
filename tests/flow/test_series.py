"""Sensors from a spec to published metrics: series beside their people, through `apply` on the embedded platform."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest

from tests.support.flow import Cli

FIXTURES = os.environ.get("AVATAR_FIXTURES", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FIXTURES, reason="AVATAR_FIXTURES names no folder with the tables of the guide"),
]
COLUMNS = "{t: {time_series_time: true}, primary_key: {primary_key: true}, id: {identifier: true}}"
SPEC = f"""\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {{name: sensors}}
spec:
  seed: 7
  tables:
    vanilla:
      source: data/sensors_vanilla.csv
      columns: {{id: {{primary_key: true}}}}
      links:
        - {{field: id, to: {{table: series1, field: id}}, method: time_series}}
        - {{field: id, to: {{table: series2, field: id}}, method: time_series}}
      avatarization: {{k: 5}}
    series1:
      source: data/sensors_timeseries1.csv
      columns: {COLUMNS}
      time_series: {{projection: {{nf: 5}}, alignment: {{method: mean}}}}
    series2:
      source: data/sensors_timeseries2.csv
      columns: {COLUMNS}
      time_series: {{projection: {{projection_type: flatten}}, unalignment: skip}}
  gates: {{pointwise_hellinger_mean: "<= 0.5", density_hellinger_mean: "<= 0.3"}}
"""


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_sensors_are_anonymized_with_their_people_and_measured(cli: Cli) -> None:
    cli.project("sensors-flow")
    for folder in ("data", "configs"):
        (cli.root / folder).mkdir(exist_ok=True)
    for name in ("vanilla", "timeseries1", "timeseries2"):
        file = f"sensors_{name}.csv"
        (cli.root / "data" / file).write_bytes((Path(FIXTURES) / file).read_bytes())
    (cli.root / "configs/sensors.yaml").write_text(SPEC, encoding="utf-8")
    done = cli("apply", "--yes")
    assert done.code == 0, done.text
    out = cli.root / "out/sensors"
    blocks = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    text = json.dumps(blocks)
    assert "pointwise_hellinger_mean" in text
    assert "density_hellinger_std" in text
    found = {path.name.partition(".")[0]: rows(path) for path in (out / "avatars").glob("*.csv")}
    keys = {row["id"] for row in found["vanilla"]}
    assert len(keys) == len(found["vanilla"]) == 200
    for name, count in (("series1", 6000), ("series2", 10000)):
        assert len(found[name]) == count
        assert {row["id"] for row in found[name]} == keys
