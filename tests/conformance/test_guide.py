"""Every Python snippet of the user guide, in its order, with the unmodified client of its time against the platform."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from avatar_gitops.server import start
from tests.house.test_guides_page import current_rows
from tests.support.official import clean_environment, environment, source

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

VERSION: Final = "1.24.0"
SCRIPT: Final = Path(__file__).with_name("guide_script.py")
# First line of a snippet that this client cannot run, whatever the server does, and the beginning of its error.
MASKED: Final = "Exception: Got error in HTTP request: post /login. Error status 401"
CLIENT_DEFECTS: Final = {
    99: MASKED,  # it sends ten asterisks for the password
    140: MASKED,
    488: "ValueError: Expected k or epsilon",  # its job launcher keeps the configuration from before from_yaml
    730: "TypeError: ",  # create_runner has no parameter `name`
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, Any]]:
    """By the line of its beginning, what each snippet printed and left, or its error."""
    folder = tmp_path_factory.mktemp("guide")
    shutil.copytree(source(VERSION) / "fixtures", folder / "fixtures")
    with start(tmp_path_factory.mktemp("state")) as server:
        account = {"AVATAR_USERNAME": "somebody@example.org", "AVATAR_PASSWORD": "wrong", "BROWSER": "true"}
        found = {"AVATAR_BASE_URL": server.base_url, "AVATAR_API_KEY": server.api_key, **account}
        guide = source(VERSION) / "doc" / "source" / "user_guide.md"
        command = [str(environment(VERSION)), str(SCRIPT), str(guide), str(folder / "outcomes.json")]
        done = subprocess.run(
            command, cwd=folder, env=clean_environment() | found, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
    return {int(line): what for line, what in json.loads((folder / "outcomes.json").read_text()).items()}


def test_every_snippet_runs_unless_the_client_itself_cannot(outcomes: dict[int, dict[str, Any]]) -> None:
    assert len(outcomes) == 32
    errors = {line: what["error"] for line, what in outcomes.items() if "error" in what}
    assert errors.keys() == CLIENT_DEFECTS.keys(), errors
    assert all(errors[line].startswith(expected) for line, expected in CLIENT_DEFECTS.items()), errors


def test_every_line_of_the_guide_belongs_to_a_row_of_the_page() -> None:
    """Headings, blank lines and the table of contents need none."""
    lines = (source(VERSION) / "doc" / "source" / "user_guide.md").read_text(encoding="utf-8").splitlines()
    covered = {line for row in current_rows() for line in range(row.first, row.last + 1)}
    contents = re.compile(r"\s*- \[.*\]\(#.*\)$")
    told = {
        at for at, line in enumerate(lines, 1) if line.strip() and not line.startswith("#") and not contents.match(line)
    }
    assert sorted(told - covered) == []
    assert max(covered) <= len(lines)


def test_snippets_do_what_the_guide_says_of_them(outcomes: dict[int, dict[str, Any]]) -> None:
    left = {line: what["left"] for line, what in outcomes.items() if what.get("left")}
    assert left == {
        154: [True],  # a key that is shown
        193: [True],  # as many avatars as originals
        408: [[True, 1]],  # avatars and metrics of a run that was reloaded
        430: [6],  # versions of one name
        475: [[[], 6]],  # none is left of one name, and six commands to choose from for another
        549: [[["age", "hospital_code"], True]],  # one column dropped, one as it was
        565: [True],  # metrics with the excluded column
        601: [True],  # a private release
        615: [[1, 1]],  # metrics of both kinds
        659: [1],  # a page of a plot
        715: ["PK"],  # a DOCX
        798: [[4, False]],  # UUIDs, and no address of anybody
    }
    assert "must be smaller than the number of rows" in outcomes[315]["printed"]
