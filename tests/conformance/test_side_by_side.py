"""A set that somebody made with the official client and sets of ours on the same server: theirs is never touched."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from avatar_gitops.server import start
from tests.support.flow import Cli, Platform, people
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

SCRIPT = """
import sys
from avatars.manager import Manager

base_url, key, table = sys.argv[1:]
runner = Manager(base_url=base_url, api_key=key).create_runner("theirs")
runner.add_table("wbcd", table)
runner.set_parameters("wbcd", k=15)
runner.run()
runner.get_all_results()
"""


def test_prune_and_a_name_clash_leave_their_set_alone(tmp_path: Path, table: Path) -> None:
    python = environment("1.30.0")
    with start(tmp_path / "state") as server:
        arguments = [str(python), "-c", SCRIPT, server.base_url, server.api_key, str(table)]
        done = subprocess.run(arguments, capture_output=True, text=True, env=clean_environment(), check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        platform = Platform(server.base_url, server.api_key)
        theirs = sorted(job["name"] for job in platform.jobs("theirs"))
        assert len(theirs) == 5

        root = tmp_path / "project"
        (root / "data").mkdir(parents=True)
        (root / "data" / "people.csv").write_text(people(), encoding="utf-8")
        found = {"AVATAR_BASE_URL": server.base_url, "AVATAR_API_KEY": server.api_key}
        cli = Cli(root, {**clean_environment(), **found, "NO_COLOR": "1"})
        cli.project("mine", more=", prune: owned")
        cli.spec("stays")
        gone = cli.spec("goes")
        assert cli("apply", "--yes").code == 0
        gone.unlink()
        assert cli("apply", "--yes").code == 0
        assert platform.jobs("goes") == []
        assert sorted(job["name"] for job in platform.jobs("theirs")) == theirs

        cli.spec("theirs")
        refused = cli("apply", "--yes")
        assert refused.code == 5, refused.text
        assert "`theirs`" in refused.err
        assert sorted(job["name"] for job in platform.jobs("theirs")) == theirs
