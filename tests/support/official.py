"""Environments that hold an unmodified official client or other packages, made on first use in `.conformance/`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ENVIRONMENTS = Path(__file__).parents[2] / ".conformance"


def find_python() -> str | None:
    """A Python 3.12, which the official client needs."""
    named = os.environ.get("PYTHON312")
    on_path = shutil.which("python3.12")
    managed = sorted(Path.home().glob(".pyenv/versions/3.12*/bin/python"))
    for candidate in (named, *map(str, managed), on_path):
        if candidate and _is_312(candidate):
            return candidate
    return None


def _is_312(python: str) -> bool:
    code = "import sys; print(sys.version_info[:2] == (3, 12))"
    try:
        answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return answer.stdout.strip() == "True"


def unavailable(reason: str) -> None:
    """Skip on a developer's machine, fail where the check is the point."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def environment(version: str) -> Path:
    """Python of an environment that holds exactly that version of the official client, made on first use."""
    base = find_python()
    if base is None:
        unavailable("The official client needs Python 3.12; set PYTHON312 to one.")
    return environment_with(version, (f"octopize-avatar=={version}",), str(base))


def environment_with(name: str, requirements: Sequence[str], base: str = sys.executable) -> Path:
    """Python of an environment that holds these packages, which need others than ours, made on first use."""
    folder = ENVIRONMENTS / name
    python, ready = folder / "bin" / "python", folder / ".ready"
    if ready.is_file():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", str(folder)], check=True, capture_output=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    result = subprocess.run([*install, *requirements], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        unavailable(f"{', '.join(requirements)} could not be installed:\n{result.stderr[-2000:]}")
    ready.touch()
    return python


def clean_environment() -> dict[str, str]:
    """The environment without anything that would lead a client elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AVATAR", "AWS", "STORAGE"))}
