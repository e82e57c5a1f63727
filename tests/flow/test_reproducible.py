"""The same spec, data and seed give the same bytes, whatever the number of workers and whatever else runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from avatar_gitops.server.local import start
from tests.support.flow import Cli

pytestmark = pytest.mark.slow

COMPARED = ("avatars/people.csv", "metrics.json")


def digests(cli: Cli, state: Path, workers: int, names: list[str]) -> dict[str, str]:
    """Run the specs on a platform of their own; digest of each compared file."""
    with start(state, workers=workers) as platform:
        cli.environment |= {"AVATAR_BASE_URL": platform.base_url, "AVATAR_API_KEY": platform.api_key}
        applied = cli("apply", "--yes")
        assert applied.code == 0, applied.text
    found: dict[str, str] = {}
    for name in names:
        sums = (cli.root / "out" / name / "SHA256SUMS").read_text().splitlines()
        listed = {path: digest for digest, _, path in (line.partition("  ") for line in sums)}
        found |= {f"{name}/{path}": listed[path] for path in COMPARED}
    return found


@pytest.mark.timeout(240)
def test_one_and_two_workers_give_the_same_bytes(cli: Cli, tmp_path: Path) -> None:
    names = ["one", "two"]
    cli.spec("one", more="      privacy_metrics: {known_variables: [age], target: city}\n")
    path = cli.spec("two")
    path.write_text(path.read_text().replace("{k: 10}", "{k: 10, generation: local_gaussian}"))

    first = digests(cli, tmp_path / "state-1", 1, names)
    second = digests(cli, tmp_path / "state-2", 2, names)
    assert first == second
    assert len(set(first.values())) == len(first), "the two runs differ from each other"


def test_metrics_json_holds_no_time_and_no_run(cli: Cli) -> None:
    cli.spec("plain")
    assert cli("apply", "--yes").code == 0
    text = (cli.root / "out" / "plain" / "metrics.json").read_text()
    run = json.loads((cli.root / "out" / "plain" / "run.json").read_text())
    assert run["run"] not in text
    assert "T" + run["finished"].partition("T")[2][:5] not in text
