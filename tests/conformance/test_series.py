"""Time series through the unmodified official client, against the embedded platform."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from avatar_gitops.server import start
from tests.support.official import clean_environment, environment

FIXTURES = os.environ.get("AVATAR_FIXTURES", "")
SCRIPT = Path(__file__).with_name("series_script.py")
pytestmark = [
    pytest.mark.conformance,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not FIXTURES, reason="AVATAR_FIXTURES names no folder with the tables of the guide"),
]


@pytest.mark.parametrize("version", ["1.30.0", "1.22.0"])
def test_the_sensors_of_the_guide_come_back_as_series_with_metrics(version: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with start(tmp_path / "state") as server:
        arguments = [server.base_url, server.api_key, FIXTURES, str(tmp_path / "work")]
        result = subprocess.run(
            [str(environment(version)), str(SCRIPT), *arguments],
            capture_output=True, text=True, env=clean_environment(), check=False,
        )  # fmt: skip
    assert result.returncode == 0, result.stderr[-4000:]
    seen = json.loads((tmp_path / "work/seen.json").read_text(encoding="utf-8"))
    assert seen["shapes"] == [[200, 16], [6000, 5]]
    assert seen["keys"]
    for family in ("privacy", "signal"):
        assert seen[family]["sensor1"][0]["metadata"]["computation_type"] == "standalone"
    assert 0 <= seen["privacy"]["sensor1"][0]["hidden_rate"] <= 100
    assert 50 < seen["signal"]["sensor1"][0]["pointwise_hellinger_mean"] <= 100
    assert 0 <= seen["signal"]["sensor1"][0]["hellinger_mean"] <= 100
