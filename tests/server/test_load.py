"""Two hundred polling clients and fifty queued runs: no request fails, and the memory of the server stays bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.load import KINDS, drive

GROWTH_MIB = 150


@pytest.mark.load
@pytest.mark.timeout(900)
def test_many_clients_wait_for_many_runs(tmp_path: Path) -> None:
    seen = drive(tmp_path / "state", clients=200, runs=50)
    assert dict(seen.failures) == {}
    assert all(seen.seconds[kind] for kind in KINDS)
    assert seen.most < seen.before + GROWTH_MIB
    assert seen.after < seen.before + GROWTH_MIB
