"""The YAML of a run, downloaded from its web page, starts another run with the unmodified official client."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path

import httpx
import lxml.html
import pandas as pd
import pytest

from avatar_gitops.server import start
from tests.server.api import Api, documents, people
from tests.support.official import clean_environment, environment

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(900)]

SCRIPT = Path(__file__).with_name("yaml_from_web_script.py")


def download(base_url: str, key: str, set_id: str) -> str:
    """The file as a browser gets it: sign in with the key, follow the link on the page of the run."""
    with httpx.Client(base_url=base_url, follow_redirects=True) as browser:
        form = lxml.html.fromstring(browser.get("/sign-in").text).xpath("//form[.//input[@name='key']]")[0]
        browser.post("/sign-in", data={**dict(form.form_values()), "key": key}, headers={"Origin": base_url})
        page = lxml.html.fromstring(browser.get(f"/runs/{set_id}").text)
        return browser.get(page.xpath("//a[@download]/@href")[0]).text


@pytest.mark.parametrize("version", ["1.30.0", "1.22.0"])
def test_the_official_client_starts_a_run_from_the_downloaded_yaml(version: str, tmp_path: Path) -> None:
    python = environment(version)
    parameters = {"people": {"k": 6, "ncp": 3, "column_weights": {"age": 2.0}}}
    table = tmp_path / "people.csv"
    table.write_bytes(people(120))
    with start(tmp_path / "state") as server, Api(server.base_url, server.api_key) as api:
        api.upload("people.csv", people(120))
        set_id = api.put_set(documents(avatarization=parameters), "first")
        jobs = api.launch_all(set_id)
        for name in jobs.values():
            assert api.wait(name)["status"] == "finished"
        first = api.files(jobs["standard"])["people.shuffled-0.csv"].decode()
        yaml = tmp_path / "first.yaml"
        yaml.write_text(download(server.base_url, server.api_key, set_id), encoding="utf-8")
        arguments = [server.base_url, server.api_key, str(yaml), str(table), "people", str(tmp_path)]
        result = subprocess.run(
            [str(python), str(SCRIPT), *arguments], capture_output=True, text=True, env=clean_environment(), check=False
        )
    assert result.returncode == 0, result.stderr[-4000:]
    seen = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert (seen["k"], seen["ncp"], seen["weights"]) == (6, 3, {"age": 2.0})
    assert seen["rows"] == 120
    again, before = (pd.read_csv(io.StringIO(text)) for text in (seen["shuffled"], first))
    pd.testing.assert_frame_equal(again, before)  # same data, same parameters, same seed
    assert 0 < seen["hidden_rate"] <= 100 and 0 < seen["hellinger_mean"] <= 100
