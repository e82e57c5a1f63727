"""The steps of `action.yml`, run as a runner does, in an environment that has nothing of this project."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
KEPT = ("PIP_CONFIG_FILE", "PIP_INDEX_URL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy")

pytestmark = pytest.mark.slow


def run_steps(inputs: dict[str, str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Every `run` step in order, with its inputs in its environment; ends with the first that fails."""
    done = subprocess.CompletedProcess[str]([], 0)
    for step in YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]:
        if "run" not in step:
            continue
        given = {name: resolved(text, inputs) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=folder,
            env=environment | given,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            break
    return done


def resolved(text: str, inputs: dict[str, str]) -> str:
    """The value of `${{ inputs.NAME }}`, the only expression that steps of the action use."""
    name = text.removeprefix("${{ inputs.").removesuffix(" }}")
    assert text == "${{ inputs." + name + " }}"
    return inputs[name]


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """What a runner gives: a Python, a folder for tools, files for outputs; nothing of this checkout but its path."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(Path(sys.executable).resolve())
    (tmp_path / "temp").mkdir()
    return {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "PATH": f"{tools}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page.md"),
        "GITHUB_WORKSPACE": str(tmp_path / "work"),
    }


def test_the_action_installs_itself_and_plans(clean: dict[str, str], tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(ROOT / "configs", work, ignore=shutil.ignore_patterns(".avatar", "out", "*.lock.yaml"))
    content: Any = YAML(typ="safe").load((ROOT / "action.yml").read_text(encoding="utf-8"))
    inputs = {name: str(item.get("default", "")) for name, item in content["inputs"].items()}
    inputs |= {"command": "plan", "server": "local", "local": "true"}
    done = run_steps(inputs, clean, work)
    assert done.returncode == 0, done.stderr
    planned = json.loads((work / "avatar-ci/plan.json").read_text(encoding="utf-8"))
    assert {change["action"] for change in planned["changes"]} == {"launch"}
    assert "### " in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert planned["digest"] in (tmp_path / "output").read_text(encoding="utf-8")
